import { readFileSync, readdirSync } from 'node:fs';
import { join, relative, sep } from 'node:path';

/** A file of the repository: its path from the root, with `/`, and its content. */
export interface TreeFile {
  readonly path: string;
  readonly text: string;
}

/** One thing that is not tidy, in words for the person who put it there. */
export type Untidiness = string;

/** What `.gitignore` keeps out, and what is not ours. */
const OUTSIDE: ReadonlySet<string> = new Set([
  '.git',
  'node_modules',
  'dist',
  '.matriarch',
  'coverage',
]);

const TEXT_FILE =
  /(?:\.(?:ts|mjs|js|json|md|yaml|yml|txt|sh|sql|proto|conf|cfg|html|css)|\/[^./]+|\/\.[a-z]+)$/u;

/** All text files below `root` that belong to the repository, in order of their paths. */
export const readTree = (root: string): readonly TreeFile[] => {
  const visit = (directory: string): readonly string[] =>
    readdirSync(directory, { withFileTypes: true }).flatMap((entry) => {
      if (OUTSIDE.has(entry.name)) return [];
      const path = join(directory, entry.name);
      if (entry.isDirectory()) return visit(path);
      return entry.isFile() ? [path] : [];
    });
  return visit(root)
    .map((path) => ({ path, name: relative(root, path).split(sep).join('/') }))
    .filter(({ name }) => TEXT_FILE.test(`/${name}`))
    .map(({ path, name }) => ({ path: name, text: readFileSync(path, 'utf8') }))
    .toSorted((left, right) => (left.path < right.path ? -1 : 1));
};

export const isCode = (path: string): boolean => /\.(?:ts|mjs|js)$/u.test(path);

export const isGenerated = (path: string): boolean => path.includes('/gen/');

export const isTest = (path: string): boolean =>
  /\.(?:test|contract)\.ts$/u.test(path) || path.startsWith('tests/') || path.includes('/testing/');

/** Number of lines as an editor counts them. */
export const countLines = (text: string): number =>
  text.split('\n').length - (text.endsWith('\n') ? 1 : 0);
