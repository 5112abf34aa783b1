/**
 * Shows what holds of a member over time: hours of small mishaps in a make-believe world in which
 * calls are slow, fail, or have their effect unheard. After each turn the rules of a single step are
 * held, and what the member believes is compared with what is true. When the mishaps end, all is well
 * again within two minutes.
 */
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { anyWeather } from './testing/world/weather.ts';
import { World } from './testing/world/world.ts';

const RUNS = 100;
const HEALING_MS = 120_000;
/** Minutes of make-believe time a run, on a machine that may have other things to do. */
const TIME_LIMIT_MS = 120_000;

describe('a member in a make-believe world', { timeout: TIME_LIMIT_MS }, () => {
  it('breaks no rule, and accepts no write without the lease', () => {
    fc.assert(
      fc.property(anyWeather, (weather) => {
        const world = new World(weather);
        world.run(world.lastMishapAt + 20_000);
        expect(world.breaches).toEqual([]);
      }),
      { numRuns: RUNS },
    );
  });

  it('is a primary, or streams from one, when the mishaps have ended', () => {
    fc.assert(
      fc.property(anyWeather, (weather) => {
        const world = new World(weather);
        world.run(world.lastMishapAt);
        world.heal();
        world.run(world.now + HEALING_MS);
        expect(world.breaches).toEqual([]);
        const { state } = world.member;
        const isPrimary = world.isOurs && world.host.acceptsWrites;
        const what = JSON.stringify({
          leader: world.leader,
          process: state.process,
          rules: world.member.rules,
        });
        expect(world.hasEnded || isPrimary || state.streaming, what).toBe(true);
      }),
      { numRuns: RUNS },
    );
  });
});
