/** Lines of a journal, and rows of the store's part of it, as entries of a story. Never throws. */
import type { JournalDetails, JournalEntry, JournalRow } from '@matriarch/core';

type Line = Readonly<Record<string, unknown>>;

/** What every line has; the rest is of the event. */
const COMMON: ReadonlySet<string> = new Set([
  'at',
  'clock',
  'revision',
  'event',
  'level',
  'rule',
  'because',
  'action',
  'on',
]);

const parseObject = (text: string): Line | undefined => {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? (value as Line) : undefined;
  } catch {
    // The last line of a killed agent may be cut.
    return undefined;
  }
};

const textOf = (value: unknown): string | undefined =>
  typeof value === 'string' ? value : undefined;

const numberOf = (value: unknown): number | undefined =>
  typeof value === 'number' && Number.isFinite(value) ? value : undefined;

const detailsOf = (line: Line): JournalDetails =>
  Object.fromEntries(
    Object.entries(line).filter(
      (entry): entry is [string, string | number | boolean] =>
        !COMMON.has(entry[0]) && ['string', 'number', 'boolean'].includes(typeof entry[1]),
    ),
  );

/** Undefined for what is no line of a journal. */
export const parseJournalLine = (teller: string, text: string): JournalEntry | undefined => {
  const line = parseObject(text);
  const wallMs = Date.parse(textOf(line?.['at']) ?? '');
  if (line === undefined || Number.isNaN(wallMs)) return undefined;
  const event = textOf(line['event']);
  const rule = textOf(line['rule']);
  if (event === undefined && rule === undefined) return undefined;
  return {
    teller,
    wallMs,
    clock: numberOf(line['clock']),
    revision: numberOf(line['revision']),
    event,
    level: textOf(line['level']) ?? 'info',
    rule,
    because: textOf(line['because']),
    action: textOf(line['action']),
    details: detailsOf(line),
  };
};

/** Rows without a wall clock cannot be placed: nobody has written such. */
export const entryOfRow = (row: JournalRow): JournalEntry | undefined => {
  const wallMs = Date.parse(row.at ?? '');
  if (Number.isNaN(wallMs)) return undefined;
  const { because, ...details } = row.details;
  return {
    teller: row.member,
    wallMs,
    clock: row.clock,
    revision: row.revision,
    event: row.event,
    level: row.level,
    rule: row.rule,
    because: because === undefined ? row.because : String(because),
    action: undefined,
    details,
  };
};
