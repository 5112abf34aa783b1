/** A unified diff of two texts, with and without colours. */
import { describe, expect, it } from 'vitest';
import { formatConfigDiff } from './config-diff.ts';
import { paintFor } from './paint.ts';

const lines = (last: number): string =>
  ['a: 1', 'b: 2', 'c: 3', 'd: 4', `ttl: ${last}`, ''].join('\n');

describe('formatConfigDiff', () => {
  it('shows what differs with three lines around it', () => {
    expect(formatConfigDiff(lines(30), lines(20), paintFor(false)).split('\n')).toEqual([
      '---',
      '+++',
      '@@ -2,4 +2,4 @@',
      ' b: 2',
      ' c: 3',
      ' d: 4',
      '-ttl: 30',
      '+ttl: 20',
    ]);
  });

  it('paints what goes and what comes', () => {
    const painted = formatConfigDiff(lines(30), lines(20), paintFor(true));
    expect(painted).toContain('\u001B[31m-ttl: 30\u001B[39m\n\u001B[32m+ttl: 20\u001B[39m');
  });
});
