/** What applications saw, played with times of our own on the process clock. */
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Ledger, type WriteOutcome, longestGap } from './ledger.ts';

let now = 0;
beforeEach(() => {
  now = 0;
  vi.spyOn(performance, 'now').mockImplementation(() => now);
});
afterEach(() => {
  vi.restoreAllMocks();
});

/** Writes at these times, each with a row of its own. */
const write = (
  ledger: Ledger,
  times: readonly number[],
  outcome: WriteOutcome = 'acknowledged',
): void => {
  for (const at of times) {
    now = at;
    ledger.recordWrite(`row-${at}`, outcome);
  }
};

const window = { fromMs: 100, toMs: 200 };

describe('the longest gap', () => {
  it('begins with the last success before the window', () => {
    expect(longestGap([90, 98, 150, 199], window)).toEqual({ fromMs: 98, toMs: 150 });
  });

  it('begins with the window when nothing ever succeeded', () => {
    expect(longestGap([160], window)).toEqual({ fromMs: 100, toMs: 160 });
  });

  it('may follow a success of what was under way', () => {
    expect(longestGap([99, 101, 180, 190], window)).toEqual({ fromMs: 101, toMs: 180 });
  });

  it('lasts to the end when nothing succeeds any more', () => {
    expect(longestGap([99, 101, 110], window)).toEqual({ fromMs: 110, toMs: 200 });
    expect(longestGap([99], window)).toEqual({ fromMs: 99, toMs: 200 });
  });

  it('does not look beyond the window', () => {
    expect(longestGap([99, 150, 201, 900], window)).toEqual({ fromMs: 99, toMs: 150 });
    expect(longestGap([100, 150, 200], window)).toEqual({ fromMs: 100, toMs: 150 });
  });

  it('is the first of two that are equal', () => {
    expect(longestGap([100, 140, 160], window)).toEqual({ fromMs: 100, toMs: 140 });
  });
});

describe('a ledger', () => {
  it('counts only acknowledged writes as an end of the outage', () => {
    const ledger = new Ledger();
    write(ledger, [99]);
    write(ledger, [120], 'failed');
    write(ledger, [130], 'unknown');
    write(ledger, [150.6, 190]);
    expect(ledger.writeOutageMs(window)).toBe(52);
    expect(ledger.firstWriteAfterOutage(window)).toBe(150.6);
  });

  it('knows no first write when none came', () => {
    const ledger = new Ledger();
    write(ledger, [99, 101]);
    expect(ledger.firstWriteAfterOutage(window)).toBeUndefined();
    expect(ledger.writeOutageMs(window)).toBe(99);
  });

  it('measures reads for themselves', () => {
    const ledger = new Ledger();
    for (const [at, succeeded] of [
      [95, true],
      [105, false],
      [125, true],
      [199, false],
      [199, true],
    ] as const) {
      now = at;
      ledger.recordRead(succeeded);
    }
    expect(ledger.readOutageMs(window)).toBe(74);
    expect(ledger.countErrors(window)).toBe(2);
  });

  it('counts errors of writes and reads within the window only', () => {
    const ledger = new Ledger();
    write(ledger, [99, 100, 199.9, 200], 'failed');
    write(ledger, [150], 'unknown');
    write(ledger, [160]);
    now = 99;
    ledger.recordRead(false);
    now = 170;
    ledger.recordRead(false);
    expect(ledger.countErrors(window)).toBe(4);
  });

  it('knows whether writes are acknowledged again', () => {
    const ledger = new Ledger();
    expect(ledger.hasWrittenSince(0)).toBe(false);
    write(ledger, [99]);
    write(ledger, [120], 'failed');
    expect([ledger.hasWrittenSince(99), ledger.hasWrittenSince(100)]).toEqual([true, false]);
    write(ledger, [130]);
    expect(ledger.hasWrittenSince(100)).toBe(true);
  });

  it('lists acknowledged rows', () => {
    const ledger = new Ledger();
    write(ledger, [1]);
    write(ledger, [2], 'unknown');
    write(ledger, [3], 'failed');
    write(ledger, [4]);
    expect(ledger.acknowledgedIds()).toEqual(['row-1', 'row-4']);
  });

  it('charges each loss once', () => {
    const ledger = new Ledger();
    expect(ledger.countNewlyLost(new Set(['a', 'b', 'c']), ['a', 'b', 'c'])).toBe(0);
    expect(ledger.countNewlyLost(new Set(['a', 'x']), ['a', 'b', 'c'])).toBe(2);
    expect(ledger.countNewlyLost(new Set(['a', 'x']), ['a', 'b', 'c', 'x'])).toBe(0);
    expect(ledger.countNewlyLost(new Set(['x']), ['a', 'b', 'c', 'x'])).toBe(1);
  });
});

describe('troubles', () => {
  it('are counted by what was said, the most frequent first', () => {
    const ledger = new Ledger();
    const broken = Object.assign(new Error('terminating connection'), { code: '57P01' });
    const refused = Object.assign(new Error('connect'), { code: 'ECONNREFUSED' });
    now = 150;
    ledger.recordTrouble(refused, 'login');
    for (let count = 0; count < 2; count += 1) ledger.recordTrouble(broken, 'statement');
    ledger.recordTrouble(new Error('Query read timeout'), 'statement');
    now = 200;
    ledger.recordTrouble(broken, 'statement');
    expect(Object.entries(ledger.countTroubles(window))).toEqual([
      ['SQLSTATE 57P01', 2],
      ['login: ECONNREFUSED', 1],
      ['Query read timeout', 1],
    ]);
  });
});

it('counts acknowledged writes in each part of a window', () => {
  const ledger = new Ledger();
  write(ledger, [90, 100, 139, 140, 199, 200]);
  write(ledger, [120], 'failed');
  expect(ledger.countPerBucket(window, 40)).toEqual([2, 1, 1]);
});
