import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/** A file of the guide, unchanged; see the README beside them. */
export const readGuideFile = (name: string): string =>
  readFileSync(
    fileURLToPath(new URL(`../../../../tests/fixtures/guide/${name}`, import.meta.url)),
    'utf8',
  );
