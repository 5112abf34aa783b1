import { type ProfileName, profiles } from '../faults/profiles.ts';
import { plants } from '../plants/table.ts';
import { hashText } from '../random.ts';
import { type RunResult, runSeed } from '../run/run-seed.ts';
import { type Coverage, addCoverage, noCoverage } from '../world/coverage.ts';

/** Which worlds are played, as plain data that can be sent to another thread. */
export interface Choice {
  readonly profile: ProfileName;
  readonly plant?: string | undefined;
}

/** Seeds that are played one after the other by one worker; both ends included. */
export interface Block {
  readonly first: number;
  readonly last: number;
}

/** What came of some seeds, added up. */
export interface Totals {
  readonly seeds: number;
  readonly simulatedMs: number;
  readonly events: number;
  readonly faults: number;
  readonly promotions: number;
  readonly acknowledged: number;
  /** Equal digests: in all of these seeds the same happened, in whatever order they were played. */
  readonly digest: number;
  readonly coverage: Coverage;
}

export interface BlockResult {
  readonly block: Block;
  readonly totals: Totals;
  /** The first seed that broke a rule; those after it were not played. */
  readonly failure: RunResult | undefined;
}

export const noTotals: Totals = {
  seeds: 0,
  simulatedMs: 0,
  events: 0,
  faults: 0,
  promotions: 0,
  acknowledged: 0,
  digest: 0,
  coverage: noCoverage,
};

export const addTotals = (one: Totals, other: Totals): Totals => ({
  seeds: one.seeds + other.seeds,
  simulatedMs: one.simulatedMs + other.simulatedMs,
  events: one.events + other.events,
  faults: one.faults + other.faults,
  promotions: one.promotions + other.promotions,
  acknowledged: one.acknowledged + other.acknowledged,
  digest: (one.digest ^ other.digest) >>> 0,
  coverage: addCoverage(one.coverage, other.coverage),
});

const totalsOf = (result: RunResult): Totals => ({
  ...result,
  seeds: 1,
  digest: hashText(`${result.seed} ${result.hash}`),
});

export const playBlock = (block: Block, choice: Choice): BlockResult => {
  const profile = profiles[choice.profile];
  const plant = plants.find(({ name }) => name === choice.plant);
  let totals = noTotals;
  for (let seed = block.first; seed <= block.last; seed += 1) {
    const result = runSeed({ seed, profile, plant, script: plant?.scene });
    totals = addTotals(totals, totalsOf(result));
    if (result.violation !== undefined) return { block, totals, failure: result };
  }
  return { block, totals, failure: undefined };
};
