/**
 * Every checker finds what it is there for: the real core with one mistake planted from outside is
 * played with that one checker until it reports. `npm run sim:mutants` writes the table.
 */
import { describe, expect, it } from 'vitest';
import { checkers } from '../checkers/table.ts';
import { LIVENESS } from '../checkers/liveness.ts';
import { profiles } from '../faults/profiles.ts';
import { runSeed } from '../run/run-seed.ts';
import { catchPlant } from './catch-plant.ts';
import { renderMutants } from './render-mutants.ts';
import { plants } from './table.ts';

const TEST_LIMIT_MS = 60_000;
const PLANTS_MIN = 25;

const cases = plants.flatMap((plant) =>
  plant.caughtBy.map((checker) => ({ name: plant.name, checker, plant })),
);

const scenes = plants.filter(({ scene }) => scene !== undefined);

describe('a planted mistake', () => {
  it.each(cases)(
    '$name is caught by $checker',
    ({ plant, checker }) => {
      expect(catchPlant(plant, checker)?.violation?.checker).toBe(checker);
    },
    TEST_LIMIT_MS,
  );

  it.each(scenes)(
    '$name is caught for the mistake, not for its scene',
    ({ from: seed = 1, profile, scene: script }) => {
      const name = profile as keyof typeof profiles;
      expect(runSeed({ seed, profile: profiles[name], script }).violation).toBeUndefined();
    },
    TEST_LIMIT_MS,
  );

  it('is there for every checker', () => {
    const context = { world: undefined, tenures: undefined, report: () => undefined };
    const names = checkers.map((makeChecker) => makeChecker(context as never).name);
    const covered = new Set(cases.map(({ checker }) => checker));
    expect([...names, LIVENESS].filter((name) => !covered.has(name))).toEqual([]);
    expect(plants.length).toBeGreaterThanOrEqual(PLANTS_MIN);
  });

  it('has a profile that exists, and a name of its own', () => {
    expect(plants.filter(({ profile }) => !(profile in profiles))).toEqual([]);
    expect(new Set(plants.map(({ name }) => name)).size).toBe(plants.length);
  });
});

describe('the table of mutants', () => {
  it('says of each what it breaks, who sees it, and with which seed', () => {
    const [plant] = plants;
    if (plant === undefined) throw new Error('there are plants');
    const page = renderMutants([{ plant, checker: 'a-checker', seed: 7, isScene: false }]);
    expect(page).toContain(
      `| \`${plant.name}\` | ${plant.says} | a-checker | ${plant.profile} | 7 |`,
    );
    const missed = renderMutants([{ plant, checker: 'b', seed: undefined, isScene: false }]);
    expect(missed).toContain('| not caught |');
  });
});
