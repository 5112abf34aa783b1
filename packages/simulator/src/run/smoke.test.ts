/**
 * The cluster under every kind of fault, a few seeds of each: no rule is broken, and after healing
 * it is whole again. `npm run sim -- --seeds A..B --profile NAME` runs more of the same.
 */
import { expect, it } from 'vitest';
import { type ProfileName, profiles } from '../faults/profiles.ts';
import { summarise } from './summary.ts';
import { runSeed } from './run-seed.ts';

const SEEDS = 15;
const FIRST_SEED = 1_000;

it.each(Object.keys(profiles) as ProfileName[])(
  'holds its rules with profile %s',
  (name) => {
    for (let seed = FIRST_SEED; seed < FIRST_SEED + SEEDS; seed += 1) {
      const result = runSeed({ seed, profile: profiles[name] });
      if (result.violation !== undefined)
        expect.fail(`${summarise(result)}; replay: --seed ${seed} --profile ${name}`);
    }
  },
  60_000,
);
