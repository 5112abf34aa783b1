import type { TreeFile } from './tree.ts';

/**
 * What a file imports. The formatter puts every import and re-export at the beginning of a line,
 * so a pattern finds them all, and finds none in comments and strings.
 */
const STATEMENT =
  /^(?:import|export|\})(?:[^'"\n]|\n(?!import|export))*?from\s+['"](?<name>[^'"]+)['"]/gmu;
const EFFECT = /^import\s+['"](?<name>[^'"]+)['"]/gmu;
const DYNAMIC = /\bimport\(\s*['"](?<name>[^'"]+)['"]/gu;

export const findImports = (text: string): readonly string[] =>
  [STATEMENT, EFFECT, DYNAMIC].flatMap((pattern) =>
    Array.from(text.matchAll(pattern), (match) => match.groups?.['name'] ?? ''),
  );

/** The path from the root that a relative import of this file leads to. */
export const resolveImport = (file: TreeFile, specifier: string): string => {
  const parts = file.path.split('/').slice(0, -1);
  for (const part of specifier.split('/')) {
    if (part === '..') parts.pop();
    else if (part !== '.') parts.push(part);
  }
  return parts.join('/');
};
