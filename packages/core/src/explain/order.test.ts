/** Clocks that step, that start anew, and that contradict the store. */
import { describe, expect, it } from 'vitest';
import type { JournalDetails } from '../model/journal.ts';
import type { JournalEntry } from './entry.ts';
import { orderEntries } from './order.ts';

interface Said {
  readonly wallMs: number;
  readonly clock?: number;
  readonly revision?: number;
  readonly event?: string;
  readonly rule?: string;
  readonly details?: JournalDetails;
}

const testify = (teller: string, ...said: readonly Said[]) => ({
  teller,
  entries: said.map(
    ({ wallMs, clock, revision, event = 'an.event', rule, details = {} }): JournalEntry => ({
      teller,
      wallMs,
      clock,
      revision,
      event,
      level: 'info',
      rule,
      because: undefined,
      action: undefined,
      details,
    }),
  ),
});

const times = (...testimonies: Parameters<typeof orderEntries>[0]) =>
  orderEntries(testimonies).entries.map(({ teller, atMs }) => `${teller} ${atMs}`);

describe('one teller', () => {
  it('whose wall clock was set has the times of its boot clock, as the clock stood last', () => {
    expect(
      times(
        testify(
          'pg1',
          { wallMs: 900_000, clock: 1_000 },
          { wallMs: 900_500, clock: 1_500 },
          { wallMs: 100_000, clock: 2_000 },
        ),
      ),
    ).toEqual(['pg1 99000', 'pg1 99500', 'pg1 100000']);
  });

  it('whose boot clock has steps of 10 ms keeps the finer wall clock', () => {
    expect(
      times(testify('pg1', { wallMs: 5_003, clock: 100 }, { wallMs: 5_009, clock: 100 })),
    ).toEqual(['pg1 5003', 'pg1 5009']);
  });

  it('whose host was started anew has two boot clocks', () => {
    expect(
      times(
        testify(
          'pg1',
          { wallMs: 9_000, clock: 4_000, event: 'loop.began', details: { host: 'first' } },
          { wallMs: 10_000, clock: 5_000 },
          { wallMs: 90_000, clock: 6_000, event: 'loop.began', details: { host: 'second' } },
        ),
      ),
    ).toEqual(['pg1 9000', 'pg1 10000', 'pg1 90000']);
  });
});

describe('two tellers', () => {
  const decides = testify(
    'pg1',
    { wallMs: 60_000, clock: 100, event: 'lease.handed-over', rule: 'hand-over' },
    {
      wallMs: 60_010,
      clock: 110,
      event: 'transaction.applied',
      rule: 'hand-over',
      details: { written: 7, sentAt: 100 },
    },
  );

  it('are in the order of the store, though one clock is a minute ahead', () => {
    const reads = testify(
      'pg2',
      { wallMs: 1_000, revision: 6 },
      { wallMs: 1_020, revision: 7, event: 'lease.acquiring' },
    );
    const { entries, shiftsMs } = orderEntries([decides, reads]);
    expect(entries.map(({ event }) => event)).toEqual([
      'an.event',
      'lease.handed-over',
      'lease.acquiring',
      'transaction.applied',
    ]);
    expect(shiftsMs).toEqual({ pg1: -58_980 });
  });

  it('that say nothing of the store are in the order of their wall clocks', () => {
    const other = testify('pg2', { wallMs: 59_000 }, { wallMs: 61_000 });
    expect(times(decides, other)).toEqual(['pg2 59000', 'pg1 60000', 'pg1 60010', 'pg2 61000']);
    expect(orderEntries([decides, other]).shiftsMs).toEqual({});
  });

  it('who contradict each other are told all the same', () => {
    const first = testify('pg1', { wallMs: 1, revision: 9 }, ...lies(9));
    const second = testify('pg2', { wallMs: 1, revision: 9 }, ...lies(9));
    expect(orderEntries([first, second]).entries).toHaveLength(6);
  });
});

/** Says that it wrote what the other one knew before. */
const lies = (written: number): readonly Said[] => [
  { wallMs: 2, clock: 5, rule: 'r', revision: 9 },
  { wallMs: 3, clock: 6, event: 'transaction.applied', rule: 'r', details: { written, sentAt: 5 } },
];
