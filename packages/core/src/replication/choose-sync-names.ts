/** Which standbys a primary's commits should wait for, from who is there now. */
import type { Lsn } from '../model/lsn.ts';
import type { MemberName } from '../model/member.ts';
import type { SynchronousPolicy } from '../model/policy.ts';
import { type SyncNames, noSyncNames } from './sync-names.ts';

/** A standby that streams from the primary, or did a moment ago. */
export interface SyncCandidate {
  readonly name: MemberName;
  /** Undefined: it is away, and waited for. */
  readonly flushedLsn: Lsn | undefined;
  /** `sync_priority`: the higher, the sooner it is chosen. */
  readonly priority: number;
  readonly mayFailOver: boolean;
}

export interface SyncChoice {
  readonly policy: SynchronousPolicy;
  /** Without those tagged `nosync`. */
  readonly candidates: readonly SyncCandidate[];
  /** Whom commits wait for now: who is among them stays, when nothing speaks against it. */
  readonly current: readonly MemberName[];
  /** Every member that could be waited for, present or not, for strict mode. */
  readonly everybody: readonly MemberName[];
}

const byName = (a: MemberName, b: MemberName): number => (a < b ? -1 : 1);

export const chooseSyncNames = (choice: SyncChoice): SyncNames => {
  const { policy } = choice;
  if (policy.mode === 'off') return noSyncNames;
  const near = withoutLaggards(choice);
  const chosen = policy.mode === 'quorum' ? chooseQuorum(policy, near) : chooseFirst(choice, near);
  if (chosen.names.length > 0 || !policy.strict) return chosen;
  return waitForAnybody(choice);
};

/** Further behind the best than `maximum_lag_on_syncnode`: every commit would wait for them. */
const withoutLaggards = ({ policy, candidates }: SyncChoice): readonly SyncCandidate[] => {
  const { lagBytesMax } = policy;
  if (lagBytesMax === undefined) return candidates;
  const best = candidates.reduce(
    (most, { flushedLsn = 0n }) => (flushedLsn > most ? flushedLsn : most),
    0n,
  );
  return candidates.filter(({ flushedLsn = best }) => best - flushedLsn <= lagBytesMax);
};

/** All that could become primary; others only where these are not as many as must have a commit. */
const chooseQuorum = (
  { count }: SynchronousPolicy,
  candidates: readonly SyncCandidate[],
): SyncNames => {
  const able = candidates.filter(({ mayFailOver }) => mayFailOver);
  const chosen = able.length >= count ? able : candidates;
  const names = chosen.map(({ name }) => name).sort(byName);
  return { method: 'any', names, count: Math.min(count, names.length) };
};

const chooseFirst = (
  { policy, current }: SyncChoice,
  candidates: readonly SyncCandidate[],
): SyncNames => {
  const stays = (name: MemberName): number => Number(current.includes(name));
  // Whoever is away for a moment is not passed over for that.
  const compareLsn = (a: Lsn | undefined, b: Lsn | undefined): number => {
    if (a === b) return 0;
    return a === undefined || (b !== undefined && a > b) ? -1 : 1;
  };
  const names = [...candidates]
    .sort(
      (a, b) =>
        Number(b.mayFailOver) - Number(a.mayFailOver) ||
        b.priority - a.priority ||
        stays(b.name) - stays(a.name) ||
        compareLsn(a.flushedLsn, b.flushedLsn) ||
        byName(a.name, b.name),
    )
    .slice(0, policy.count)
    .map(({ name }) => name)
    .sort(byName);
  return { method: 'first', names, count: names.length };
};

/** Nobody is there, and the operator would rather wait than be without a copy. */
const waitForAnybody = ({ policy, everybody, current }: SyncChoice): SyncNames => {
  const names = [...(everybody.length > 0 ? everybody : current)].sort(byName);
  return { method: 'any', names, count: Math.min(policy.count, names.length) };
};

/**
 * The names of a primary that has only just become one: any of the others, since nobody streams
 * from it yet and the first to come will do. The electorate does not rely on them.
 */
export const firstSyncNames = (
  { count }: SynchronousPolicy,
  others: readonly MemberName[],
): SyncNames => ({
  method: 'any',
  count: Math.min(count, others.length),
  names: [...others].sort(byName),
});
