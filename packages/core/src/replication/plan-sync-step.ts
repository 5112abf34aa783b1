/**
 * The order in which the names in PostgreSQL and the electorate in the store change (rule S6). One
 * step at a time; after each, whichever it was and whatever came of it, nobody can be elected who
 * lacks an acknowledged commit.
 *
 *   names are what they should be ──▶ proven? ──▶ the electorate that goes with them
 *   they are not ──▶ safe with the electorate of now? ──▶ the new names
 *                └─▶ else a narrower electorate first, with which they are
 */
import {
  type Electorate,
  electorateFor,
  isNarrower,
  isSafe,
  isSameElectorate,
  nobody,
  votesNeeded,
} from './electorate.ts';
import { type SyncNames, renderSyncNames } from './sync-names.ts';

export interface SyncSituation {
  /** What the primary's files are to say; undefined: this loop does not know what they say now. */
  readonly names: SyncNames | undefined;
  /**
   * No process of the primary goes by earlier names any more, and as many standbys as the names ask
   * for hold everything that was acknowledged under earlier ones.
   */
  readonly proven: boolean;
  readonly electorate: Electorate;
}

export type SyncStep =
  | { readonly kind: 'done' }
  | { readonly kind: 'set-names'; readonly names: SyncNames }
  /** Nothing to do but to see that the names hold. */
  | { readonly kind: 'prove' }
  | { readonly kind: 'set-electorate'; readonly electorate: Electorate };

export const planSyncStep = (
  { names, proven, electorate }: SyncSituation,
  target: SyncNames,
): SyncStep => {
  const goal = electorateFor(target);
  const isSet = names !== undefined && renderSyncNames(names) === renderSyncNames(target);
  if (isSet) {
    if (isSameElectorate(electorate, goal)) return { kind: 'done' };
    if (!proven && !isNarrower(electorate, goal)) return { kind: 'prove' };
    return { kind: 'set-electorate', electorate: goal };
  }
  if (isSafe(target, electorate)) return { kind: 'set-names', names: target };
  return { kind: 'set-electorate', electorate: narrowFor(target, electorate) };
};

/** A narrower electorate that is safe with the names of before and with these. */
const narrowFor = (target: SyncNames, from: Electorate): Electorate => {
  if (target.names.length === 0) return nobody;
  const kept = from.voters.filter((name) => target.names.includes(name));
  const needed = votesNeeded(electorateFor(target));
  const fewer = { voters: kept, quorum: Math.max(from.quorum, needed - 1) };
  if (kept.length >= votesNeeded(fewer)) return fewer;
  // Newcomers vote as well, and as many votes more are needed as there are newcomers.
  const voters = [...kept, ...target.names.filter((name) => !from.voters.includes(name))];
  const all = new Set([...from.voters, ...target.names]).size;
  const more = {
    voters,
    quorum: Math.max(from.quorum + voters.length - kept.length, all - target.count),
  };
  return voters.length >= votesNeeded(more) ? more : nobody;
};
