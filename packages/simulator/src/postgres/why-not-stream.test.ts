/** When PostgreSQL streams to a standby, and with which words it refuses; as PostgreSQL 15 does. */
import { lsn, timeline } from '@matriarch/core';
import { describe, expect, it } from 'vitest';
import { DataDirectory } from './data-directory.ts';
import { FIRST_LSN, SEGMENT_BYTES } from './wal.ts';
import { fetchHistory, whyNotStream } from './why-not-stream.ts';

const RECORD_BYTES = 100;

/** A data directory with `count` records on timeline 1. */
const makeData = (count: number, systemIdentifier = '1'): DataDirectory => {
  const data = new DataDirectory(systemIdentifier);
  append(data, count);
  return data;
};

const append = (data: DataDirectory, count: number): void => {
  for (let index = 0; index < count; index += 1) {
    const start = data.wal.end;
    const id = start;
    const record = { id, timeline: data.lineage.timeline, start, end: start + RECORD_BYTES };
    data.wal.append({ ...record, write: undefined }, 0);
  }
};

const promote = (data: DataDirectory, number: number): void => {
  const left = { timeline: data.lineage.timeline, switchLsn: lsn(data.wal.end) };
  data.lineage = {
    timeline: timeline(number),
    ancestors: [...data.lineage.ancestors, left],
  };
  append(data, 1);
};

const ask = (standby: DataDirectory, upstream: DataDirectory, slotName?: string) =>
  whyNotStream({ standby, upstream, slotName });

describe('whyNotStream', () => {
  it('streams to a standby that is behind, or equal', () => {
    expect(ask(makeData(3), makeData(5))).toBeUndefined();
    expect(ask(makeData(5), makeData(5))).toBeUndefined();
  });

  it('refuses another system and a standby that is ahead', () => {
    expect(ask(makeData(3, '2'), makeData(5))).toContain('system identifier');
    expect(ask(makeData(6), makeData(5))).toContain('ahead');
  });

  it('streams over a promotion, and not to one that went on beyond the fork', () => {
    const upstream = makeData(5);
    promote(upstream, 2);
    expect(ask(makeData(5), upstream)).toBeUndefined();
    expect(ask(makeData(6), upstream)).toContain('forked off');
    const other = makeData(5);
    promote(other, 3);
    expect(ask(other, upstream)).toContain('not in this server');
  });

  it('wants the slot, and its WAL', () => {
    const upstream = makeData(5);
    expect(ask(makeData(3), upstream, 'anna')).toContain('does not exist');
    upstream.slots.set('anna', { restartLsn: FIRST_LSN });
    expect(ask(makeData(3), upstream, 'anna')).toBeUndefined();
    upstream.oldestLsn = FIRST_LSN + SEGMENT_BYTES;
    expect(ask(makeData(3), upstream, 'anna')).toContain('lost its WAL');
    expect(ask(makeData(3), upstream)).toContain('has been removed');
  });

  it('asks for the history of every number in between, also of those never used', () => {
    const upstream = makeData(5);
    promote(upstream, 3);
    const standby = makeData(5);
    expect(ask(standby, upstream)).toContain('timeline 2 could not be opened');
    upstream.emptyHistory.add(2);
    expect(ask(standby, upstream)).toBeUndefined();
    fetchHistory(standby, upstream);
    expect(standby.emptyHistory.has(2)).toBe(true);
  });

  it('believes an empty history file that was placed here for the number of the upstream', () => {
    const upstream = makeData(5);
    promote(upstream, 2);
    const standby = makeData(5);
    standby.emptyHistory.add(2);
    expect(ask(standby, upstream)).toContain('is empty');
    standby.forgetHistoryAhead();
    expect(ask(standby, upstream)).toBeUndefined();
  });

  it('finds its way past an empty history file of an ancestor of the upstream', () => {
    const upstream = makeData(5);
    promote(upstream, 2);
    promote(upstream, 3);
    const standby = makeData(5);
    standby.emptyHistory.add(2);
    expect(ask(standby, upstream)).toBeUndefined();
  });
});

describe('recycling', () => {
  it('keeps what a slot wants, up to its limit', () => {
    const data = makeData(0);
    data.slots.set('anna', { restartLsn: FIRST_LSN });
    append(data, (3 * SEGMENT_BYTES) / RECORD_BYTES);
    data.recycle({ keepBytes: SEGMENT_BYTES, slotKeepBytes: 10 * SEGMENT_BYTES });
    expect(data.oldestLsn).toBe(FIRST_LSN);
    data.recycle({ keepBytes: SEGMENT_BYTES, slotKeepBytes: 2 * SEGMENT_BYTES });
    expect(data.oldestLsn).toBeGreaterThan(FIRST_LSN);
  });
});
