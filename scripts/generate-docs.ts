/** `npm run docs`: writes the pages of docs/reference that the code describes itself. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { renderReferencePages } from './reference-pages.ts';

// npm runs scripts in the root, wherever this file was compiled to.
for (const { path, text } of renderReferencePages()) {
  const target = join(process.cwd(), path);
  mkdirSync(dirname(target), { recursive: true });
  writeFileSync(target, text);
  console.log(`written: ${path}`);
}
