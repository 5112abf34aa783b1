import { type MemberName, type MemberTags, mayFailOver } from '../model/member.ts';
import type { PeerAnswer } from '../model/peer.ts';
import { type WalPosition, comparePositions, formatPosition } from '../model/wal-position.ts';

/** A member that could take the lease, as far as it is known. */
export interface Candidate {
  readonly name: MemberName;
  readonly position: WalPosition;
  readonly tags: MemberTags;
  readonly wasHolder: boolean;
}

/**
 * The order of candidates of one lineage, best first: more WAL, then the higher failover priority,
 * then the last holder (nothing has to move), then the name, so that all members agree.
 */
export const compareCandidates = (a: Candidate, b: Candidate): number =>
  comparePositions(b.position, a.position) ||
  b.tags.failoverPriority - a.tags.failoverPriority ||
  Number(b.wasHolder) - Number(a.wasHolder) ||
  (a.name < b.name ? -1 : 1);

/** Why a peer cannot take over, whatever it has to hold, or undefined when it can. */
const whyNoCandidate = (answer: PeerAnswer | undefined): string | undefined => {
  if (answer === undefined || answer.kind === 'no-answer') return 'does not answer';
  if (!answer.electable || !mayFailOver(answer.tags)) return 'may not be promoted';
  if (answer.primary) return 'is out of recovery';
  return answer.position.known ? undefined : 'does not know its position yet';
};

/** The peers that could take over, the best one first. */
export const listCandidates = (
  answers: Readonly<Record<string, PeerAnswer>>,
): readonly Candidate[] => {
  const candidates: Candidate[] = [];
  for (const [name, answer] of Object.entries(answers)) {
    if (whyNoCandidate(answer) !== undefined) continue;
    if (answer.kind !== 'answers' || !answer.position.known) continue;
    const { position } = answer.position;
    const { tags } = answer;
    candidates.push({ name: name as MemberName, position, tags, wasHolder: false });
  }
  return candidates.sort(compareCandidates);
};

/** Why a peer cannot take over a server whose WAL ends at `end`, or undefined when it can. */
export const whyNotComplete = (
  answer: PeerAnswer | undefined,
  end: WalPosition,
): string | undefined => {
  const unfit = whyNoCandidate(answer);
  if (unfit !== undefined) return unfit;
  if (answer?.kind !== 'answers' || !answer.position.known) return undefined;
  const { position } = answer.position;
  if (position.timeline !== end.timeline) return `is on timeline ${position.timeline}`;
  if (position.lsn < end.lsn)
    return `has WAL up to ${formatPosition(position)}, ${end.lsn - position.lsn} bytes are missing`;
  return undefined;
};

/** The best of the peers that hold everything up to `end`. */
export const findHeir = (
  answers: Readonly<Record<string, PeerAnswer>>,
  end: WalPosition,
): MemberName | undefined =>
  listCandidates(answers).find(({ name }) => whyNotComplete(answers[name], end) === undefined)
    ?.name;
