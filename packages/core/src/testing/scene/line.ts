/**
 * One line of a scene, `subject name: clause, clause`, and what its clauses say. Whatever a reader
 * does not ask for is a mistake, so a typing error never means "the fact is missing".
 */
import { type Instant, after, elapsedMs } from '../../model/instant.ts';
import { type Lsn, parseLsn } from '../../model/lsn.ts';
import { type WallTime, wallTime } from '../../model/schedule.ts';
import type { Ancestor, Lineage, Timeline } from '../../model/timeline.ts';
import type { WalPosition } from '../../model/wal-position.ts';
import { nearest } from './nearest.ts';

/** When every scene plays: an hour after the host started. */
export const NOW = 3_600_000 as Instant;

/** What the wall clock shows then. */
const WALL_NOW = 1_900_000_000_000;

/** The wall clock's time at an instant of the scene. */
export const wallTimeAt = (at: Instant): WallTime => wallTime(WALL_NOW + elapsedMs(NOW, at));

export interface SceneLine {
  readonly number: number;
  readonly subject: string;
  /** The member a fact is about (`peer bravo`), `''` when the subject needs none. */
  readonly name: string;
  readonly clauses: readonly string[];
}

export interface SceneMistake {
  readonly line: number;
  readonly what: string;
}

const UNITS: Readonly<Record<string, number>> = { ms: 1, s: 1_000, min: 60_000, h: 3_600_000 };

const parseDuration = (text: string): number | undefined => {
  const match = /^(\d+) ?(ms|s|min|h)$/.exec(text);
  return match === null ? undefined : Number(match[1]) * (UNITS[match[2] ?? ''] ?? 1);
};

const parseTime = (text: string): Instant | undefined => {
  if (text === 'now') return NOW;
  const past = /^(.*) ago$/.exec(text)?.[1];
  const durationMs = parseDuration(past ?? text.replace(/^in /, ''));
  if (durationMs === undefined || (past === undefined && !text.startsWith('in '))) return undefined;
  return after(NOW, past === undefined ? durationMs : -durationMs);
};

const parsePosition = (text: string): WalPosition | undefined => {
  const match = /^(\S+) on (\d+)$/.exec(text);
  const lsn = parseLsn(match?.[1] ?? '');
  return lsn === undefined ? undefined : { timeline: Number(match?.[2]) as Timeline, lsn };
};

const parseAncestor = (text: string): Ancestor | undefined => {
  const match = /^(\d+) at (\S+)$/.exec(text);
  const switchLsn = parseLsn(match?.[2] ?? '');
  return switchLsn === undefined
    ? undefined
    : { timeline: Number(match?.[1]) as Timeline, switchLsn };
};

/** Reads the clauses of one line. A value that cannot be read is told, and counts as not given. */
export class LineReader {
  readonly line: SceneLine;
  readonly #mistakes: SceneMistake[];
  readonly #asked: string[] = [];
  readonly #left: string[];

  constructor(line: SceneLine, mistakes: SceneMistake[]) {
    this.line = line;
    this.#mistakes = mistakes;
    this.#left = [...line.clauses];
  }

  mistake(what: string): void {
    this.#mistakes.push({ line: this.line.number, what });
  }

  /** Whether the clause is there, as it stands. */
  has(words: string): boolean {
    this.#asked.push(words);
    const index = this.#left.indexOf(words);
    if (index >= 0) this.#left.splice(index, 1);
    return index >= 0;
  }

  /** Which of these clauses is there; the first of them when the line says nothing of it. */
  oneOf<T extends string>(choices: readonly [T, ...T[]]): T {
    return this.choice(choices) ?? choices[0];
  }

  choice<T extends string>(choices: readonly T[]): T | undefined {
    const found = choices.filter((words) => this.has(words));
    if (found.length > 1) this.mistake(`"${found.join('" and "')}" cannot both be true`);
    return found[0];
  }

  text(key: string): string | undefined {
    return this.texts(key)[0];
  }

  /** The values of all clauses that begin with `key`. */
  texts(key: string): readonly string[] {
    this.#asked.push(`${key} …`);
    const found = this.#left.filter((clause) => clause.startsWith(`${key} `));
    for (const clause of found) this.#left.splice(this.#left.indexOf(clause), 1);
    return found.map((clause) => clause.slice(key.length + 1));
  }

  time(key: string): Instant | undefined {
    return this.#value(key, parseTime, '"now", "20ms ago" or "in 20s"');
  }

  /** A clause that is nothing but a time, such as `100ms ago`. */
  seen(): Instant {
    this.#asked.push('… ago');
    const clause = this.#left.find((text) => text === 'now' || text.endsWith(' ago'));
    if (clause === undefined) return after(NOW, -100);
    this.#left.splice(this.#left.indexOf(clause), 1);
    const time = parseTime(clause);
    if (time === undefined) this.mistake(`"${clause}" is no time: write "now" or "20ms ago"`);
    return time ?? NOW;
  }

  duration(key: string): number | undefined {
    return this.#value(key, parseDuration, 'a duration such as "150ms", "20s" or "30min"');
  }

  number(key: string): number | undefined {
    const parse = (text: string) => (/^\d+$/.test(text) ? Number(text) : undefined);
    return this.#value(key, parse, 'a whole number');
  }

  lsn(key: string): Lsn | undefined {
    return this.#value(key, parseLsn, 'an LSN such as "0/5000000"');
  }

  position(key: string): WalPosition | undefined {
    return this.#value(key, parsePosition, 'a position such as "0/5000000 on 1"');
  }

  ancestors(key: string): readonly Ancestor[] {
    return this.texts(key).flatMap((text) => {
      const ancestor = parseAncestor(text);
      if (ancestor === undefined)
        this.mistake(`"${key} ${text}": write "${key} 1 at 0/5000000" for timeline 1 left there`);
      return ancestor === undefined ? [] : [ancestor];
    });
  }

  /** `timeline 3, left 1 at 0/3000000, left 2 at 0/4000000`; timeline 1 when nothing is said. */
  lineage(): Lineage {
    const timeline = (this.number('timeline') ?? 1) as Timeline;
    return { timeline, ancestors: this.ancestors('left') };
  }

  /** Tells of every clause that nobody asked for. */
  close(): void {
    for (const clause of this.#left) {
      const known = this.#asked.toSorted();
      const hint = nearest(
        clause,
        known.map((words) => words.replace(/ ?…$/u, '')),
      );
      const did = hint === undefined ? '' : `; did you mean "${hint}"?`;
      const { subject } = this.line;
      this.mistake(`"${subject}" has no clause "${clause}"${did} It has: ${known.join(', ')}`);
    }
  }

  #value<T>(key: string, parse: (text: string) => T | undefined, expected: string): T | undefined {
    const [text, second] = this.texts(key);
    if (text === undefined) return undefined;
    if (second !== undefined) this.mistake(`"${key}" is said twice: "${text}" and "${second}"`);
    const value = parse(text);
    if (value === undefined) this.mistake(`"${key} ${text}": expected ${expected}`);
    return value;
  }
}
