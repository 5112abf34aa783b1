/** `--scheduled`: a time with its zone, or one of the place where the command is given. */
import { afterEach, expect, it } from 'vitest';
import { parseScheduled } from './parse-scheduled.ts';

const NOW = Date.UTC(2030, 0, 1);
const { TZ } = process.env;

afterEach(() => {
  if (TZ === undefined) delete process.env['TZ'];
  else process.env['TZ'] = TZ;
});

it.each([undefined, 'now'])('%s is now', (text) => {
  expect(parseScheduled(text, NOW)).toEqual({ kind: 'now' });
});

it.each([
  ['2030-07-31T03:00Z', '2030-07-31T03:00:00+00:00'],
  ['2030-07-31 03:00-05', '2030-07-31T03:00:00-05:00'],
])('%s is that time', (text, said) => {
  expect(parseScheduled(text, NOW)).toEqual({ kind: 'at', text: said });
});

it.each([
  ['Europe/Berlin', '2030-01-31T03:00', '2030-01-31T03:00:00+01:00'],
  ['Europe/Berlin', ' 2030-07-31 03:00 ', '2030-07-31T03:00:00+02:00'],
  ['America/St_Johns', '2030-01-31T03:00:30', '2030-01-31T03:00:30-03:30'],
  ['UTC', '2030-01-31T03:00', '2030-01-31T03:00:00+00:00'],
])('in %s %s is a time of that place', (zone, text, said) => {
  process.env['TZ'] = zone;
  expect(parseScheduled(text, NOW)).toEqual({ kind: 'at', text: said });
});

it('is not in the past', () => {
  expect(parseScheduled('2029-12-31T23:59:59Z', NOW)).toEqual({
    kind: 'wrong',
    message: '--scheduled 2029-12-31T23:59:59+00:00 is in the past',
  });
});

it.each(['', 'soon', '2030-01-31', '2030-02-30T03:00', '03:00'])('%j is none', (text) => {
  const parsed = parseScheduled(text, NOW);
  expect(parsed).toMatchObject({ kind: 'wrong' });
  expect(parsed.kind === 'wrong' ? parsed.message : '').toContain(`not "${text}"`);
});
