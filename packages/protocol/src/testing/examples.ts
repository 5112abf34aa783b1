import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const directory = fileURLToPath(new URL('../../../../examples', import.meta.url));

/** The examples users start from, by file name. */
export const exampleNames: readonly string[] = readdirSync(directory).filter((name) =>
  name.endsWith('.yaml'),
);

export const readExample = (name: string): string => readFileSync(`${directory}/${name}`, 'utf8');
