/**
 * `matriarch/journal`: what each member told last, for the day when that member is gone. The whole
 * journal is in a file beside each agent; this is the part of it that a story cannot do without.
 */
import type { Instant } from './instant.ts';
import type { MemberName } from './member.ts';
import type { Revision, StoreTransaction } from './store.ts';

/** How much the document holds: rows of one member, and bytes of all as they are written. */
export const JOURNAL_ROWS_PER_MEMBER = 40;
export const JOURNAL_BYTES_MAX = 24 * 1024;
/** Evidence longer than this is cut. */
export const JOURNAL_TEXT_MAX = 300;

/** Rules whose waiting is part of the story: why nobody is promoted, and what is waited for. */
export const TOLD_WAITS = ['acquire-as-best-candidate', 'leave-heir-a-head-start'] as const;
export type ToldWait = (typeof TOLD_WAITS)[number];

export type JournalDetails = Readonly<Record<string, string | number | boolean>>;

/** One event, or one reason to wait, as its member told it. */
export interface JournalRow {
  readonly member: MemberName;
  /** On the boot clock of that member's host. Clocks of two hosts are never compared. */
  readonly clock: Instant;
  /** Wall clock of that host, for people. Core knows no calendar: the writer puts it in. */
  readonly at?: string | undefined;
  /** The store as the member knew it then: what orders the rows of several members. */
  readonly revision: Revision;
  /** `noun.verb`; absent for a decision to wait. */
  readonly event?: string | undefined;
  readonly level: string;
  readonly rule?: string | undefined;
  readonly because?: string | undefined;
  readonly details: JournalDetails;
}

export interface JournalDocument {
  readonly rows: readonly JournalRow[];
}

/** What is asked of the same row again and again, as long as it is in the document. */
interface Measured {
  readonly key: string;
  /** As many as it takes at the most: what is not ASCII is written in six bytes. */
  readonly bytes: number;
}

const measured = new WeakMap<JournalRow, Measured>();

const measure = (row: JournalRow): Measured => {
  const known = measured.get(row);
  if (known !== undefined) return known;
  const { member, clock, event, rule, because, details } = row;
  const text = JSON.stringify(row);
  const now = {
    key: JSON.stringify([member, clock, event, rule, because, details]),
    // The wall clock that the writer adds, and what stands between rows.
    bytes: text.length + (text.match(/[^ -~]/g)?.length ?? 0) * 5 + 40,
  };
  measured.set(row, now);
  return now;
};

const keyOf = (row: JournalRow): string => measure(row).key;

const bytesOf = (row: JournalRow): number => measure(row).bytes;

/**
 * What the document is to hold once `added` of one member are in it: the newest rows of each member
 * up to the limits, in the order in which they came.
 */
export const addJournalRows = (
  document: JournalDocument | undefined,
  added: readonly JournalRow[],
): JournalDocument => {
  const known = document?.rows ?? [];
  const keys = new Set(known.map(keyOf));
  const all = [...known, ...added.filter((row) => !keys.has(keyOf(row)))];
  const counts = new Map<string, number>();
  const kept: JournalRow[] = [];
  let bytes = 0;
  for (const row of all.toReversed()) {
    const count = (counts.get(row.member) ?? 0) + 1;
    bytes += bytesOf(row);
    if (bytes > JOURNAL_BYTES_MAX) break;
    if (count > JOURNAL_ROWS_PER_MEMBER) {
      bytes -= bytesOf(row);
      continue;
    }
    counts.set(row.member, count);
    kept.push(row);
  }
  return { rows: kept.toReversed() };
};

/** Rows of a member that are still to be told once the store has taken what was written. */
export const withoutPublished = (
  rows: readonly JournalRow[],
  { writes }: StoreTransaction,
): readonly JournalRow[] => {
  for (const write of writes) {
    if (!('key' in write) || write.key !== 'journal' || !('put' in write)) continue;
    const last = write.put.rows.findLast(({ member }) => member === rows[0]?.member);
    // Rows that found no room are older than this one, and are not told again.
    const index = last === undefined ? -1 : rows.findLastIndex((row) => keyOf(row) === keyOf(last));
    return rows.slice(index + 1);
  }
  return rows;
};
