/** Times as people write them: what they mean, how they are written anew, and what is none. */
import { describe, expect, it } from 'vitest';
import { parseSchedule } from './schedule-codec.ts';

const MOMENT = Date.UTC(2030, 0, 2, 3, 4, 5);

describe('a time', () => {
  it.each([
    ['2030-01-02T03:04:05Z', '2030-01-02T03:04:05+00:00'],
    ['2030-01-02T03:04:05+00:00', '2030-01-02T03:04:05+00:00'],
    ['2030-01-02 03:04:05+00', '2030-01-02T03:04:05+00:00'],
    ['2030-01-02T05:34:05+02:30', '2030-01-02T05:34:05+02:30'],
    ['2030-01-02T05:34:05+0230', '2030-01-02T05:34:05+02:30'],
    ['2030-01-01T22:04:05-05:00', '2030-01-01T22:04:05-05:00'],
    ['2030-01-02 03:04:05.000 UTC', '2030-01-02T03:04:05+00:00'],
    [' 2030-01-02t03:04:05z ', '2030-01-02T03:04:05+00:00'],
  ])('%s', (text, said) => {
    expect(parseSchedule(text)).toEqual({ kind: 'at', at: MOMENT, text: said });
  });

  it.each([
    ['2030-01-02T03:04:05.5Z', 500, '2030-01-02T03:04:05.500000+00:00'],
    ['2030-01-02T03:04:05.123456789Z', 123, '2030-01-02T03:04:05.123456+00:00'],
    ['2030-01-02T03:04:05.000001Z', 0, '2030-01-02T03:04:05.000001+00:00'],
  ])('%s, to a part of a second', (text, milliseconds, said) => {
    expect(parseSchedule(text)).toEqual({ kind: 'at', at: MOMENT + milliseconds, text: said });
  });

  it('may leave the seconds out', () => {
    expect(parseSchedule('2030-01-02T03:04+00:00')).toEqual({
      kind: 'at',
      at: Date.UTC(2030, 0, 2, 3, 4),
      text: '2030-01-02T03:04:00+00:00',
    });
  });

  it.each(['2030-01-02T03:04:05', '2030-01-02 03:04'])('%s lacks a time zone', (text) => {
    expect(parseSchedule(text)).toEqual({ kind: 'no-time-zone' });
  });

  it.each([
    '',
    'tomorrow',
    '2030-01-02',
    '2030-13-02T03:04:05Z',
    '2030-02-30T03:04:05Z',
    '2030-01-02T25:04:05Z',
    '2030-01-02T03:04:05+99:00',
    '1893553445',
    '2030-01-02T3:4Z',
  ])('"%s" is none', (text) => {
    expect(parseSchedule(text)).toEqual({ kind: 'unreadable' });
  });
});
