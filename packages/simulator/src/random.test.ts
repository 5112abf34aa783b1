/**
 * The seeded generator: the same seed and stream give the same numbers for ever, other streams give
 * others, and every drawing function stays within its bounds.
 */
import { describe, expect, it } from 'vitest';
import { Random } from './random.ts';

const draw = (seed: number, stream: string): number[] => {
  const random = new Random(seed, stream);
  return Array.from({ length: 20 }, () => random.next());
};

describe('Random', () => {
  it('gives the same numbers for the same seed and stream, and others otherwise', () => {
    expect(draw(7, 'network')).toEqual(draw(7, 'network'));
    expect(draw(7, 'network')).not.toEqual(draw(7, 'faults'));
    expect(draw(7, 'network')).not.toEqual(draw(8, 'network'));
    expect(draw(7, 'network')).not.toEqual(draw(7 + 2 ** 40, 'network'));
  });

  it('stays within bounds and reaches both ends of a whole-number range', () => {
    const random = new Random(1, 'bounds');
    const seen = new Set<number>();
    for (let count = 0; count < 500; count += 1) {
      seen.add(random.integer(3, 6));
      expect(random.between(2, 4)).toBeGreaterThanOrEqual(2);
      expect(random.between(2, 4)).toBeLessThan(4);
      expect(random.tail(10, 50)).toBeLessThanOrEqual(50);
    }
    expect([...seen].sort((a, b) => a - b)).toEqual([3, 4, 5, 6]);
  });

  it('draws by weight, and never what weighs nothing', () => {
    const random = new Random(1, 'weights');
    const counts = { often: 0, seldom: 0, never: 0 };
    for (let count = 0; count < 1_000; count += 1)
      counts[random.weighted({ often: 9, seldom: 1, never: 0 })] += 1;
    expect(counts.never).toBe(0);
    expect(counts.often).toBeGreaterThan(5 * counts.seldom);
    expect(counts.seldom).toBeGreaterThan(0);
  });

  it('shuffles without losing anything', () => {
    const values = [1, 2, 3, 4, 5, 6, 7, 8];
    const shuffled = new Random(3, 'shuffle').shuffle(values);
    expect(shuffled).not.toEqual(values);
    expect(shuffled.toSorted((a, b) => a - b)).toEqual(values);
  });

  it('says what is wrong when there is nothing to choose from', () => {
    const random = new Random(1, 'nothing');
    expect(() => random.pick([])).toThrow('empty');
    expect(() => random.weighted({ a: 0 })).toThrow('weights are zero');
  });
});
