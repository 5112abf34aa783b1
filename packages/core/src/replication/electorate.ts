/**
 * Who may elect, and why that loses nothing (rule S6). A commit is acknowledged by `count` of the
 * `names` in PostgreSQL; a winner has heard `quorum + 1` of the `voters` in the store and holds as
 * much as each of them. As long as count + quorum + 1 is more than there are members in both lists
 * together, every such set of voters has somebody in it who holds the commit.
 *
 * The primary that the store names has every commit itself and needs no vote.
 */
import type { MemberName } from '../model/member.ts';
import type { SyncNames } from './sync-names.ts';

export interface Electorate {
  readonly voters: readonly MemberName[];
  /** Patroni's number: votes a winner needs besides one. */
  readonly quorum: number;
}

/** Only the primary that the store names may be elected. */
export const nobody: Electorate = { voters: [], quorum: 0 };

/** Votes a winner needs, its own among them if it is a voter. */
export const votesNeeded = ({ quorum }: Electorate): number => quorum + 1;

const unionSize = (a: readonly string[], b: readonly string[]): number =>
  new Set([...a, ...b]).size;

/** Whether every set that may elect shares a member with every set that may acknowledge. */
export const isSafe = (sync: SyncNames, electorate: Electorate): boolean => {
  if (electorate.voters.length === 0) return true;
  if (sync.names.length === 0) return false;
  const members = unionSize(sync.names, electorate.voters);
  return sync.count + votesNeeded(electorate) > members;
};

/** Whether every set that may elect under `to` contains one that may elect under `from`. */
export const isNarrower = (from: Electorate, to: Electorate): boolean => {
  if (to.voters.length === 0) return true;
  if (from.voters.length === 0) return false;
  const strangers = to.voters.filter((name) => !from.voters.includes(name)).length;
  return votesNeeded(to) - strangers >= votesNeeded(from);
};

/** The electorate that goes with these names for good: as few votes as is safe. */
export const electorateFor = ({ count, names }: SyncNames): Electorate =>
  names.length === 0 ? nobody : { voters: names, quorum: names.length - count };

export const isSameElectorate = (a: Electorate, b: Electorate): boolean =>
  a.quorum === b.quorum &&
  a.voters.length === b.voters.length &&
  a.voters.every((name) => b.voters.includes(name));
