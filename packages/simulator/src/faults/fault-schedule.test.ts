/** What a seed has brought is a script: played again it makes the very same world. */
import { describe, expect, it } from 'vitest';
import { runSeed } from '../run/run-seed.ts';
import { Random, RecordedRandom, ReplayedRandom } from '../random.ts';
import { profiles } from './profiles.ts';

const LIMIT_MS = 30_000;

describe('a script of faults', () => {
  it(
    'makes the world it was taken from',
    () => {
      const asked = { seed: 7, profile: profiles.mixed };
      const played = runSeed(asked);
      expect(played.script.length).toBeGreaterThan(3);
      const again = runSeed({ ...asked, script: played.script });
      // Those that could not be brought when they were drawn are no events any more.
      expect({ ...again, events: played.events }).toEqual(played);
    },
    LIMIT_MS,
  );

  it(
    'makes another one with a fault less, or with a client less',
    () => {
      const asked = { seed: 7, profile: profiles.mixed };
      const { script, hash } = runSeed(asked);
      const shorter = runSeed({ ...asked, script: script.slice(1) });
      expect(shorter.faults).toBeLessThan(script.length);
      expect(shorter.hash).not.toBe(hash);
      // Without faults, which make more of a difference than one client does.
      const calm = { seed: 7, profile: profiles.quiet };
      const quieter = runSeed({ ...calm, silent: ['clients'] });
      expect(quieter.acknowledged).toBeLessThan(runSeed(calm).acknowledged);
    },
    LIMIT_MS,
  );
});

describe('recorded chance', () => {
  it('comes again, and after its end from a seed', () => {
    const recorded = new RecordedRandom(new Random(1, 'faults'));
    const first = [recorded.between(0, 9), recorded.integer(1, 6), recorded.chance(0.5)];
    const source = new Random(1, 'faults');
    expect(first).toEqual([source.between(0, 9), source.integer(1, 6), source.chance(0.5)]);
    const replayed = new ReplayedRandom(recorded.draws, 'again');
    expect([replayed.between(0, 9), replayed.integer(1, 6), replayed.chance(0.5)]).toEqual(first);
    expect(replayed.next()).toBe(new ReplayedRandom([], 'again').next());
  });
});
