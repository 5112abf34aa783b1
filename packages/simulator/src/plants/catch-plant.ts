import { type ProfileName, profiles } from '../faults/profiles.ts';
import { type RunResult, runSeed } from '../run/run-seed.ts';
import type { Plant } from './plant.ts';

/** From the one on that is known to find it; a change of anything moves that a little. */
const SEEDS_MAX = 20;

/** Plays seed after seed with a planted mistake, watched by one checker, until that reports. */
export const catchPlant = (plant: Plant, checker: string): RunResult | undefined => {
  const profile = profiles[plant.profile as ProfileName];
  const { from = 1, scene: script } = plant;
  for (let seed = from; seed < from + SEEDS_MAX; seed += 1) {
    const result = runSeed({ seed, profile, plant, only: [checker], script });
    if (result.violation !== undefined) return result;
  }
  return undefined;
};
