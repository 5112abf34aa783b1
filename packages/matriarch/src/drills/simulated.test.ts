/**
 * Every scenario in the simulator, with asynchronous and with synchronous replication: no rule is
 * broken, what is to be done is done, and the make-believe cluster is whole again after it.
 */
import { type Profile, profiles, runSeed } from '@matriarch/simulator';
import { describe, expect, it } from 'vitest';
import { scenarios } from './scenarios.ts';
import { scriptOf } from './testing/simulate.ts';

const SEEDS = [1, 2];

const PROFILES: Readonly<Record<string, Profile>> = {
  asynchronous: profiles.quiet,
  synchronous: { says: 'commits wait for standbys', weights: {}, synchronous: true },
};

describe.each(Object.entries(PROFILES))('in the simulator, %s', (_, profile) => {
  it.each(scenarios)('$name keeps every rule', (scenario) => {
    for (const seed of SEEDS) {
      let asked = 0;
      const result = runSeed({
        seed,
        profile,
        script: (policy) => {
          const script = scriptOf(scenario, policy);
          asked = script.length;
          return script;
        },
      });
      expect(result.violation, `${scenario.name}, seed ${seed}`).toBeUndefined();
      expect(result.faults, `${scenario.name}, seed ${seed}`).toBe(asked);
      expect(result.acknowledged).toBeGreaterThan(0);
    }
  });
});
