/** Rules for a free lease: who may take it, and when (S1, S10). */
import { whyNotComplete } from '../election/candidates.ts';
import { asCandidate, elect, judgeSelf } from '../election/elect.ts';
import { findPromised, judgeVotes } from '../election/votes.ts';
import { deadlineOf } from '../model/policy.ts';
import type { PeerAnswer } from '../model/peer.ts';
import { after, elapsedMs } from '../model/instant.ts';
import { promiseInForce } from '../view/failsafe.ts';
import { namedCandidate, needsName } from '../view/pause.ts';
import { formatLsn } from '../model/lsn.ts';
import { type View, hasPassed } from '../view/view.ts';
import { type Answer, type Rule, event } from './rule.ts';
import { stopReceivingBeforeVoting } from './synchronising.ts';
import { acquire } from './transactions.ts';

/** Others leave the named heir this long. */
export const HEIR_HEAD_START_MS = 1_000;
/** Answers of peers older than this are asked for again before the lease is taken on them. */
const ANSWERS_FRESH_MS = 250;
const ASK_LIMIT_MS = 50;
/** Grows with the time that the lease has been free: a busy machine answers late, not never. */
const ASK_LIMIT_MAX_MS = 500;
const ASK_LIMIT_SHARE = 1 / 4;
const ASK_AGAIN_MS = 100;

/** The lease is free, the cluster exists, and our server is one that could be promoted. */
const mayStand = (view: View): boolean => {
  const { state, store } = view;
  return (
    (!needsName(view) || namedCandidate(view) === state.self.name) &&
    store !== undefined &&
    store.leader === undefined &&
    !state.snapshotStale &&
    state.vacantSince !== undefined &&
    state.tenure === undefined &&
    state.leaving === undefined &&
    promiseInForce(state) === undefined &&
    view.systemIdentifier !== undefined &&
    view.server?.inRecovery === true
  );
};

export const renewBeforeStanding: Rule = {
  id: 'renew-before-standing',
  when: 'the leader key is free and our lease has less than half of its time left',
  does: 'renews the lease first',
  why: 'S2: the deadline counts from the last renewal; a short reign ends in a fence',
  without: 'a fresh primary is fenced a moment after its promotion',
  decide: (view) => {
    const { lease } = view.state;
    if (!mayStand(view) || lease === undefined) return undefined;
    const remaining = elapsedMs(view.now, deadlineOf(lease.renewedAt, lease.ttlMs));
    if (remaining >= lease.ttlMs / 2 - ROUNDING_MS) return undefined;
    return {
      because: `${remaining} ms are left of the lease`,
      action: { kind: 'keep-alive', leaseId: lease.id },
    };
  },
};

/** A lease just renewed must not count as half used because its margin is a large part of it. */
const ROUNDING_MS = 500;

export const acquireAsHeir: Rule = {
  id: 'acquire-as-heir',
  when: 'the last holder released the lease to us and we hold everything it had',
  does: 'takes the lease without asking anybody',
  why: 'its server is silent and its end is known: nobody can hold more',
  without: 'a switchover waits for answers it does not need',
  decide: (view) => {
    const handover = view.store?.handover?.value;
    const { lease, self } = view.state;
    if (!mayStand(view) || lease === undefined || view.store === undefined) return undefined;
    if (handover?.heir !== self.name || !handover.end.known) return undefined;
    const judged = judgeSelf(view);
    if ('kind' in judged) return undefined;
    const end = handover.needed ?? handover.end.position;
    const missing = whyNotComplete(
      {
        kind: 'answers',
        running: true,
        primary: false,
        position: { known: true, position: judged },
        lineage: undefined,
        tags: self.tags,
        electable: true,
      },
      end,
    );
    if (missing !== undefined)
      return isProbeFresh(view) ? undefined : { because: 'looking at our own position first' };
    const because = `${handover.from} released it to us and we hold all that is needed`;
    return {
      because,
      action: acquire(view, view.store, lease),
      event: event('lease.acquiring', 'info', { because, position: formatLsn(judged.lsn) }),
    };
  },
};

/** Our own position was looked at after the lease became free. */
const isProbeFresh = ({ state: { probe, vacantSince } }: View): boolean =>
  probe !== undefined && vacantSince !== undefined && probe.at >= vacantSince;

export const leaveHeirAHeadStart: Rule = {
  id: 'leave-heir-a-head-start',
  when: 'the last holder released the lease to another member a moment ago',
  does: 'waits',
  why: 'the heir was chosen, by the operator or as the best',
  without: 'a switchover to a named candidate is a race',
  decide: (view) => {
    const { vacantSince, self } = view.state;
    const heir = view.store?.handover?.value.heir;
    if (!mayStand(view) || vacantSince === undefined) return undefined;
    if (heir === undefined || heir === self.name) return undefined;
    if (hasPassed(view, vacantSince, HEIR_HEAD_START_MS)) return undefined;
    return { because: `${heir} is the heir`, until: after(vacantSince, HEIR_HEAD_START_MS) };
  },
};

export const acquireAsNamedCandidate: Rule = {
  id: 'acquire-as-named-candidate',
  when: 'nobody may stand by itself, in a pause or after one, and an operator has named us',
  does: 'asks the members whether one of them is primary, then takes the lease',
  why: 'S1: the operator answers for a server that cannot be reached; one that answers is believed',
  without: 'a paused cluster that has lost its primary cannot be helped',
  decide: (view) => {
    const { store, now } = view;
    const { lease } = view.state;
    if (!mayStand(view) || !needsName(view) || store === undefined) return undefined;
    const judged = judgeSelf(view);
    if ('kind' in judged) return { because: judged.because, until: after(now, ASK_AGAIN_MS) };
    const answers = freshAnswers(view);
    if (answers === undefined) return askMembers(view, 'asking whether a member is primary');
    const primary = Object.keys(answers).find((name) => isPrimary(answers[name]));
    if (primary !== undefined)
      return { because: `${primary} is out of recovery`, until: after(now, ASK_AGAIN_MS) };
    const unproven =
      findPromised(view.state.self.name, answers) ??
      judgeVotes(view, asCandidate(view, judged), answers);
    if (unproven !== undefined)
      return { because: unproven.because, until: after(now, ASK_AGAIN_MS) };
    if (lease === undefined) return { because: 'there is no lease to hang the key on' };
    const because = 'an operator has named us';
    return {
      because,
      action: acquire(view, store, lease),
      event: event('lease.acquiring', 'info', { because }),
    };
  },
};

const isPrimary = (answer: PeerAnswer | undefined): boolean =>
  answer?.kind === 'answers' && answer.primary;

/** Answers from after the lease became free, and not older than a moment. */
const freshAnswers = (view: View): Readonly<Record<string, PeerAnswer>> | undefined => {
  const { peers, vacantSince } = view.state;
  if (view.otherMembers.length === 0) return peers?.value ?? {};
  if (peers === undefined || vacantSince === undefined) return undefined;
  if (hasPassed(view, peers.at, ANSWERS_FRESH_MS) || peers.at < vacantSince) return undefined;
  return peers.value;
};

const askMembers = (view: View, because: string): Answer => {
  const vacantMs = elapsedMs(view.state.vacantSince ?? view.now, view.now);
  const limitMs = askLimitMs(vacantMs);
  return { because, action: { kind: 'ask-peers', members: view.otherMembers, limitMs } };
};

export const acquireAsBestCandidate: Rule = {
  id: 'acquire-as-best-candidate',
  when: 'the leader key is free and no other member could hold more or comes before us',
  does: 'asks the members for their live positions, then takes the lease',
  why: 'the cluster needs a primary, and the one with the most WAL loses least',
  without: 'no failover',
  decide: (view) => {
    const { state, store, now } = view;
    const { vacantSince, lease } = state;
    const bound = promiseInForce(state);
    if (bound !== undefined && vacantSince !== undefined) return { askAgainAt: bound.until };
    if (!mayStand(view) || store === undefined || vacantSince === undefined) return undefined;
    const judged = judgeSelf(view);
    if ('kind' in judged) return { because: judged.because, until: after(now, ASK_AGAIN_MS) };
    const answers = freshAnswers(view);
    if (answers === undefined) return askMembers(view, 'asking the members for their positions');
    const verdict = elect(view, answers, elapsedMs(vacantSince, now));
    if (verdict.kind !== 'stand' || lease === undefined)
      return { because: verdict.because, until: after(now, ASK_AGAIN_MS) };
    return {
      because: verdict.because,
      action: acquire(view, store, lease),
      event: event('lease.acquiring', 'info', {
        because: verdict.because,
        position: formatLsn(judged.lsn),
      }),
    };
  },
};

const askLimitMs = (vacantMs: number): number =>
  Math.min(ASK_LIMIT_MAX_MS, Math.max(ASK_LIMIT_MS, Math.round(vacantMs * ASK_LIMIT_SHARE)));

export const electingRules: readonly Rule[] = [
  renewBeforeStanding,
  acquireAsHeir,
  leaveHeirAHeadStart,
  stopReceivingBeforeVoting,
  acquireAsNamedCandidate,
  acquireAsBestCandidate,
];
