/** Whether a candidate has been shown to hold every acknowledged commit (rule S6). */
import type { MemberName } from '../model/member.ts';
import type { PeerAnswer } from '../model/peer.ts';
import type { LeaseTerm } from '../model/store.ts';
import type { Lineage } from '../model/timeline.ts';
import { type KnownPosition, type WalPosition, placeOnLineage } from '../model/wal-position.ts';
import { votesNeeded } from '../replication/electorate.ts';
import { publishedVote } from '../view/documents.ts';
import { requestNow } from '../view/schedules.ts';
import { type View, endedTerm } from '../view/view.ts';
import type { Candidate } from './candidates.ts';
import type { Verdict } from './elect.ts';

/**
 * Whether a member that holds `mine` has everything that one at `position` has. WAL beyond the
 * point where our history left that timeline was never acknowledged: our side was elected.
 */
const holdsAllOf = (mine: WalPosition, lineage: Lineage, position: WalPosition): boolean => {
  if (position.timeline === mine.timeline) return position.lsn <= mine.lsn;
  return placeOnLineage(position, lineage).kind !== 'foreign';
};

/** Why this member may not stand yet; undefined: as far as votes go, it may. */
export const judgeVotes = (
  view: View,
  me: Candidate,
  answers: Readonly<Record<string, PeerAnswer>>,
): Verdict | undefined => {
  const { electorate, server } = view;
  if (electorate === undefined || electorate.leader === me.name || isOverruled(view, me.name))
    return undefined;
  const term = endedTerm(view);
  if (server === undefined || term === undefined)
    return { kind: 'wait', because: 'the term that ended is not known' };
  const counts = (name: MemberName): boolean => {
    if (name === me.name) return publishedVote(view) === term;
    const answer = answers[name];
    return (
      hasVoted(answer, term) &&
      answer.position.known &&
      holdsAllOf(me.position, server.lineage, answer.position.position)
    );
  };
  // The old primary has every commit: whoever holds all that it has, has them too.
  if (electorate.leader !== undefined && counts(electorate.leader)) return undefined;
  if (electorate.voters.length === 0)
    return {
      kind: 'wait',
      because: `only ${electorate.leader} is sure to have every commit, and has more or is away`,
    };
  const votes = electorate.voters.filter(counts);
  const needed = votesNeeded(electorate);
  if (votes.length >= needed) return undefined;
  const whose = votes.length === 0 ? '' : ` (${votes.join(', ')})`;
  return { kind: 'wait', because: `${votes.length} of ${needed} votes${whose}` };
};

/** Whoever has promised a primary not to be elected knows of one that may be going on (rule S9). */
export const findPromised = (
  self: MemberName,
  answers: Readonly<Record<string, PeerAnswer>>,
): Verdict | undefined => {
  for (const [name, answer] of Object.entries(answers)) {
    const to = answer.kind === 'answers' ? answer.promisedTo : undefined;
    if (to !== undefined && to !== self)
      return { kind: 'wait', because: `${name} has promised ${to} that nobody is elected` };
  }
  return undefined;
};

const hasVoted = (
  answer: PeerAnswer | undefined,
  term: LeaseTerm,
): answer is Extract<PeerAnswer, { kind: 'answers' }> =>
  answer?.kind === 'answers' && answer.vote === term;

/** The operator named this member without naming a holder to switch from: a failover by hand. */
export const isOverruled = ({ store }: View, name: MemberName): boolean => {
  const request = requestNow(store);
  return request?.member === name && request.leader === undefined;
};

/** A successor to a server that is known silent, and what it must hold. */
export interface SyncHeir {
  readonly name: MemberName;
  readonly needed: WalPosition;
}

/**
 * The best of those that hold every acknowledged commit of a server that is silent, from answers
 * that were given after it fell silent: nothing can be acknowledged any more, so that positions are
 * votes. `end` may be further: what lies between was never acknowledged.
 */
export const findSyncHeir = (
  view: View,
  answers: Readonly<Record<string, PeerAnswer>>,
  candidates: readonly Candidate[],
): SyncHeir | undefined => {
  const { electorate } = view;
  if (electorate === undefined || electorate.voters.length === 0) return undefined;
  const { timeline } = view.state.vacating?.end ?? {};
  const atMost = (position: KnownPosition, most: WalPosition): boolean =>
    position.known && position.position.timeline === timeline && position.position.lsn <= most.lsn;
  for (const { name, position } of candidates) {
    if (position.timeline !== timeline) continue;
    const votes = electorate.voters.filter((voter) => {
      const answer = answers[voter];
      return answer?.kind === 'answers' && !answer.primary && atMost(answer.position, position);
    });
    if (votes.length >= votesNeeded(electorate)) return { name, needed: position };
  }
  return undefined;
};
