/**
 * The figure that failsafe mode is there for: the store is gone for a minute, three ttls and more,
 * and nobody who writes notices. And what it must not do: go on where somebody could be elected.
 */
import { describe, expect, it } from 'vitest';
import { drawOptions, profiles } from '../faults/profiles.ts';
import { Random } from '../random.ts';
import { Simulation } from '../world/simulation.ts';

const FIRST_MS = 40_000;
const OUTAGE_MS = 60_000;
const SETTLES_MS = 40_000;

type Mode = 'off' | 'on' | 'quorum';

interface Case {
  readonly seed: number;
  readonly mode: Mode;
  readonly failsafe: boolean;
  /** How many standbys a commit waits for. */
  readonly count?: number;
}

const NAMES = ['anna', 'bert', 'cora'];

const build = ({ seed, mode, failsafe, count = 1 }: Case): Simulation => {
  const options = drawOptions(seed, profiles.failsafe, new Random(seed, 'scenario'));
  const synchronous = { mode, strict: false, count, lagBytesMax: undefined };
  const timing = { ttlMs: 8_000, fastLease: true, retryTimeoutMs: 3_000 };
  return new Simulation({
    ...options,
    members: NAMES.map((name) => ({ name })),
    policy: { ...options.policy, ...timing, failsafe, synchronous },
    writes: { gapMs: 200, largeRate: 0 },
  });
};

const primaryOf = (simulation: Simulation): string | undefined =>
  [...simulation.hosts.values()].find(({ postgres }) => postgres.acceptsWrites)?.name;

const longestGapMs = (simulation: Simulation, from: number, to: number): number => {
  const times = simulation.ledger.acknowledged.map(({ at }) => at).filter((at) => at > from);
  const within = [from, ...times.filter((at) => at < to), to];
  return Math.max(...within.slice(1).map((at, index) => at - (within[index] ?? from)));
};

/** Lets the store go away for a minute and come back; `meanwhile` happens when it has gone. */
const play = (simulation: Simulation, meanwhile: () => void = () => undefined) => {
  simulation.kernel.runUntil(FIRST_MS);
  const before = primaryOf(simulation);
  simulation.store.faults.outage = 'silent';
  meanwhile();
  simulation.kernel.runUntil(FIRST_MS + OUTAGE_MS);
  const promotions = simulation.promotions;
  simulation.store.faults.outage = 'none';
  simulation.kernel.runUntil(FIRST_MS + OUTAGE_MS + SETTLES_MS);
  return { before, after: primaryOf(simulation), promotions };
};

const MODES: readonly Mode[] = ['off', 'on', 'quorum'];

describe.each(MODES)('a minute without the store, synchronous mode %s', (mode) => {
  it.each([1, 2, 3])('is no outage with failsafe on (seed %i)', (seed) => {
    const simulation = build({ seed, mode, failsafe: true });
    const { before, after } = play(simulation);
    expect(simulation.violation).toBeUndefined();
    expect(before).toBeDefined();
    expect(after).toBe(before);
    expect(simulation.promotions).toBe(0);
    expect(longestGapMs(simulation, FIRST_MS, FIRST_MS + OUTAGE_MS + SETTLES_MS)).toBeLessThan(
      2_000,
    );
  });

  it('ends the writes with failsafe off', () => {
    const simulation = build({ seed: 1, mode, failsafe: false });
    play(simulation);
    expect(simulation.violation).toBeUndefined();
    expect(longestGapMs(simulation, FIRST_MS, FIRST_MS + OUTAGE_MS)).toBeGreaterThan(OUTAGE_MS / 2);
  });
});

describe('a minute without the store and without a standby’s agent', () => {
  const withoutOne = (options: Case) => {
    const simulation = build(options);
    play(simulation, () => {
      const standby = [...simulation.hosts.values()].find(
        ({ postgres }) => !postgres.acceptsWrites,
      );
      standby?.guard?.loop?.process.stop();
      standby?.guard?.process.stop();
    });
    expect(simulation.violation).toBeUndefined();
    return longestGapMs(simulation, FIRST_MS, FIRST_MS + OUTAGE_MS);
  };

  it('ends the writes with asynchronous replication: that one could be elected', () => {
    expect(withoutOne({ seed: 4, mode: 'off', failsafe: true })).toBeGreaterThan(OUTAGE_MS / 2);
  });

  it('goes on in quorum mode: that one alone cannot elect', () => {
    expect(withoutOne({ seed: 4, mode: 'quorum', failsafe: true })).toBeLessThan(2_000);
  });

  it('ends the writes in quorum mode where any one of them can', () => {
    const gapMs = withoutOne({ seed: 4, mode: 'quorum', failsafe: true, count: 2 });
    expect(gapMs).toBeGreaterThan(OUTAGE_MS / 2);
  });

  it('ends the writes where that one is the only one that commits wait for', () => {
    const gapMs = withoutOne({ seed: 4, mode: 'on', failsafe: true, count: 2 });
    expect(gapMs).toBeGreaterThan(OUTAGE_MS / 2);
  });
});

describe('a primary that does not reach the store, and members that do', () => {
  const FAR_MS = 30_000;

  /** Cora comes back only after the primary has lost the store, or was there all the time. */
  const cutOff = (mode: Mode, isLate: boolean) => {
    const simulation = build({ seed: 5, mode, failsafe: true });
    const { kernel, network, hosts, store } = simulation;
    kernel.runUntil(FIRST_MS);
    const primary = primaryOf(simulation) ?? '';
    const late = [...hosts.values()].find(({ name }) => name !== primary);
    if (isLate) late?.crash();
    kernel.runUntil(FIRST_MS + FAR_MS);
    for (const [from, to] of [
      [primary, 'store'],
      ['store', primary],
    ] as const)
      network.cut(from, to);
    if (isLate) late?.boot();
    kernel.runUntil(FIRST_MS + 2 * FAR_MS);
    const holder = store.documents.get('leader')?.value;
    const gapMs = longestGapMs(simulation, FIRST_MS + FAR_MS, FIRST_MS + 2 * FAR_MS);
    expect(simulation.violation).toBeUndefined();
    return { holder, gapMs, promotions: simulation.promotions };
  };

  it.each(MODES)('goes on: nobody takes the free lease (synchronous mode %s)', (mode) => {
    const { holder, gapMs, promotions } = cutOff(mode, false);
    expect(holder).toBeUndefined();
    expect(gapMs).toBeLessThan(2_000);
    expect(promotions).toBe(0);
  });

  it('goes on beside a member that was not named, and asked nobody', () => {
    const { holder, gapMs, promotions } = cutOff('off', true);
    expect(holder).toBeUndefined();
    expect(gapMs).toBeLessThan(2_000);
    expect(promotions).toBe(0);
  });
});
