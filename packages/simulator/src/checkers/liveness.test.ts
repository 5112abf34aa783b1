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
  describeSelf: () => ({ life: { host: `${name}, boot 2`, run: 'run 2' } }),
});

interface Documents {
  readonly leader?: object;
  readonly suspension?: { readonly value: object };
}

const worldOf = (documents: Documents, ...hosts: ReturnType<typeof host>[]): World => {
  const named = hosts.map((one) => [one.name, one] as const);
  return { store: { snapshot: () => documents }, hosts: new Map(named) } as unknown as World;
};

/** Anna was told to go on without a lease, in that boot of hers. */
const goesOn = (boot: number): Documents => ({
  suspension: { value: { member: 'anna', life: { host: `anna, boot ${boot}`, run: 'run 1' } } },
});

describe('whyNobodyMay', () => {
  it('names the only member with data when that is tagged nofailover', () => {
    const world = worldOf({}, host('anna', false, false), host('cora', true, true));
    expect(whyNobodyMay(world)).toContain('only cora has data, and is tagged nofailover');
  });

  it('excuses nobody else', () => {
    const may = host('anna', true, false);
    const never = host('cora', true, true);
    expect(whyNobodyMay(worldOf({}, may, never))).toBeUndefined();
    expect(whyNobodyMay(worldOf({}, host('anna', false, false)))).toBeUndefined();
    expect(whyNobodyMay(worldOf({ leader: {} }, never))).toBeUndefined();
  });

  it('names a host that may go on without a lease, and was not seen since', () => {
    const cora = host('cora', true, false);
    const world = worldOf(goesOn(1), host('anna', false, false), cora);
    expect(whyNobodyMay(world)).toContain('anna may go on without a lease on anna, boot 1');
    expect(whyNobodyMay(worldOf(goesOn(1), host('anna', true, false), cora))).toBeUndefined();
    expect(whyNobodyMay(worldOf(goesOn(2), host('anna', false, false), cora))).toBeUndefined();
  });

  it('is told at the end of a run', () => {
    const result = runSeed({ seed: 363, profile: profiles.bootstrap });
    expect(result.violation).toBeUndefined();
    expect(summarise(result)).toContain('nothing wrong, but nobody may be primary: only cora');
  }, 30_000);
});
