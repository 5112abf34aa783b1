import type { Brand } from './brand.ts';
import type { Lsn } from './lsn.ts';

/** PostgreSQL's timeline number, 1 after initdb. Each number is issued once (rule S5). */
export type Timeline = Brand<number, 'Timeline'>;

export const timeline = (number: number): Timeline => number as Timeline;

/** `00000003.history`: the file in pg_wal that names the ancestors of timeline 3. */
export const historyFileName = (number: Timeline): string =>
  `${number.toString(16).toUpperCase().padStart(8, '0')}.history`;

/** One ancestor of a timeline: WAL of `timeline` counts up to `switchLsn`, exclusive. */
export interface Ancestor {
  readonly timeline: Timeline;
  readonly switchLsn: Lsn;
}

/**
 * The history of one server's WAL: the timeline it is on and, oldest first, the timelines it came
 * from with the position where each was left. Shape and meaning of a `.history` file.
 */
export interface Lineage {
  readonly timeline: Timeline;
  readonly ancestors: readonly Ancestor[];
}

export const firstLineage: Lineage = { timeline: 1 as Timeline, ancestors: [] };

/** Reads a `.history` file: lines `<timeline>\t<LSN>\t<reason>`. Comments are skipped. */
export const parseHistory = (
  number: Timeline,
  text: string,
  parseLsn: (text: string) => Lsn | undefined,
): Lineage => {
  const ancestors: Ancestor[] = [];
  for (const line of text.split('\n')) {
    const match = /^\s*(\d+)\s+(\S+)/.exec(line);
    if (match === null) continue;
    const switchLsn = parseLsn(match[2] ?? '');
    if (switchLsn !== undefined)
      ancestors.push({ timeline: Number(match[1]) as Timeline, switchLsn });
  }
  return { timeline: number, ancestors };
};
