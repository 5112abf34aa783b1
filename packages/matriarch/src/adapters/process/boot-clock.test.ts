/** Shows that the boot clock is the host's: the same for every process, and never going back. */
import { execFileSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import { readBootClock } from './boot-clock.ts';

describe('readBootClock', () => {
  it('never goes back', () => {
    let last = readBootClock();
    for (let look = 0; look < 10_000; look += 1) {
      const now = readBootClock();
      expect(now).toBeGreaterThanOrEqual(last);
      last = now;
    }
  });

  it('reads the same in another process', () => {
    const before = readBootClock();
    const there = Number(execFileSync('cut', ['-d ', '-f1', '/proc/uptime'], { encoding: 'utf8' }));
    const after = readBootClock();
    const thereMs = Math.round(there * 1_000);
    expect(thereMs).toBeGreaterThanOrEqual(before);
    expect(thereMs).toBeLessThanOrEqual(after);
  });
});
