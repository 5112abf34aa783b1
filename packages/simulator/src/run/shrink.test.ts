/** A schedule that breaks a rule becomes a short one that breaks the same rule, and can be replayed. */
import { describe, expect, it } from 'vitest';
import { profiles } from '../faults/profiles.ts';
import { plants } from '../plants/table.ts';
import { runSeed } from './run-seed.ts';
import { playChosen, shrink } from './shrink.ts';

const LIMIT_MS = 60_000;

const plant = plants.find(({ name }) => name === 'silence-is-not-looked-for');

const SEEDS_MAX = 50;

const findFailure = () => {
  for (let seed = 1; seed <= SEEDS_MAX; seed += 1) {
    const asked = { seed, profile: profiles.crashes, plant };
    const result = runSeed(asked);
    if (result.violation !== undefined && result.faults > 4) return { asked, result };
  }
  throw new Error(`none of ${SEEDS_MAX} seeds finds ${plant?.name ?? 'a plant that is gone'}`);
};

describe('shrink', () => {
  it(
    'leaves only what is needed',
    () => {
      const { asked, result } = findFailure();
      const shrunk = shrink(asked, result);
      expect(shrunk.selection.faults.length).toBeLessThan(result.faults);
      expect(shrunk.result.violation?.checker).toBe(result.violation?.checker);
      expect(playChosen(asked, shrunk.selection)).toEqual(shrunk.result);
      for (const needed of shrunk.selection.faults) {
        const { faults, silent } = shrunk.selection;
        const without = { faults: faults.filter((one) => one !== needed), silent };
        const { violation } = playChosen(asked, without);
        expect(violation?.checker).not.toBe(result.violation?.checker);
      }
    },
    LIMIT_MS,
  );

  it(
    'needs no fault where none is needed',
    () => {
      const asked = {
        seed: 1,
        profile: profiles.crashes,
        plant: plants.find(({ name }) => name === 'slots-are-not-made'),
      };
      const result = runSeed(asked);
      expect(result.violation?.checker).toBe('liveness-after-healing');
      const { selection } = shrink(asked, result);
      expect(selection.faults).toEqual([]);
      expect(selection.silent).not.toContain('clients');
    },
    LIMIT_MS,
  );
});
