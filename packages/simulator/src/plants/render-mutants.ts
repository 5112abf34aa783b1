import type { Plant } from './plant.ts';

/** What came of one planted mistake under one checker. */
export interface MutantRow {
  readonly plant: Plant;
  readonly checker: string;
  /** The seed that found it; undefined: none. */
  readonly seed: number | undefined;
  readonly isScene: boolean;
}

const HEAD = `# Planted mistakes

Written by \`npm run sim:mutants\`. Each is the real core with one rule, one comparison or one
promise taken away from outside (\`packages/simulator/src/plants\`), and a checker that sees it.
The seed finds it with the faults of its profile; in a scene they are chosen, each at its moment,
and the same scene breaks nothing without the mistake.
\`npm run sim -- --seed N --profile NAME --plant MUTANT\` plays one.

| mutant | what is wrong | seen by | profile | seed |
|---|---|---|---|---|
`;

const rowOf = ({ plant, checker, seed, isScene }: MutantRow): string => {
  const { name, says, profile } = plant;
  const found = seed === undefined ? 'not caught' : `${isScene ? 'scene, ' : ''}${seed}`;
  return `| \`${name}\` | ${says} | ${checker} | ${profile} | ${found} |`;
};

export const renderMutants = (rows: readonly MutantRow[]): string =>
  `${HEAD}${rows.map(rowOf).join('\n')}\n`;
