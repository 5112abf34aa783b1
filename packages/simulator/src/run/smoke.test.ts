/**
 * The cluster under every kind of fault, a few seeds of each: no rule is broken, after healing it is
 * whole again, and all of this reaches every rule and every kind of action there is.
 * `npm run sim -- --seeds A..B --profile NAME` plays more of the same.
 */
import { afterAll, expect, it } from 'vitest';
import { type ProfileName, profiles } from '../faults/profiles.ts';
import { addCoverage, formatCoverage, neverReached, noCoverage } from '../world/coverage.ts';
import { directed } from './directed.ts';
import { runSeed } from './run-seed.ts';
import { summarise } from './summary.ts';

const SEEDS = 15;
const FIRST_SEED = 1_000;
const LIMIT_MS = 60_000;

let coverage = noCoverage;

it.each(Object.keys(profiles) as ProfileName[])(
  'holds its rules with profile %s',
  (name) => {
    for (let seed = FIRST_SEED; seed < FIRST_SEED + SEEDS; seed += 1) {
      const result = runSeed({ seed, profile: profiles[name] });
      coverage = addCoverage(coverage, result.coverage);
      if (result.violation !== undefined)
        expect.fail(`${summarise(result)}; replay: --seed ${seed} --profile ${name}`);
    }
  },
  LIMIT_MS,
);

it.each(directed)(
  'is led to rule $reaches',
  ({ reaches, seed, profile, script, circumstance }) => {
    const only = circumstance === undefined ? undefined : [];
    const result = runSeed({ seed, profile: profiles[profile], plant: circumstance, only, script });
    coverage = addCoverage(coverage, result.coverage);
    expect(result.violation).toBeUndefined();
    expect(result.coverage.rules[reaches]).toBeGreaterThan(0);
  },
  LIMIT_MS,
);

it('reaches every rule and every kind of action', () => {
  expect(neverReached(coverage)).toEqual([]);
});

afterAll(() => {
  for (const line of formatCoverage(coverage)) console.log(line);
});
