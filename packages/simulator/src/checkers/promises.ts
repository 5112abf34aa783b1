import type { HolderDocument, JsonObject, SyncDocument } from '@matriarch/core';
import type { SimHost } from '../host/sim-host.ts';
import type { World } from '../world/world.ts';
import type { CheckerContext } from './checker.ts';

/** As long as a machine that has booted has no loop yet, nobody there is elected. */
const hasLoop = ({ guard }: SimHost): boolean => guard?.loop?.state.startedAt !== undefined;

/** Until when what lies on that host's disk binds it, told by its own clock. */
const boundUntil = (member: SimHost, to: string): number | undefined => {
  const { machine, guard, postgres } = member;
  const { promise } = postgres.disk;
  if (promise === undefined || promise.to !== to) return undefined;
  const trueTime = (until: number): number => machine.kernel.now + until - machine.read();
  if (promise.boot === machine.boots) return trueTime(promise.until);
  // Of another boot: it counts anew from when the loop has read it.
  if (!hasLoop(member)) return machine.kernel.now + promise.ttlMs;
  const known = guard?.loop?.state.failsafe.promise;
  return known === undefined ? undefined : trueTime(known.until);
};

/**
 * S9, by what is true: until when nobody but this host can be elected, because those are bound who
 * could be, by the documents in the store and the promises on the disks. Undefined: somebody can.
 */
export const coveredUntil = (world: World, host: string): number | undefined => {
  const { documents } = world.store;
  const leader = documents.get('leader')?.value;
  const holder = documents.get('holder')?.value as HolderDocument | undefined;
  if ((leader !== undefined && leader !== host) || holder?.member !== host) return undefined;
  const ends = (names: readonly string[]): readonly number[] =>
    names
      .filter((name) => name !== host)
      .map((name) => {
        const member = world.hosts.get(name);
        return (member === undefined ? undefined : boundUntil(member, host)) ?? 0;
      })
      .sort((a, b) => a - b);
  const named = Object.keys((documents.get('failsafe')?.value as JsonObject | undefined) ?? {});
  // Where there is nobody else, it lasts until there is.
  const byAll = named.length === 0 ? 0 : (ends(named)[0] ?? Number.POSITIVE_INFINITY);
  const sync = documents.get('sync')?.value as SyncDocument | undefined;
  if (sync?.leader !== host) return byAll;
  const voters = ends(sync.voters);
  // With so many whose promise is over, enough could vote for somebody.
  const byVoters =
    voters.length === 0
      ? Number.POSITIVE_INFINITY
      : (voters[sync.quorum] ?? Number.POSITIVE_INFINITY);
  return Math.max(byAll, byVoters);
};

/** S9: it may have the lease no more, and enough have promised that nobody else gets it. */
export const goesOnByPromises = ({ world }: CheckerContext, host: string): boolean =>
  world.kernel.now < (coveredUntil(world, host) ?? 0);
