import { type TreeFile, type Untidiness, isGenerated } from './tree.ts';

interface ForbiddenWord {
  readonly pattern: RegExp;
  readonly because: string;
}

/** Put together here, so that this file does not hold what it looks for. */
const machinePath = (name: string): RegExp => new RegExp(`(?<![\\w.-])/${name}/`, 'u');

const EVERYWHERE: readonly ForbiddenWord[] = [
  { pattern: machinePath('work'), because: 'a path of somebody’s machine' },
  { pattern: machinePath('root'), because: 'a path of somebody’s machine' },
  { pattern: machinePath('home/\\w+'), because: 'a path of somebody’s machine' },
  { pattern: machinePath('Users/\\w+'), because: 'a path of somebody’s machine' },
];

const unfinished = ['FIX', 'ME'].join('');
const later = ['TO', 'DO'].join('');

const IN_CODE: readonly ForbiddenWord[] = [
  { pattern: new RegExp(`\\b${unfinished}\\b`, 'u'), because: 'what is broken does not land' },
  {
    pattern: new RegExp(`\\b${later}\\b(?!.*#\\d)`, 'u'),
    because: 'it has to name an issue, as in #12',
  },
];

const CODE_FILE = /\.(?:ts|mjs|js|sh|yaml|yml|sql|proto)$|^\.ci\//u;

const checkLines = (file: TreeFile, words: readonly ForbiddenWord[]): readonly Untidiness[] =>
  file.text.split('\n').flatMap((line, index) =>
    words.flatMap(({ pattern, because }) => {
      const found = pattern.exec(line);
      return found === null ? [] : [`${file.path}:${index + 1} has "${found[0]}": ${because}`];
    }),
  );

/** Paths of one machine, and notes of things that were left undone. */
export const checkWords = (files: readonly TreeFile[]): readonly Untidiness[] =>
  files
    .filter(({ path }) => !isGenerated(path))
    .flatMap((file) =>
      checkLines(file, CODE_FILE.test(file.path) ? [...EVERYWHERE, ...IN_CODE] : EVERYWHERE),
    );
