/** What enough standbys hold, from what is known of each. */
import { describe, expect, it } from 'vitest';
import { lsn } from '../model/lsn.ts';
import type { MemberName } from '../model/member.ts';
import { timeline } from '../model/timeline.ts';
import type { SyncNames } from './sync-names.ts';
import { furtherOf, heldByEnough } from './unpromised.ts';

const names = (count: number, ...members: readonly string[]): SyncNames => ({
  method: 'any',
  count,
  names: members as readonly MemberName[],
});

const at = (name: string, position: number) => ({ name, lsn: lsn(position) });

describe('what enough standbys hold', () => {
  it('is as much as the last of those that are needed', () => {
    const holdings = [at('bravo', 10), at('charlie', 30), at('delta', 20)];
    const ofThree = (count: number) =>
      heldByEnough(names(count, 'bravo', 'charlie', 'delta'), holdings);
    expect([ofThree(1), ofThree(2), ofThree(3)]).toEqual([30n, 20n, 10n]);
  });

  it('is not known from too few, nor from others', () => {
    expect(heldByEnough(names(2, 'bravo', 'charlie'), [at('bravo', 10)])).toBeUndefined();
    expect(heldByEnough(names(1, 'bravo'), [at('delta', 10)])).toBeUndefined();
  });

  it('is nothing where nobody is needed', () => {
    expect(heldByEnough(names(0, 'bravo'), [at('bravo', 10)])).toBeUndefined();
  });

  it('counts a standby once, by the connection that has more, whatever the case of its name', () => {
    const twice = [at('Bravo', 10), at('bravo', 20)];
    expect(heldByEnough(names(1, 'bravo'), twice)).toBe(20n);
    expect(heldByEnough(names(2, 'bravo', 'charlie'), twice)).toBeUndefined();
  });
});

describe('the further one of two positions', () => {
  const position = (number: number, place: number) => ({
    timeline: timeline(number),
    lsn: lsn(place),
  });

  it('is the higher one of one timeline, and the later word of two', () => {
    expect(furtherOf(position(1, 10), position(1, 20))).toEqual(position(1, 20));
    expect(furtherOf(position(1, 20), position(1, 10))).toEqual(position(1, 20));
    expect(furtherOf(position(1, 20), position(2, 10))).toEqual(position(2, 10));
  });

  it('is the one that is known', () => {
    expect(furtherOf(undefined, position(1, 10))).toEqual(position(1, 10));
    expect(furtherOf(position(1, 10), undefined)).toEqual(position(1, 10));
  });
});
