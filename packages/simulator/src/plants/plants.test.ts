/**
 * Every checker finds what it is there for: the real core with one mistake planted from outside is
 * run with that one checker, seed after seed, until it reports.
 */
import { describe, expect, it } from 'vitest';
import { checkers } from '../checkers/table.ts';
import { LIVENESS } from '../checkers/liveness.ts';
import { type ProfileName, profiles } from '../faults/profiles.ts';
import { type RunResult, runSeed } from '../run/run-seed.ts';
import type { Plant } from './plant.ts';
import { plants } from './table.ts';

const SEEDS_MAX = 160;
const TEST_LIMIT_MS = 120_000;

const cases = plants.flatMap((plant) =>
  plant.caughtBy.map((checker) => ({ name: plant.name, checker, plant })),
);

const findViolation = (plant: Plant, checker: string): RunResult | undefined => {
  const profile = profiles[plant.profile as ProfileName];
  for (let seed = 1; seed <= SEEDS_MAX; seed += 1) {
    const result = runSeed({ seed, profile, plant, only: [checker] });
    if (result.violation !== undefined) return result;
  }
  return undefined;
};

describe('a planted mistake', () => {
  it.each(cases)(
    '$name is caught by $checker',
    ({ plant, checker }) => {
      expect(findViolation(plant, checker)?.violation?.checker).toBe(checker);
    },
    TEST_LIMIT_MS,
  );

  it('is there for every checker', () => {
    const context = { world: undefined, tenures: undefined, report: () => undefined };
    const names = checkers.map((makeChecker) => makeChecker(context as never).name);
    const covered = new Set(cases.map(({ checker }) => checker));
    expect([...names, LIVENESS].filter((name) => !covered.has(name))).toEqual([]);
  });

  it('has a profile that exists', () => {
    expect(plants.filter(({ profile }) => !(profile in profiles))).toEqual([]);
  });
});
