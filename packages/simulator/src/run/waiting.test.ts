/** Roles whose commits wait are set by whoever is the primary, and set back when named no longer. */
import { expect, it } from 'vitest';
import { drawOptions, profiles } from '../faults/profiles.ts';
import { Random } from '../random.ts';
import { Simulation } from '../world/simulation.ts';

const SETTLED_MS = 60_000;

it('sets what the policy names on the primary, and follows its changes', () => {
  const profile = profiles.synchronous;
  const simulation = new Simulation(drawOptions(7, profile, new Random(7, 'scenario')));
  const { kernel, hosts } = simulation;
  const marked = (): readonly string[] =>
    [...hosts.values()]
      .filter(({ postgres }) => postgres.acceptsWrites)
      .flatMap(({ postgres }) => [...(postgres.running?.data.markedRoles ?? [])]);
  kernel.runUntil(SETTLED_MS);
  expect(marked()).toEqual(['billing']);
  simulation.changePolicy({ waiting: { roles: [], databases: [] } });
  kernel.runUntil(2 * SETTLED_MS);
  expect(marked()).toEqual([]);
});
