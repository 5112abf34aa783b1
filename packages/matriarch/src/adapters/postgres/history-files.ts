import {
  type Ancestor,
  formatLsn,
  historyFileName,
  type Lineage,
  type Lsn,
  parseHistory,
  parseLsn,
  type Timeline,
  timeline,
} from '@matriarch/core';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { readTextIfThere, removeDurably, writeAtomically } from './atomic-file.ts';
import type { Owner } from './context.ts';
import { type ControlData, controlTimeline } from './control-data.ts';
import { parseHistoryName, parseSegmentName } from './wal-files.ts';

/**
 * The lineage of a timeline as its `.history` file in pg_wal tells it. Timeline 1 has no such file;
 * any other without one has no known ancestors, so that positions on other timelines are foreign.
 */
export const readLineage = async (walDirectory: string, number: Timeline): Promise<Lineage> => {
  if (number === 1) return { timeline: number, ancestors: [] };
  const text = await readTextIfThere(join(walDirectory, historyFileName(number)));
  return parseHistory(number, text ?? '', parseLsn);
};

const historiesAbove = (names: readonly string[], number: Timeline): readonly Timeline[] =>
  names
    .flatMap((name) => {
      const found = parseHistoryName(name);
      return found !== undefined && found > number ? [found] : [];
    })
    .sort((a, b) => a - b);

export const hasHistoryAbove = async (walDirectory: string, number: Timeline): Promise<boolean> =>
  historiesAbove(await readdir(walDirectory), number).length > 0;

/** Where `lineage` left the timeline `number`; undefined when it never was on it. */
const leftAt = (lineage: Lineage, number: Timeline): Lsn | undefined =>
  lineage.ancestors.find((ancestor) => ancestor.timeline === number)?.switchLsn;

const newestStart = (lineage: Lineage): Lsn | undefined => lineage.ancestors.at(-1)?.switchLsn;

/** Recovery never goes back behind this position of the control file's timeline. */
const settledLsn = (control: ControlData): Lsn =>
  control.minRecoveryLsn > control.checkpointLsn ? control.minRecoveryLsn : control.checkpointLsn;

/**
 * The lineage a silent server is on. The control file knows it for a primary, also for one that
 * died right after its promotion. A standby may have followed a promotion since its last restart
 * point: then there is a history file that continues the lineage, and WAL of that timeline.
 */
export const lineageOnDisk = async (disk: {
  readonly walDirectory: string;
  readonly control: ControlData;
  readonly standby: boolean;
}): Promise<Lineage> => {
  const { walDirectory, control, standby } = disk;
  let lineage = await readLineage(walDirectory, controlTimeline(control));
  if (!standby) return lineage;
  const names = await readdir(walDirectory);
  for (const number of historiesAbove(names, lineage.timeline)) {
    const newer = await readLineage(walDirectory, number);
    const left = leftAt(newer, lineage.timeline);
    const start = newestStart(newer);
    if (left === undefined || start === undefined || left < settledLsn(control)) continue;
    const begun = names.some((name) => {
      const segment = parseSegmentName(name, control.walSegmentBytes);
      return (
        segment?.timeline === number && segment.start + BigInt(control.walSegmentBytes) > start
      );
    });
    if (begun) lineage = newer;
  }
  return lineage;
};

/**
 * The history files that would keep a server of this lineage from starting as a standby: PostgreSQL
 * aims at the newest timeline it finds a history of, and stops when it cannot get there from its
 * own. Those are the empty ones that reserve a number (rule S5) and those of a fork it was never
 * on.
 */
export const obsoleteHistories = async (disk: {
  readonly walDirectory: string;
  readonly control: ControlData;
  readonly lineage: Lineage;
}): Promise<readonly Timeline[]> => {
  const { walDirectory, control, lineage } = disk;
  const obsolete: Timeline[] = [];
  for (const number of historiesAbove(await readdir(walDirectory), lineage.timeline)) {
    const left = leftAt(await readLineage(walDirectory, number), lineage.timeline);
    if (left === undefined || left < settledLsn(control)) obsolete.push(number);
  }
  return obsolete;
};

export const removeHistory = (walDirectory: string, number: Timeline): Promise<boolean> =>
  removeDurably(join(walDirectory, historyFileName(number)));

const renderHistory = (ancestors: readonly Ancestor[]): string =>
  ancestors
    .map(({ timeline: number, switchLsn }) => `${number}\t${formatLsn(switchLsn)}\tswitched\n`)
    .join('');

/** The numbers before its own that no ancestor has: skipped by a promotion (rule S5). */
const skippedNumbers = ({ timeline: own, ancestors }: Lineage): Timeline[] => {
  const taken = new Set(ancestors.map((ancestor) => ancestor.timeline));
  const numbers = Array.from({ length: Math.max(0, own - 2) }, (_, index) => timeline(index + 2));
  return numbers.filter((number) => !taken.has(number));
};

/**
 * Completes the history files of pg_wal. A clone got the history of its own timeline only, yet a
 * standby that comes from further back asks its upstream for every number between, and gets no WAL
 * when one is missing: those of the ancestors are written from our own, those of skipped numbers
 * are empty. So are those that are to be `reserved` for a promotion: PostgreSQL takes the next
 * number that has no history.
 */
export const placeHistories = async (
  wal: {
    readonly walDirectory: string;
    readonly lineage: Lineage;
    readonly owner: Owner | undefined;
  },
  reserved: readonly Timeline[] = [],
): Promise<void> => {
  const { walDirectory, lineage, owner } = wal;
  const present = new Set(await readdir(walDirectory));
  const place = async (number: Timeline, text: string): Promise<void> => {
    const name = historyFileName(number);
    if (present.has(name)) return;
    await writeAtomically(join(walDirectory, name), text, { mode: 0o600, owner });
  };
  for (const [index, ancestor] of lineage.ancestors.entries())
    if (ancestor.timeline > 1)
      await place(timeline(ancestor.timeline), renderHistory(lineage.ancestors.slice(0, index)));
  for (const number of [...skippedNumbers(lineage), ...reserved]) await place(number, '');
};
