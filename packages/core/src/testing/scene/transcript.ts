/**
 * A transcript: a scene and, below each, what the member does about it.
 *
 *   # Comments say what the scene is about.
 *   me alpha: priority 2
 *   process: running, primary
 *   answers hold
 *   sends no fence
 *   ----
 *   hold: nothing is to be done
 *
 *   # One thing is different: these lines take the place of the same ones of the first scene.
 *   process: dead
 *   no store leader bravo
 *   does not answer hold
 *   ----
 *   …
 *
 * What stands between `----` and the next empty line is written by the test (`-u`). `answers`, `does
 * not answer`, `sends` and `sends no` are held whatever is written there; the last two name a kind of
 * action or the purpose of a transaction.
 */
import { buildMember, facts } from './build-member.ts';
import type { SceneLine, SceneMistake } from './line.ts';
import type { MemberState } from '../../state.ts';

/** What a scene says must come of it, whatever is written below. */
export interface Expected {
  /** Rules. */
  readonly answers: readonly string[];
  readonly answersNot: readonly string[];
  /** Kinds of action, or purposes of transactions. */
  readonly sends: readonly string[];
  readonly sendsNot: readonly string[];
}

export interface Scene extends Expected {
  /** Facts and comments, as they stand in the file. */
  readonly text: string;
  readonly firstLine: number;
  readonly member: MemberState;
}

export interface Transcript {
  readonly scenes: readonly Scene[];
  readonly mistakes: readonly SceneMistake[];
}

const RULER = '----';

interface Block {
  readonly firstLine: number;
  readonly lines: readonly string[];
}

/** The parts of the file that people write: up to an empty line, or to the ruler. */
const splitBlocks = (text: string): readonly Block[] => {
  const blocks: { firstLine: number; lines: string[] }[] = [];
  let open: { firstLine: number; lines: string[] } | undefined;
  let answered = false;
  for (const [index, line] of text.split('\n').entries()) {
    if (line.trim() === '' || line === RULER) {
      answered = line === RULER;
      open = undefined;
    } else if (!answered) {
      if (open === undefined) {
        open = { firstLine: index + 1, lines: [] };
        blocks.push(open);
      }
      open.lines.push(line);
    }
  }
  return blocks;
};

const subjects = Object.keys(facts).toSorted((a, b) => b.length - a.length);

/** `store member bravo: running` is a line on the subject `store member` and the name `bravo`. */
const parseLine = (text: string, number: number): SceneLine => {
  const colon = text.indexOf(':');
  const head = (colon < 0 ? text : text.slice(0, colon)).trim();
  const known = subjects.find((subject) => head === subject || head.startsWith(`${subject} `));
  const subject = known ?? head.replace(/ \S+$/u, '');
  const name = head.slice(subject.length).trim();
  const rest = colon < 0 ? '' : text.slice(colon + 1);
  const clauses = rest
    .split(',')
    .map((clause) => clause.trim())
    .filter((clause) => clause !== '');
  return { number, subject, name, clauses };
};

const keyOf = ({ subject, name }: SceneLine): string => `${subject} ${name}`;

interface Told {
  readonly lines: ReadonlyMap<string, SceneLine>;
  readonly expected: Expected;
}

const EXPECTATIONS: Readonly<Record<string, keyof Expected>> = {
  answers: 'answers',
  'does not answer': 'answersNot',
  sends: 'sends',
  'sends no': 'sendsNot',
};

const wordsOf = (text: string): readonly string[] => text.split(',').map((word) => word.trim());

const readBlock = (block: Block, first: Told | undefined, mistakes: SceneMistake[]): Told => {
  const lines = new Map(first?.lines);
  const own = new Set<string>();
  const expected = { answers: [], answersNot: [], sends: [], sendsNot: [] } as {
    [K in keyof Expected]: string[];
  };
  for (const [index, text] of block.lines.entries()) {
    const number = block.firstLine + index;
    if (text.startsWith('#')) continue;
    const [, verb = '', rest = ''] =
      /^(answers|does not answer|sends no|sends|no) (.*)$/u.exec(text) ?? [];
    const expectation = EXPECTATIONS[verb];
    const line = parseLine(verb === 'no' ? rest : text, number);
    if (expectation !== undefined) expected[expectation].push(...wordsOf(rest));
    else if (verb === 'no') {
      if (!lines.delete(keyOf(line)))
        mistakes.push({ line: number, what: `there is no line "${rest}" to leave out` });
    } else {
      if (own.has(keyOf(line)))
        mistakes.push({ line: number, what: `"${keyOf(line).trim()}" is said twice` });
      own.add(keyOf(line));
      lines.set(keyOf(line), line);
    }
  }
  if (Object.values(expected).every((words) => words.length === 0))
    mistakes.push({
      line: block.firstLine,
      what: 'the scene expects nothing: add "answers RULE" or "does not answer RULE"',
    });
  return { lines, expected };
};

export const parseTranscript = (text: string): Transcript => {
  const mistakes: SceneMistake[] = [];
  const scenes: Scene[] = [];
  let first: Told | undefined;
  for (const block of splitBlocks(text)) {
    const told = readBlock(block, first, mistakes);
    first ??= told;
    const { member, mistakes: more } = buildMember([...told.lines.values()]);
    mistakes.push(...more);
    const head = `${block.lines.join('\n')}\n`;
    scenes.push({ text: head, firstLine: block.firstLine, member, ...told.expected });
  }
  if (scenes.length === 0) mistakes.push({ line: 1, what: 'there is no scene' });
  const unique = new Map(mistakes.map((mistake) => [`${mistake.line} ${mistake.what}`, mistake]));
  return { scenes, mistakes: [...unique.values()] };
};

/** The whole file anew: what people wrote, and under each scene what the member does now. */
export const renderTranscript = (
  { scenes }: Transcript,
  answerOf: (member: MemberState) => string,
): string => scenes.map(({ text, member }) => `${text}${RULER}\n${answerOf(member)}`).join('\n');
