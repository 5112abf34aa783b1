/*
 * Shows how histories are read, put together and compared: `.history` files, the store's promotions,
 * and where a position lies as another server's history sees it. A byte decides.
 */
import { describe, expect, it } from 'vitest';
import { type Lsn, lsn, parseLsn } from './lsn.ts';
import type { MemberName } from './member.ts';
import { type LeaseTerm, type Promotion, lineageOf } from './store.ts';
import { type Lineage, firstLineage, historyFileName, parseHistory, timeline } from './timeline.ts';
import { comparePositions, formatPosition, placeOnLineage } from './wal-position.ts';

const at = (number: number, bytes: number) => ({ timeline: timeline(number), lsn: lsn(bytes) });

const left = (number: number, bytes: number) => ({
  timeline: timeline(number),
  switchLsn: lsn(bytes),
});

const promotion = (to: number, from: number, bytes: number): Promotion => ({
  timeline: timeline(to),
  parent: timeline(from),
  switchLsn: lsn(bytes),
  member: 'bravo' as MemberName,
  term: 1 as LeaseTerm,
});

describe('parseHistory', () => {
  const read = (text: string): Lineage => parseHistory(timeline(3), text, parseLsn);

  it('reads ancestors in their order', () => {
    const text = '1\t0/3000000\tno recovery target specified\n2\t0/40000A0\tbefore 2000-01-01\n';
    expect(read(text)).toEqual({
      timeline: 3,
      ancestors: [left(1, 0x3000000), left(2, 0x40000a0)],
    });
  });

  it('skips comments, empty lines and what cannot be read', () => {
    const text = '# made by hand\n\n  1 0/3000000 spaces do as well\n2\tnowhere\tlost\nx\t0/1\n';
    expect(read(text).ancestors).toEqual([left(1, 0x3000000)]);
  });

  it('reads the empty file that is placed for a number that was not used', () => {
    expect(read('')).toEqual({ timeline: 3, ancestors: [] });
  });
});

describe('historyFileName', () => {
  it('is eight hexadecimal digits in upper case', () => {
    expect(historyFileName(timeline(3))).toBe('00000003.history');
    expect(historyFileName(timeline(0xabc))).toBe('00000ABC.history');
  });
});

describe('lineageOf', () => {
  it('follows the parents back to timeline 1, whatever numbers were left out', () => {
    const promotions = [promotion(2, 1, 10), promotion(5, 2, 20), promotion(7, 2, 30)];
    expect(lineageOf(timeline(7), promotions)).toEqual({
      timeline: 7,
      ancestors: [left(1, 10), left(2, 30)],
    });
    expect(lineageOf(timeline(1), promotions)).toEqual(firstLineage);
  });

  it('is not known when a step is missing', () => {
    expect(lineageOf(timeline(3), [promotion(3, 2, 20)])).toBeUndefined();
    expect(lineageOf(timeline(4), [])).toBeUndefined();
  });

  it('ends on a store that contradicts itself', () => {
    expect(lineageOf(timeline(2), [promotion(2, 2, 10)])).toBeUndefined();
    expect(lineageOf(timeline(2), [promotion(2, 3, 10), promotion(3, 2, 10)])).toBeUndefined();
  });
});

describe('placeOnLineage', () => {
  const lineage: Lineage = { timeline: timeline(4), ancestors: [left(1, 100), left(3, 200)] };

  it.each([
    ['on the timeline itself, wherever', at(4, 999), { kind: 'on-lineage' }],
    ['on an ancestor, before it was left', at(3, 199), { kind: 'on-lineage' }],
    ['on an ancestor, where it was left', at(3, 200), { kind: 'on-lineage' }],
    ['a byte beyond', at(3, 201), { kind: 'forked', forkLsn: 200n, timeline: 3 }],
    ['beyond an earlier one', at(1, 101), { kind: 'forked', forkLsn: 100n, timeline: 1 }],
    ['on a number that is in no ancestor', at(2, 1), { kind: 'foreign' }],
    ['on a later number', at(5, 1), { kind: 'foreign' }],
  ])('%s', (_name, position, placement) => {
    expect(placeOnLineage(position, lineage)).toEqual(placement);
  });
});

describe('comparePositions', () => {
  it('orders by the LSN, then by the timeline', () => {
    const sorted = [at(1, 10), at(2, 10), at(1, 11)];
    expect(sorted.toReversed().toSorted(comparePositions)).toEqual(sorted);
    expect(comparePositions(at(2, 10), at(2, 10))).toBe(0);
  });

  it('compares LSNs that no number can hold', () => {
    const big = (2n ** 63n) as Lsn;
    const next = (2n ** 63n + 1n) as Lsn;
    expect(
      comparePositions({ timeline: timeline(1), lsn: big }, { timeline: timeline(1), lsn: next }),
    ).toBe(-1);
  });
});

describe('formatPosition', () => {
  it('says both parts', () => {
    expect(formatPosition(at(3, 0x5000000))).toBe('0/5000000 on timeline 3');
  });
});
