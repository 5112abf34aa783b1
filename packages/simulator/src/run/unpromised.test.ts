/**
 * What a primary says of commits that nobody can promise is what there is of them: waits that clients
 * have cancelled, and, once it was started again in place, commits that no standby has.
 */
import { describe, expect, it } from 'vitest';
import { drawOptions, profiles } from '../faults/profiles.ts';
import type { SimHost } from '../host/sim-host.ts';
import { Random } from '../random.ts';
import { Simulation } from '../world/simulation.ts';

const FIRST_MS = 40_000;
const ALONE_MS = 15_000;
const RESTART_MS = 20_000;
const NAMES = ['anna', 'bert', 'cora'];

const build = (seed: number, mode: 'off' | 'quorum'): Simulation => {
  const options = drawOptions(seed, profiles.quiet, new Random(seed, 'scenario'));
  const synchronous = { mode, strict: true, count: 1, lagBytesMax: undefined };
  return new Simulation({
    ...options,
    members: NAMES.map((name) => ({ name })),
    policy: { ...options.policy, synchronous, primaryStartTimeoutMs: 300_000 },
    writes: { gapMs: 200, largeRate: 0 },
  });
};

const primaryOf = ({ hosts }: Simulation): SimHost => {
  const primary = [...hosts.values()].find(({ postgres }) => postgres.acceptsWrites);
  if (primary === undefined) throw new Error('there is no primary');
  return primary;
};

const knownTo = ({ guard }: SimHost) => {
  const known = guard?.loop?.state.unpromised;
  if (known === undefined) throw new Error('there is no loop');
  return known;
};

type Mishap = (simulation: Simulation, primary: SimHost) => void;

const serverCrashes: Mishap = (_simulation, primary) => primary.postgres.killPostmaster();

/** Longer than any lease lasts. */
const OUTAGE_MS = 60_000;

const powerIsCut: Mishap = ({ hosts, kernel }) => {
  for (const host of hosts.values()) host.crash();
  kernel.runUntil(kernel.now + OUTAGE_MS);
  for (const host of hosts.values()) host.boot();
};

/** Nothing gets from the primary to its standbys until that has happened, and it is back. */
const play = (seed: number, mode: 'off' | 'quorum', happens = serverCrashes) => {
  const simulation = build(seed, mode);
  const { kernel, network, hosts } = simulation;
  kernel.runUntil(FIRST_MS);
  const primary = primaryOf(simulation);
  const others = [...hosts.values()].filter((host) => host !== primary);
  const links = others.flatMap(({ name }) => [
    [primary.name, name] as const,
    [name, primary.name] as const,
  ]);
  for (const [from, to] of links) network.cut(from, to);
  kernel.runUntil(FIRST_MS + ALONE_MS);
  const held = Math.max(...others.map(({ postgres }) => postgres.disk.data?.wal.end ?? 0));
  happens(simulation, primary);
  const startedAt = kernel.now;
  if (happens === powerIsCut) for (const [from, to] of links) network.mend(from, to);
  kernel.runUntil(startedAt + RESTART_MS);
  if (happens !== powerIsCut) for (const [from, to] of links) network.mend(from, to);
  kernel.runUntil(startedAt + 4 * RESTART_MS);
  expect(simulation.violation).toBeUndefined();
  expect(primaryOf(simulation)).toBe(primary);
  const wal = primary.postgres.disk.data?.wal;
  const alone = wal?.records.filter(
    ({ end, write }, index) =>
      write !== undefined && end > held && (wal.arrivedAt[index] ?? 0) < startedAt,
  );
  const { promotions } = simulation;
  const { log } = primary.postgres;
  return { known: knownTo(primary), alone: alone?.length ?? 0, log, promotions };
};

describe.each([1, 2, 3])('a primary without its standbys (seed %i)', (seed) => {
  it('counts waits that were cancelled, and commits that its restart has made visible', () => {
    const { known, alone, log } = play(seed, 'quorum');
    expect(log.cancelledWaits).toBeGreaterThan(3);
    expect(known.cancelled).toBe(log.cancelledWaits);
    expect(alone).toBeGreaterThan(50);
    // What was on its way when the links were cut has arrived, and nobody has heard of that.
    expect(known.exposed - alone).toBeGreaterThanOrEqual(0);
    expect(known.exposed - alone).toBeLessThan(5);
    expect(known.uncounted).toBeUndefined();
  });

  it('counts them as well when all hosts went down, and it was elected again', () => {
    const { known, alone, promotions } = play(seed, 'quorum', powerIsCut);
    expect(promotions).toBe(1);
    expect(alone).toBeGreaterThan(50);
    expect(known.exposed - alone).toBeGreaterThanOrEqual(0);
    expect(known.exposed - alone).toBeLessThan(5);
  });

  it('counts nothing with asynchronous replication, which promises nothing', () => {
    const { known, alone } = play(seed, 'off');
    expect(alone).toBeGreaterThan(50);
    expect([known.cancelled, known.exposed, known.uncounted]).toEqual([0, 0, undefined]);
  });

  it('counts nothing when it is restarted in good order: its standbys have all of it', () => {
    const simulation = build(seed, 'quorum');
    const { kernel } = simulation;
    kernel.runUntil(FIRST_MS);
    const primary = primaryOf(simulation);
    const { pid } = primary.postgres.running ?? {};
    const request = { kind: 'restart', id: '1', limitMs: undefined } as const;
    primary.guard?.loop?.take({ kind: 'request', request });
    kernel.runUntil(FIRST_MS + RESTART_MS);
    expect(primary.postgres.running?.pid).not.toBe(pid);
    expect(knownTo(primary)).toMatchObject({ exposed: 0, uncounted: undefined, ranges: [] });
  });
});
