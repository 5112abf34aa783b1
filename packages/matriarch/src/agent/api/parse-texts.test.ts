/** Texts of requests that become numbers: sizes as in `?lag=`, times of a switchover. */
import { describe, expect, it } from 'vitest';
import { parseSchedule } from './parse-schedule.ts';
import { parseSizeBytes } from './parse-size.ts';

describe('sizes', () => {
  it.each([
    ['0', 0n],
    ['1048576', 1_048_576n],
    ['16kB', 16_384n],
    ['16KB', 16_384n],
    ['64MB', 67_108_864n],
    ['10 mb', 10_485_760n],
    ['1.5GB', 1_610_612_736n],
    ['2TB', 2_199_023_255_552n],
    ['7B', 7n],
    ['0.1', 0n],
    ['999999999999999999TB', 999_999_999_999_999_999n << 40n],
  ])('%s', (text, bytes) => {
    expect(parseSizeBytes(text)).toBe(bytes);
  });

  it.each(['', ' ', '-1', 'MB', '1e3', '1 2', '10 parsecs', '0x10', '1.', '9'.repeat(19), '1,5MB'])(
    '"%s" is none',
    (text) => {
      expect(parseSizeBytes(text)).toBeUndefined();
    },
  );
});

describe('times', () => {
  const moment = Date.UTC(2030, 0, 2, 3, 4, 5);
  it.each([
    '2030-01-02T03:04:05Z',
    '2030-01-02T03:04:05+00:00',
    '2030-01-02 03:04:05+00',
    '2030-01-02T05:34:05+02:30',
    '2030-01-02T05:34:05+0230',
    '2030-01-01T22:04:05-05:00',
    '2030-01-02 03:04:05.000 UTC',
    ' 2030-01-02t03:04:05z ',
  ])('%s', (text) => {
    expect(parseSchedule(text)).toEqual({ kind: 'at', epochMs: moment });
  });

  it.each(['2030-01-02T03:04:05', '2030-01-02 03:04'])('%s lacks a time zone', (text) => {
    expect(parseSchedule(text)).toEqual({ kind: 'no-time-zone' });
  });

  it.each(['', 'tomorrow', '2030-01-02', '2030-13-02T03:04:05Z', '1893553445', '2030-01-02T3:4Z'])(
    '"%s" is none',
    (text) => {
      expect(parseSchedule(text)).toEqual({ kind: 'unreadable' });
    },
  );
});
