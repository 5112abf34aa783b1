import {
  type FailoverDocument,
  type MemberDocument,
  type MemberName,
  type Revision,
  type StoreSnapshot,
  mayFailOver,
} from '@matriarch/core';
import { type ClusterSettings, readClusterSettings } from '@matriarch/protocol';
import type { SwitchoverRequest } from '@matriarch/protocol';
import { judgeSchedule } from './judge-schedule.ts';
import { type Reply, textReply } from './reply.ts';

export type SwitchoverWord = 'switchover' | 'failover';

/** A request that may be filed. */
export interface Filing {
  readonly word: SwitchoverWord;
  readonly document: FailoverDocument;
  /** The lease holder when the request was judged. */
  readonly leader: MemberName | undefined;
  /** `failover` as it was then; 0: absent. */
  readonly comparedRevision: Revision | 0;
}

export interface SwitchoverCase {
  /** As the path says it. */
  readonly asked: SwitchoverWord;
  readonly request: SwitchoverRequest;
  readonly snapshot: StoreSnapshot;
  readonly wallClockMs: number;
}

/**
 * Refuses what cannot be right, with Patroni's sentences, from what the store says. Whether a
 * candidate is really good enough is for the lease holder's loop to decide.
 */
export const judgeSwitchover = (case_: SwitchoverCase): Filing | Reply => {
  const { asked, request, snapshot } = case_;
  const { leader, candidate } = request;
  const settings = readClusterSettings(snapshot.config?.value);
  const refusal = whyMalformed(case_, settings);
  if (refusal !== undefined) return refusal;
  const word = leader === undefined ? asked : 'switchover';
  if (leader === candidate) return textReply(400, 'Switchover target and source are the same');
  const schedule =
    request.scheduled_at === undefined
      ? undefined
      : judgeSchedule(request.scheduled_at, 'switchover', case_.wallClockMs);
  if (schedule !== undefined && 'status' in schedule) return schedule;
  const impossible =
    schedule === undefined
      ? whyImpossible({ word, request, snapshot, settings })
      : whyUnknown(request, snapshot);
  if (impossible !== undefined) return textReply(412, impossible);
  return {
    word,
    document: {
      leader: leader as MemberName | undefined,
      member: candidate as MemberName | undefined,
      ...(schedule === undefined ? {} : { scheduledAt: schedule }),
    },
    leader: snapshot.leader?.value,
    comparedRevision: snapshot.failover?.modRevision ?? 0,
  };
};

const whyMalformed = (case_: SwitchoverCase, { paused }: ClusterSettings): Reply | undefined => {
  const { asked, request } = case_;
  const { leader, candidate, scheduled_at: scheduledAt } = request;
  const isFailover = asked === 'failover';
  if (isFailover && candidate === undefined)
    return textReply(400, 'Failover could be performed only to a specific candidate');
  if (!isFailover && leader === undefined)
    return textReply(400, 'Switchover could be performed only from a specific leader');
  if (scheduledAt !== undefined) {
    if (isFailover) return textReply(400, "Failover can't be scheduled");
    if (paused) return textReply(400, "Can't schedule switchover in the paused state");
    return undefined;
  }
  if (paused && candidate === undefined)
    return textReply(400, 'Switchover is possible only to a specific candidate in a paused state');
  return undefined;
};

/** Who is named must be there now; how good a candidate is, is looked at when it is time. */
const whyUnknown = (
  { leader, candidate }: SwitchoverRequest,
  { members, leader: holder }: StoreSnapshot,
): string | undefined => {
  if (leader !== holder?.value) return 'leader name does not match';
  return candidate === undefined || Object.hasOwn(members, candidate)
    ? undefined
    : 'candidate does not exists';
};

interface PossibleCase {
  readonly word: SwitchoverWord;
  readonly request: SwitchoverRequest;
  readonly snapshot: StoreSnapshot;
  readonly settings: ClusterSettings;
}

const whyImpossible = ({ word, request, snapshot, settings }: PossibleCase): string | undefined => {
  const { leader, candidate } = request;
  const holder = snapshot.leader?.value;
  if (leader !== undefined && leader !== holder) return 'leader name does not match';
  const isPriority = settings.synchronousMode === 'priority' && word === 'switchover';
  const synchronous: readonly string[] = snapshot.sync?.value.voters ?? [];
  if (candidate !== undefined) {
    if (isPriority && !synchronous.includes(candidate))
      return 'candidate name does not match with sync_standby';
    if (!Object.hasOwn(snapshot.members, candidate)) return 'candidate does not exists';
    if (candidate === holder) return noGoodCandidate(word, `${candidate} holds the lease already`);
  }
  const others = Object.entries(snapshot.members).filter(([name]) => name !== holder);
  const eligible = others.filter(([name]) => {
    if (candidate !== undefined) return name === candidate;
    return !isPriority || synchronous.includes(name);
  });
  if (candidate === undefined && isPriority && eligible.length === 0)
    return `${word} is not possible: can not find sync_standby`;
  if (candidate === undefined && others.length === 0)
    return `${word} is not possible: cluster does not have members except leader`;
  const reasons = eligible.map(([name, { value }]) => [name, whyNotGood(value)] as const);
  if (reasons.some(([, reason]) => reason === undefined)) return undefined;
  return noGoodCandidate(word, reasons.map((reason) => reason.join(' ')).join(', '));
};

/** Patroni's sentence, and why. */
const noGoodCandidate = (word: SwitchoverWord, because: string): string =>
  `${word} is not possible: no good candidates have been found (${because})`;

/** Why a member cannot take over, by its own word in the store. */
const whyNotGood = ({ tags, state }: MemberDocument): string | undefined => {
  if (!mayFailOver(tags)) return 'is tagged nofailover';
  return state === 'running' ? undefined : `is ${state === '' ? 'not known to run' : state}`;
};

export type Progress =
  | { readonly kind: 'pending' }
  | { readonly kind: 'moved'; readonly to: MemberName }
  | { readonly kind: 'refused' };

/** What has become of a request that was filed at `revision`. */
export const judgeProgress = (
  snapshot: StoreSnapshot | undefined,
  filing: Pick<Filing, 'leader'>,
  revision: Revision,
): Progress => {
  if (snapshot === undefined || snapshot.revision < revision) return { kind: 'pending' };
  const holder = snapshot.leader?.value;
  if (holder === undefined) return { kind: 'pending' };
  if (holder !== filing.leader) return { kind: 'moved', to: holder };
  const request = snapshot.failover?.value;
  const isPending = request?.leader !== undefined || request?.member !== undefined;
  return { kind: isPending ? 'pending' : 'refused' };
};
