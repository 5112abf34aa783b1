/** The heap against a sorted list: by time, and within one instant in the order of insertion. */
import { describe, expect, it } from 'vitest';
import { Random } from '../random.ts';
import { EventQueue } from './event-queue.ts';

describe('EventQueue', () => {
  it('gives events by time, and those of one instant in the order they were added', () => {
    const random = new Random(5, 'queue');
    const queue = new EventQueue();
    const expected: { at: number; name: number }[] = [];
    const got: number[] = [];
    for (let name = 0; name < 2_000; name += 1) {
      const at = random.integer(0, 50);
      expected.push({ at, name });
      queue.push(at, () => got.push(name));
    }
    for (let entry = queue.pop(); entry !== undefined; entry = queue.pop()) entry.run();
    const sorted = expected.sort((a, b) => a.at - b.at || a.name - b.name);
    expect(got).toEqual(sorted.map(({ name }) => name));
    expect(queue.size).toBe(0);
    expect(queue.nextAt).toBeUndefined();
  });
});
