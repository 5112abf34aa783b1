/** A cluster that nobody may lead is told of in words, and not blamed. */
import { describe, expect, it } from 'vitest';
import { profiles } from '../faults/profiles.ts';
import { runSeed } from '../run/run-seed.ts';
import { summarise } from '../run/summary.ts';
import type { World } from '../world/world.ts';
import { whyNobodyMay } from './liveness.ts';

const host = (name: string, data: boolean, nofailover: boolean) => ({
  name,
  tags: { nofailover, failoverPriority: 1 },
  postgres: { disk: { data: data ? {} : undefined } },
});

const worldOf = (leader: object | undefined, ...hosts: ReturnType<typeof host>[]): World => {
  const named = hosts.map((one) => [one.name, one] as const);
  return {
    store: { documents: { get: () => leader } },
    hosts: new Map(named),
  } as unknown as World;
};

describe('whyNobodyMay', () => {
  it('names the only member with data when that is tagged nofailover', () => {
    const world = worldOf(undefined, host('anna', false, false), host('cora', true, true));
    expect(whyNobodyMay(world)).toContain('only cora has data, and is tagged nofailover');
  });

  it('excuses nobody else', () => {
    const may = host('anna', true, false);
    const never = host('cora', true, true);
    expect(whyNobodyMay(worldOf(undefined, may, never))).toBeUndefined();
    expect(whyNobodyMay(worldOf(undefined, host('anna', false, false)))).toBeUndefined();
    expect(whyNobodyMay(worldOf({}, never))).toBeUndefined();
  });

  it('is told at the end of a run', () => {
    const result = runSeed({ seed: 363, profile: profiles.bootstrap });
    expect(result.violation).toBeUndefined();
    expect(summarise(result)).toContain('nothing wrong, but nobody may be primary: only cora');
  }, 30_000);
});
