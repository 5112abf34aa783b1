/** `--since`: a time, or how long ago. */
import { expect, it } from 'vitest';
import { parseSince } from './parse-since.ts';

const NOW = Date.UTC(2026, 0, 31, 12);

it.each([
  ['90s', 90_000],
  ['30m', 1_800_000],
  ['30 min', 1_800_000],
  ['2h', 7_200_000],
  ['1.5h', 5_400_000],
  ['7d', 604_800_000],
])('%s is so long ago', (text, ms) => {
  expect(parseSince(text, NOW)).toBe(NOW - ms);
});

it.each([
  ['2026-01-31', Date.UTC(2026, 0, 31)],
  ['2026-01-31T11:00:00Z', Date.UTC(2026, 0, 31, 11)],
  ['2026-01-31T11:00:00+01:00', Date.UTC(2026, 0, 31, 10)],
])('%s is a time', (text, ms) => {
  expect(parseSince(text, NOW)).toBe(ms);
});

it.each(['', '1', 'yesterday', '5 weeks', '-1h', '2026', '2026-13-45'])('%j is neither', (text) => {
  expect(parseSince(text, NOW)).toBeUndefined();
});
