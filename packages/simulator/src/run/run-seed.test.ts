/**
 * A seed is a world: run twice it tells the same story to the letter, which is what makes a failure
 * found by the thousandth seed worth anything.
 */
import { describe, expect, it } from 'vitest';
import { type ProfileName, profiles } from '../faults/profiles.ts';
import { runSeed } from './run-seed.ts';

const tell = (seed: number, profile: ProfileName) => {
  const lines: string[] = [];
  const story = { tell: (line: string) => lines.push(line), tellsAll: true };
  const result = runSeed({ seed, profile: profiles[profile], story });
  return { result, lines };
};

const names = Object.keys(profiles) as ProfileName[];

describe('runSeed', () => {
  it.each(names)(
    'tells the same story twice with profile %s',
    (name) => {
      const first = tell(11, name);
      const second = tell(11, name);
      expect(second.lines).toEqual(first.lines);
      expect(second.result).toEqual(first.result);
    },
    30_000,
  );

  it('comes to the same whether or not anybody listens', () => {
    const { result } = tell(12, 'mixed');
    expect(runSeed({ seed: 12, profile: profiles.mixed })).toEqual(result);
  }, 30_000);

  it('makes another world of another seed', () => {
    const one = runSeed({ seed: 1, profile: profiles.mixed });
    const other = runSeed({ seed: 2, profile: profiles.mixed });
    expect(other.hash).not.toBe(one.hash);
  }, 30_000);

  it('brings every kind of fault of a profile within a few seeds', () => {
    const stories = [1, 2, 3, 4].flatMap((seed) => tell(seed, 'store').lines);
    for (const words of ['refuses every call', 'without an answer', 'is revoked', 'promised'])
      expect(stories.some((line) => line.includes('FAULT') && line.includes(words))).toBe(true);
  }, 30_000);
});
