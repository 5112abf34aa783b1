import { type TreeFile, type Untidiness, countLines, isCode, isGenerated, isTest } from './tree.ts';

export const FILE_LINES_WITHOUT_REASON = 300;
export const FILE_LINES_MAX = 500;
export const LINE_LENGTH_MAX = 100;

/** A file that may be longer than 300 lines, and why it cannot be two. */
export interface LongFile {
  readonly path: string;
  readonly because: string;
}

export const LONG_FILES: readonly LongFile[] = [];

const isMeasured = ({ path }: TreeFile): boolean =>
  isCode(path) && !isGenerated(path) && !isTest(path);

export const checkSizes = (
  files: readonly TreeFile[],
  longFiles: readonly LongFile[] = LONG_FILES,
): readonly Untidiness[] => {
  const measured = files.filter(isMeasured);
  const tooLong = measured.flatMap(({ path, text }) => {
    const count = countLines(text);
    if (count > FILE_LINES_MAX) return [`${path} has ${count} lines, at most ${FILE_LINES_MAX}`];
    if (count <= FILE_LINES_WITHOUT_REASON) return [];
    if (longFiles.some((long) => long.path === path)) return [];
    return [`${path} has ${count} lines; that needs a reason in LONG_FILES`];
  });
  const settled = longFiles
    .filter(({ path }) => {
      const file = measured.find((candidate) => candidate.path === path);
      return file === undefined || countLines(file.text) <= FILE_LINES_WITHOUT_REASON;
    })
    .map(({ path }) => `${path} is short now: take it out of LONG_FILES`);
  return [...tooLong, ...settled];
};

/** The formatter breaks code, but neither comments nor strings. Addresses may stay whole. */
export const checkLineLengths = (files: readonly TreeFile[]): readonly Untidiness[] =>
  files
    .filter(isMeasured)
    .flatMap(({ path, text }) =>
      text
        .split('\n')
        .flatMap((line, index) =>
          line.length <= LINE_LENGTH_MAX || line.includes('://')
            ? []
            : [`${path}:${index + 1} has ${line.length} columns, at most ${LINE_LENGTH_MAX}`],
        ),
    );

const isConfiguration = (path: string): boolean => path === 'vitest.config.ts';

const isDoor = (path: string): boolean => /^packages\/[^/]+\/src\/index\.ts$/u.test(path);

const checkExportsOf = ({ path, text }: TreeFile): readonly Untidiness[] => {
  const problems: Untidiness[] = [];
  const hasDefault = /^export (?:default\b|\{[^}]*\bas default\b)/mu.test(text);
  if (hasDefault && !isConfiguration(path)) problems.push(`${path} has a default export`);
  const passesOn = /^export (?:type )?(?:\*|\{[^}]*\})[^;'"]*from\b/mu.test(text);
  if (passesOn && !isDoor(path))
    problems.push(`${path} is a barrel: it exports what is not its own`);
  if (/(?:^|\/)index\.ts$/u.test(path) && !isDoor(path)) {
    problems.push(`${path}: only a package has an index.ts`);
  }
  return problems;
};

export const checkExports = (files: readonly TreeFile[]): readonly Untidiness[] =>
  files.filter(({ path }) => isCode(path) && !isGenerated(path)).flatMap(checkExportsOf);
