/** Decides whether this member may stand for the lease, and says why each other one does not. */
import { type Lsn, formatLsn, maxLsn } from '../model/lsn.ts';
import { type MemberName, mayFailOver } from '../model/member.ts';
import type { PeerAnswer } from '../model/peer.ts';
import { lineageOf } from '../model/store.ts';
import { type WalPosition, formatPosition, placeOnLineage } from '../model/wal-position.ts';
import { isLeftOut } from '../view/failsafe.ts';
import { type View, ownPosition } from '../view/view.ts';
import { type Candidate, compareCandidates } from './candidates.ts';
import { findPromised, isOverruled, judgeVotes } from './votes.ts';

/** How long a member that answers but does not know its position is waited for (rule S10). */
export const UNKNOWN_POSITION_LIMIT_MS = 10_000;
/**
 * How long a member that answers and is better is waited for: it should stand itself. Longer than
 * anything it may have to wait for, or both would stand at the same moment.
 */
export const BETTER_CANDIDATE_LIMIT_MS = 15_000;
/** How long a member that does not answer is waited for when it may hold more. */
export const SILENT_PEER_LIMIT_MS = 1_000;
/** How long the last holder is waited for when this member itself has only just started. */
export const COLD_START_LIMIT_MS = 10_000;

export type Verdict =
  | { readonly kind: 'stand'; readonly because: string }
  /** Nothing but time or other answers change this. */
  | { readonly kind: 'wait'; readonly because: string }
  /** Not eligible, whatever the others say. */
  | { readonly kind: 'ineligible'; readonly because: string };

const ineligible = (because: string): Verdict => ({ kind: 'ineligible', because });
const wait = (because: string): Verdict => ({ kind: 'wait', because });

/** Why this member cannot be promoted, whoever else there is. */
export const judgeSelf = (view: View): Verdict | WalPosition => {
  const { state, server, store } = view;
  if (!mayFailOver(state.self.tags) && !isOnlyChoice(view)) return ineligible('tagged nofailover');
  if (server === undefined || !server.inRecovery)
    return wait('the server is not a running standby');
  if (server.systemIdentifier !== view.systemIdentifier)
    return ineligible(`system identifier ${server.systemIdentifier} is not the cluster's`);
  if (isLeftOut(state.self.name, store) && !isOverruled(view, state.self.name))
    return ineligible('not named in /failsafe');
  const position = ownPosition(view);
  if (position === undefined) return wait('the own WAL position is not known yet');
  const latest = store?.timelines?.value.promotions.at(-1);
  if (latest !== undefined) {
    const lineage = lineageOf(latest.timeline, store?.timelines?.value.promotions ?? []);
    if (lineage !== undefined && placeOnLineage(position, lineage).kind === 'forked')
      return ineligible(`${formatPosition(position)} is not in timeline ${latest.timeline}`);
  }
  // Votes decide then: what they show to be enough is enough, however much was never acknowledged.
  if (view.electorate !== undefined) return position;
  const lag = lagBehind(view, position);
  if (lag > state.policy.maximumLagOnFailoverBytes)
    return ineligible(`${lag} bytes behind, more than maximum_lag_on_failover`);
  return position;
};

/** It was the primary, and nobody else is known to have what it acknowledged (rule S6). */
const isOnlyChoice = ({ state, electorate }: View): boolean =>
  electorate?.leader === state.self.name && electorate.voters.length === 0;

/** Bytes that the store knows of and this member does not hold. */
const lagBehind = (view: View, position: WalPosition): bigint => {
  const known: Lsn[] = [];
  const { status, handover } = view.store ?? {};
  if (status !== undefined) known.push(status.value.optime);
  const end = handover?.value.end;
  if (end?.known === true) known.push(end.position.lsn);
  const highest = maxLsn(position.lsn, ...known);
  return highest - position.lsn;
};

/** This member among the others. */
export const asCandidate = (
  { state: { self }, store }: View,
  position: WalPosition,
): Candidate => ({
  name: self.name,
  position,
  tags: self.tags,
  wasHolder: store?.holder?.value.member === self.name,
});

/**
 * The verdict over all answers. `vacantMs` is how long the lease has been free, as this member
 * measured it: every limit counts from there.
 */
export const elect = (
  view: View,
  answers: Readonly<Record<string, PeerAnswer>>,
  vacantMs: number,
): Verdict => {
  const judged = judgeSelf(view);
  if ('kind' in judged) return judged;
  const me = asCandidate(view, judged);
  const reasons: string[] = [];
  for (const name of view.otherMembers) {
    const verdict = judgePeer(view, { me, name, answer: answers[name], vacantMs });
    if (verdict.kind === 'wait') return verdict;
    reasons.push(`${name} ${verdict.because}`);
  }
  const promised = isOverruled(view, me.name) ? findPromised(me.name, answers) : undefined;
  if (promised !== undefined) return promised;
  const unproven = judgeVotes(view, me, answers);
  if (unproven !== undefined) return unproven;
  const absent = judgeAbsentHolder(view, me, vacantMs);
  if (absent !== undefined) return absent;
  const others = reasons.length === 0 ? 'there is nobody else' : reasons.join(', ');
  return { kind: 'stand', because: `best at ${formatPosition(judged)}: ${others}` };
};

interface PeerCase {
  readonly me: Candidate;
  readonly name: MemberName;
  readonly answer: PeerAnswer | undefined;
  readonly vacantMs: number;
}

const judgePeer = (view: View, peer: PeerCase): Verdict => {
  const { name, answer, vacantMs } = peer;
  if (answer === undefined || answer.kind === 'no-answer') {
    const document = view.store?.members[name]?.value;
    const mayRun = document?.state !== 'stopped' && document?.state !== 'creating replica';
    if (mayRun && vacantMs < SILENT_PEER_LIMIT_MS)
      return wait(`${name} does not answer and may hold more`);
    return { kind: 'stand', because: 'does not answer' };
  }
  // No limit: nobody is promoted beside a server that may accept writes (rule S4).
  if (answer.primary) return wait(`${name} is out of recovery`);
  if (!mayFailOver(answer.tags)) return { kind: 'stand', because: 'is tagged nofailover' };
  // Whoever released the lease has said where its WAL ends.
  if (view.store?.handover?.value.from === name && !answer.running)
    return { kind: 'stand', because: 'has handed over' };
  if (!answer.running && view.store?.members[name]?.value.role === 'uninitialized')
    return { kind: 'stand', because: 'has no data' };
  if (!answer.position.known) {
    if (vacantMs < UNKNOWN_POSITION_LIMIT_MS)
      return wait(`${name} does not know its position yet and may hold more`);
    return { kind: 'stand', because: 'did not learn its position in time' };
  }
  return judgeKnownPeer(view, peer, answer.position.position);
};

const judgeKnownPeer = (view: View, peer: PeerCase, position: WalPosition): Verdict => {
  const { me, name, answer, vacantMs } = peer;
  if (answer?.kind !== 'answers') return { kind: 'stand', because: 'does not answer' };
  const lineage = view.server?.lineage;
  const placement = lineage === undefined ? undefined : placeOnLineage(position, lineage);
  // On an ancestor of our timeline, beyond the point where we left it: we are of a later term.
  if (placement?.kind === 'forked')
    return { kind: 'stand', because: `is forked at ${formatPosition(position)}` };
  if (placement?.kind === 'foreign') return judgeForeignPeer(peer, position);
  const other: Candidate = {
    name,
    position,
    tags: answer.tags,
    wasHolder: view.store?.holder?.value.member === name,
  };
  if (compareCandidates(me, other) < 0)
    return { kind: 'stand', because: `is at ${formatLsn(position.lsn)}` };
  // Nothing is lost by passing over a member that holds no more than we do.
  if (!answer.electable && position.lsn <= me.position.lsn)
    return { kind: 'stand', because: 'cannot be promoted' };
  if (vacantMs < BETTER_CANDIDATE_LIMIT_MS)
    return wait(`${name} is better, at ${formatPosition(position)}`);
  return { kind: 'stand', because: 'is better but did not take the lease in time' };
};

/**
 * On a timeline our history does not name: bare LSNs have no order then (rule S10). Numbers are
 * issued in the order of terms, so the later timeline holds what was acknowledged last.
 */
const judgeForeignPeer = (peer: PeerCase, position: WalPosition): Verdict => {
  const { me, name, vacantMs } = peer;
  const where = formatPosition(position);
  if (position.timeline < me.position.timeline)
    return { kind: 'stand', because: `is on an earlier branch, at ${where}` };
  if (vacantMs < BETTER_CANDIDATE_LIMIT_MS)
    return wait(`${name} is on a later branch, at ${where}`);
  return {
    kind: 'stand',
    because: `on a later branch, at ${where}, did not take the lease in time`,
  };
};

/**
 * After a start of the whole cluster the last holder may be a moment behind us with WAL that nobody
 * else has. Its lease having expired says nothing then: everybody's has.
 */
const judgeAbsentHolder = (view: View, me: Candidate, vacantMs: number): Verdict | undefined => {
  const { state, store } = view;
  const last = store?.holder?.value.member;
  if (last === undefined || last === me.name || store?.handover !== undefined) return undefined;
  if (view.otherMembers.includes(last)) return undefined;
  const justStarted =
    state.startedAt !== undefined && view.now - state.startedAt < COLD_START_LIMIT_MS;
  if (!justStarted || vacantMs >= COLD_START_LIMIT_MS) return undefined;
  return wait(`${last} held the lease last and may be starting as well`);
};
