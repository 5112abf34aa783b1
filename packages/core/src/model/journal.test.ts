/** The part of the journal that is in the store: what has room, and what is still to be written. */
import { describe, expect, it } from 'vitest';
import type { Instant } from './instant.ts';
import {
  JOURNAL_BYTES_MAX,
  JOURNAL_ROWS_PER_MEMBER,
  type JournalRow,
  addJournalRows,
  withoutPublished,
} from './journal.ts';
import { memberName } from './member.ts';
import type { Revision } from './store.ts';

const row = (member: string, number: number, because?: string): JournalRow => ({
  member: memberName(member),
  clock: (1_000 + number) as Instant,
  revision: 7 as Revision,
  event: 'an.event',
  level: 'info',
  because,
  details: { number },
});

const rows = (member: string, count: number, because?: string): JournalRow[] =>
  Array.from({ length: count }, (_, number) => row(member, number, because));

describe('adding rows', () => {
  it('puts them behind those of others, each once', () => {
    const first = addJournalRows(undefined, rows('alpha', 2));
    const both = addJournalRows(first, rows('bravo', 2));
    expect(both.rows).toEqual([...rows('alpha', 2), ...rows('bravo', 2)]);
    // The answer to a write was lost, and it is written again.
    expect(addJournalRows(both, rows('bravo', 3)).rows).toEqual([...both.rows, row('bravo', 2)]);
  });

  it('keeps the newest of each member: one that tells much costs the others nothing', () => {
    const quiet = addJournalRows(undefined, rows('alpha', 3));
    const { rows: kept } = addJournalRows(quiet, rows('bravo', 100));
    expect(kept.filter(({ member }) => member === 'alpha')).toEqual(rows('alpha', 3));
    expect(kept.filter(({ member }) => member === 'bravo')).toEqual(
      rows('bravo', 100).slice(-JOURNAL_ROWS_PER_MEMBER),
    );
  });

  it.each(['x'.repeat(300), 'ö'.repeat(300)])('stays below the bytes, with long texts', (text) => {
    let document = addJournalRows(undefined, []);
    for (const member of ['alpha', 'bravo', 'charlie', 'delta'])
      document = addJournalRows(document, rows(member, 40, text));
    const written = JSON.stringify(document).replace(/[^ -~]/gu, '\\u0000');
    expect(written.length).toBeLessThanOrEqual(JOURNAL_BYTES_MAX);
    expect(written.length).toBeGreaterThan(JOURNAL_BYTES_MAX / 2);
    expect(document.rows.at(-1)?.member).toBe('delta');
  });
});

describe('what is still to be written', () => {
  const wrote = (own: readonly JournalRow[]) => ({
    compares: [],
    writes: [{ key: 'journal' as const, put: addJournalRows({ rows: rows('bravo', 2) }, own) }],
  });

  it('is what came after the write was sent', () => {
    const own = rows('alpha', 5);
    expect(withoutPublished(own, wrote(own.slice(0, 3)))).toEqual(own.slice(3));
    expect(withoutPublished(own, wrote(own))).toEqual([]);
  });

  it('is nothing that found no room: it would be written for ever', () => {
    const own = rows('alpha', 40, 'ö'.repeat(300));
    const transaction = wrote(own);
    expect(transaction.writes[0]?.put.rows.length).toBeLessThan(own.length);
    expect(withoutPublished(own, transaction)).toEqual([]);
  });

  it('is everything while something else is written', () => {
    const own = rows('alpha', 2);
    const other = { compares: [], writes: [{ key: 'config' as const, put: {} }] };
    expect(withoutPublished(own, other)).toBe(own);
  });
});
