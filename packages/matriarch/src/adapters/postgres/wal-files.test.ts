/** Shows names and arithmetic of WAL against values a PostgreSQL 15 server gave. By a table. */
import { lsn, type Lsn, parseLsn, timeline } from '@matriarch/core';
import { describe, expect, it } from 'vitest';
import {
  parseHistoryName,
  parseSegmentName,
  recordEnd,
  segmentName,
  segmentStart,
} from './wal-files.ts';

const MB = 1024 * 1024;
const at = (text: string): Lsn => parseLsn(text) ?? lsn(-1n);

describe('segmentName', () => {
  it.each([
    [1, '0/3000028', 16, '000000010000000000000003'],
    [1, '0/FFFFFFFF', 16, '0000000100000000000000FF'],
    [1, '1/0', 16, '000000010000000100000000'],
    [18, '2A/17000000', 16, '000000120000002A00000017'],
    [1, '1/40000000', 1024, '000000010000000100000001'],
    [1, '0/300000', 1, '000000010000000000000003'],
  ])('of timeline %i and %s with %i MB is %s', (...row) => {
    const [number, position, size, name] = row;
    expect(segmentName(timeline(number), at(position), size * MB)).toBe(name);
    const start = segmentStart(at(position), size * MB);
    expect(parseSegmentName(name, size * MB)).toEqual({ timeline: number, start });
  });
});

describe('parseSegmentName', () => {
  it.each([
    '00000002.history',
    '000000010000000000000003.partial',
    '00000001000000000000000',
    '000000010000000000000003.00000028.backup',
    'archive_status',
  ])('refuses %s', (name) => {
    expect(parseSegmentName(name, 16 * MB)).toBeUndefined();
  });
});

describe('parseHistoryName', () => {
  it('reads the timeline', () => {
    expect(parseHistoryName('0000001F.history')).toBe(31);
    expect(parseHistoryName('0000001F.history.backup')).toBeUndefined();
    expect(parseHistoryName('000000010000000000000003')).toBeUndefined();
  });
});

describe('recordEnd', () => {
  const geometry = { walBlockBytes: 8192, walSegmentBytes: 16 * MB };
  it.each([
    ['within a page, aligned', '0/3027AC0', 34, '0/3027AE8'],
    ['up to a page’s border', '0/3001FD0', 48, '0/3002000'],
    ['padded up to a page’s border', '0/3001FD0', 41, '0/3002000'],
    ['over a page: 24 bytes of header', '0/3001FF8', 40, '0/3002038'],
    ['over a segment: 40 bytes of header', '0/3FFFFF0', 40, '0/4000040'],
    ['over three pages', '0/3000028', 8192 * 2, '0/3004058'],
  ])('%s', (...row) => {
    const [, start, bytes, end] = row;
    expect(recordEnd(at(start), bytes, geometry)).toBe(at(end));
  });
});
