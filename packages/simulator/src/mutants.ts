/** `npm run sim:mutants`: plays every planted mistake, and writes the table of who sees which. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { catchPlant } from './plants/catch-plant.ts';
import { type MutantRow, renderMutants } from './plants/render-mutants.ts';
import { plants } from './plants/table.ts';

// npm runs scripts in the root.
const PAGE = join(process.cwd(), 'docs/internals/mutants.md');

const rows: MutantRow[] = [];
for (const plant of plants)
  for (const checker of plant.caughtBy) {
    const startedAt = performance.now();
    const seed = catchPlant(plant, checker)?.seed;
    rows.push({ plant, checker, seed, isScene: plant.scene !== undefined });
    const seconds = ((performance.now() - startedAt) / 1_000).toFixed(1);
    const outcome = seed === undefined ? 'NOT CAUGHT' : `seed ${seed}`;
    console.log(`${plant.name}: ${checker}, ${plant.profile}, ${outcome}, ${seconds} s`);
  }

writeFileSync(PAGE, renderMutants(rows));
const missed = rows.filter(({ seed }) => seed === undefined).length;
console.log(`${rows.length - missed} of ${rows.length} caught; written: docs/internals/mutants.md`);
process.exitCode = missed === 0 ? 0 : 1;
