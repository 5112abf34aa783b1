/**
 * The make-believe PostgreSQL on two hosts: what makes failover hard must be there. Backends that
 * outlive their postmaster, positions not known after a start, timeline numbers taken from files,
 * stops that wait for a standby.
 */
import { memberName } from '@matriarch/core';
import { describe, expect, it } from 'vitest';
import type { Sighting } from '../checkers/sighting.ts';
import { Kernel } from '../kernel/kernel.ts';
import { Machine } from '../kernel/machine.ts';
import { SimNetwork } from '../network/sim-network.ts';
import { Random } from '../random.ts';
import { DataDirectory } from './data-directory.ts';
import type { PostgresWorld } from './postgres-world.ts';
import { type Exit, SimPostgres } from './sim-postgres.ts';

/** A client commits here, and is told so at once. */
const accepts = (server: SimPostgres): boolean => {
  let told = false;
  server.commit(1, 100, () => {
    told = true;
  });
  return told;
};

const makeWorld = (orphansMs = 5_000) => {
  const kernel = new Kernel();
  const network = new SimNetwork(kernel, new Random(1, 'network'), { latencyMs: 1, jitterMs: 0.1 });
  const sightings: Sighting[] = [];
  const servers = new Map<string, SimPostgres>();
  let records = 0;
  const world: PostgresWorld = {
    kernel,
    network,
    random: new Random(1, 'postgres'),
    pace: {
      retention: { keepBytes: 1_000_000, slotKeepBytes: 1_000_000 },
      recoveryMs: 500,
      slowPromotionRate: 0,
      orphansMs,
      useSlots: false,
    },
    see: (sighting) => sightings.push(sighting),
    serverAt: (address) => servers.get(address),
    nextRecordId: () => {
      records += 1;
      return records;
    },
  };
  const addServer = (name: string): SimPostgres => {
    const server = new SimPostgres(new Machine(name, kernel, new Random(1, name)), world);
    servers.set(name, server);
    return server;
  };
  return { kernel, network, sightings, addServer };
};

type Setup = ReturnType<typeof makeWorld>;

const startPrimary = ({ kernel }: Setup, server: SimPostgres): void => {
  server.disk.occupant = { kind: 'data', data: new DataDirectory('1') };
  server.spawn('primary');
  kernel.runUntil(kernel.now + 1_000);
};

const startStandby = ({ kernel }: Setup, server: SimPostgres, upstream: SimPostgres): void => {
  const data = upstream.disk.data?.copy(kernel.now) ?? new DataDirectory('1');
  data.standbySignal = true;
  data.upstream = { member: memberName(upstream.host), address: upstream.host };
  server.disk.occupant = { kind: 'data', data };
  server.spawn('standby');
  kernel.runUntil(kernel.now + 3_000);
};

const makePair = (orphansMs?: number) => {
  const setup = makeWorld(orphansMs);
  const anna = setup.addServer('anna');
  const bert = setup.addServer('bert');
  startPrimary(setup, anna);
  startStandby(setup, bert, anna);
  return { ...setup, anna, bert };
};

describe('a primary', () => {
  it('acknowledges writes, and a standby soon holds them', () => {
    const { kernel, anna, bert } = makePair();
    expect(accepts(anna)).toBe(true);
    expect(bert.disk.data?.wal.records.at(-1)?.write).toBeUndefined();
    kernel.runUntil(kernel.now + 50);
    expect(bert.disk.data?.wal.records.at(-1)?.write).toBe(1);
    expect(accepts(bert)).toBe(false);
  });

  it('goes on committing for a while when only its postmaster is killed', () => {
    const { kernel, anna } = makePair();
    const exits: Exit[] = [];
    anna.onExit = (exit) => exits.push(exit);
    anna.killPostmaster();
    kernel.runUntil(kernel.now + 10);
    expect(exits).toMatchObject([{ code: null, signal: 'SIGKILL' }]);
    expect(anna.running?.acceptsConnections).toBe(false);
    expect(accepts(anna)).toBe(true);
    kernel.runUntil(kernel.now + 6_000);
    expect(anna.isSilent).toBe(true);
  });

  it('does not start over what is left of itself', () => {
    const { kernel, anna } = makePair();
    anna.killPostmaster();
    const exits: Exit[] = [];
    anna.onExit = (exit) => exits.push(exit);
    const pid = anna.spawn('primary');
    kernel.runUntil(kernel.now + 100);
    expect(exits.at(-1)).toEqual({ pid, code: 1, signal: null });
  });

  it('is silent after a fence, unless a process hangs', () => {
    const { kernel, anna } = makePair();
    const guard = anna.machine.spawn('guard');
    const answers: boolean[] = [];
    anna.stuckUntil = kernel.now + 2_000;
    anna.fence(guard, (silent) => answers.push(silent));
    kernel.runUntil(kernel.now + 500);
    expect(anna.isSilent).toBe(false);
    expect(accepts(anna)).toBe(false);
    kernel.runUntil(kernel.now + 2_000);
    anna.fence(guard, (silent) => answers.push(silent));
    kernel.runUntil(kernel.now + 500);
    expect(answers).toEqual([false, true]);
  });

  it('keeps its sessions and takes no signal while its postmaster is stopped', () => {
    const { kernel, anna } = makePair();
    const pid = anna.running?.pid ?? 0;
    anna.running?.freezePostmaster();
    anna.signal(pid, 'SIGQUIT');
    kernel.runUntil(kernel.now + 1_000);
    expect(anna.running?.acceptsConnections).toBe(false);
    expect(accepts(anna)).toBe(true);
    anna.running?.thawPostmaster();
    kernel.runUntil(kernel.now + 1_000);
    expect(anna.isSilent).toBe(true);
  });
});

describe('a fast stop', () => {
  it('ends when every standby has the last record', () => {
    const { kernel, anna, bert } = makePair();
    anna.signal(anna.running?.pid ?? 0, 'SIGINT');
    kernel.runUntil(kernel.now + 1_000);
    expect(anna.isSilent).toBe(true);
    expect(anna.disk.data?.control).toBe('shut-down');
    expect(bert.disk.data?.wal.end).toBe(anna.disk.data?.wal.end);
  });

  it('waits for a frozen standby until that is given up', () => {
    const { kernel, anna, bert } = makePair();
    bert.machine.freeze();
    anna.signal(anna.running?.pid ?? 0, 'SIGINT');
    kernel.runUntil(kernel.now + 3_000);
    expect(anna.isSilent).toBe(false);
    kernel.runUntil(kernel.now + 15_000);
    expect(anna.isSilent).toBe(true);
  });
});

describe('a standby', () => {
  it('does not know its position until it has read its own WAL', () => {
    const { kernel, anna, bert } = makePair();
    bert.panic('panic');
    anna.commit(1, 100);
    bert.spawn('standby');
    const readyAt = kernel.now + 2_000;
    while (bert.running?.phase === 'starting' && kernel.now < readyAt)
      kernel.runUntil(kernel.now + 1);
    expect(bert.running?.phase).toBe('up');
    expect(bert.running?.consumed).toBe(false);
    kernel.runUntil(kernel.now + 2_000);
    expect(bert.running?.consumed).toBe(true);
    expect(bert.disk.data?.wal.end).toBe(anna.disk.data?.wal.end);
  });

  it('takes the next number without a history file when it is promoted', () => {
    const { kernel, bert, sightings } = makePair();
    bert.disk.data?.emptyHistory.add(2);
    bert.promote(bert.running?.pid ?? 0);
    kernel.runUntil(kernel.now + 1_000);
    expect(bert.disk.data?.lineage.timeline).toBe(3);
    expect(bert.acceptsWrites).toBe(true);
    expect(sightings).toContainEqual(
      expect.objectContaining({ kind: 'promoted', host: 'bert', timeline: 3, parent: 1 }),
    );
  });

  it('cannot follow a primary that left their history before its own end', () => {
    const setup = makePair();
    const { kernel, anna, bert } = setup;
    setup.network.cut('anna', 'bert');
    anna.commit(1, 100);
    bert.promote(bert.running?.pid ?? 0);
    kernel.runUntil(kernel.now + 1_000);
    setup.network.mend('anna', 'bert');
    anna.panic('panic');
    const data = anna.disk.data;
    if (data === undefined) throw new Error('anna has lost her data');
    data.standbySignal = true;
    data.upstream = { member: memberName('bert'), address: 'bert' };
    anna.spawn('standby');
    kernel.runUntil(kernel.now + 3_000);
    expect(anna.running?.receiver?.isStreaming).toBe(false);
    expect(anna.running?.receiver?.refusal).toContain('forked off');
  });
});
