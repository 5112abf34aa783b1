/**
 * A cluster of several hosts in network namespaces: a primary that is cut off from everybody falls
 * silent by itself while another one takes over, cuts are silent and in one direction, and nothing
 * is left of all of it when its process is killed.
 */
import { existsSync, readFileSync, readdirSync, statfsSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { End, Link } from '../../packages/matriarch/src/drills/drill-cluster.ts';
import type { DrillReport } from '../../packages/matriarch/src/drills/report.ts';
import { findServerAccount } from './harness/account.ts';
import { signal } from './harness/processes.ts';
import { waitUntil } from './harness/wait.ts';
import { PrivateBench, finishDriver, startDriver, usersOf } from './local/private-bench.ts';
import { UpBench } from './local/up-bench.ts';
import { Talker, type TalkerPlace } from './local/talker.ts';

const isRoot = process.geteuid?.() === 0;
const MEMBERS = ['pg1', 'pg2', 'pg3'];
const PG1 = '10.77.0.11';
const PG2 = '10.77.0.12';
const PG3 = '10.77.0.13';
const PORT = 7_000;

const member = (host: string): End => ({ kind: 'member', host });
const store = (host: string): End => ({ kind: 'store', host });

const data = (name: string): string => `/var/lib/matriarch/private/members/${name}/data`;

/** Between a host, its etcd too, and everybody else, in both directions. */
const everyLinkOf = (host: string): readonly Link[] =>
  [member(host), store(host)].flatMap((mine) =>
    MEMBERS.filter((name) => name !== host)
      .flatMap((name): (End | 'clients')[] => [member(name), store(name)])
      .concat('clients')
      .flatMap((theirs): Link[] => [
        [mine, theirs],
        [theirs, mine],
      ]),
  );

it('is refused to whoever is not root, with what is needed', async () => {
  const driver = startDriver({ account: isRoot ? findServerAccount() : undefined });
  expect(await finishDriver(driver)).toEqual({
    status: 3,
    told: 'a private cluster has hosts with addresses of their own, which takes root: use sudo\n',
  });
});

it.runIf(isRoot)('is refused where the kernel does, with its words', async () => {
  const prefix = ['setpriv', '--bounding-set=-sys_admin', '--'];
  const { status, told } = await finishDriver(startDriver({ prefix }));
  expect({ status, told }).toEqual({
    status: 3,
    told: expect.stringMatching(/^a private cluster needs namespaces .*: Operation not permitted;/),
  });
});

it.runIf(isRoot)('is entered for a program, whose status is answered', async () => {
  const driver = startDriver({ args: ['leave'] });
  expect(await finishDriver(driver)).toEqual({ status: 7, told: '' });
});

describe.runIf(isRoot)('a private cluster', () => {
  let bench: PrivateBench;
  const talkers: Talker[] = [];

  beforeAll(async () => {
    bench = new PrivateBench();
    await bench.untilWhole();
  });
  afterEach(() => {
    for (const talker of talkers.splice(0)) talker.close();
  });
  afterAll(async () => bench?.close());

  const talk = (host: string, place: Omit<TalkerPlace, 'pid'>): Talker => {
    const talker = new Talker({ pid: bench.agentOf(host), ...place });
    talkers.push(talker);
    return talker;
  };

  it('cuts one direction alone: packets vanish without a word', async () => {
    const place = { role: 'datagrams', port: PORT } as const;
    const one = talk('pg1', { ...place, host: PG1, peer: PG2 });
    const two = talk('pg2', { ...place, host: PG2, peer: PG1 });
    await Promise.all([one.until('ready'), two.until('ready')]);
    one.say('before');
    await two.until('heard before');

    const link: Link = [member('pg1'), member('pg2')];
    const complaints = bench.complaintsTo('pg1');
    await bench.cut([link]);
    // What is cut already stays so.
    await bench.cut([link]);
    for (let count = 1; count <= 20; count += 1) {
      one.say(`there ${count}`);
      two.say(`back ${count}`);
      await one.until(`heard back ${count}`);
    }
    expect(two.told).toEqual(['ready', 'heard before']);
    expect(one.told.filter((line) => !line.startsWith('heard back'))).toEqual(['ready']);
    expect(bench.complaintsTo('pg1')).toBe(complaints);

    await bench.mend([link]);
    await bench.mend([link]);
    one.say('after');
    await two.until('heard after');
    expect(two.told).toEqual(['ready', 'heard before', 'heard after']);
  });

  it('cuts a connection that is open, and lets it go on', async () => {
    const server = talk('pg2', { role: 'server', host: PG2, port: PORT });
    await server.until('ready');
    const client = talk('pg1', { role: 'client', host: PG2, port: PORT });
    client.say('one');
    await server.until('heard one');

    const link: Link = [member('pg1'), member('pg2')];
    await bench.cut([link]);
    const stranger = talk('pg1', { role: 'client', host: PG2, port: PORT });
    client.say('two');
    server.say('back');
    await client.until('heard back');
    // Long enough for several tries of the kernel; nothing is to be seen but by waiting.
    await bench.moreWrites(100);
    expect(server.told).toEqual(['ready', 'connected', 'heard one']);
    expect(client.told).toEqual(['connected', 'heard back']);
    expect(stranger.told).toEqual([]);

    await bench.mend([link]);
    await server.until('heard two');
    await stranger.until('connected');
  });

  it('has an etcd apart from its member', async () => {
    const links: readonly Link[] = MEMBERS.map((name) => [member('pg1'), store(name)]);
    await bench.cut(links);
    const asked = talk('pg1', { role: 'client', host: '10.77.1.11', port: 2_379 });
    const server = talk('pg3', { role: 'server', host: PG3, port: PORT });
    await server.until('ready');
    await talk('pg1', { role: 'client', host: PG3, port: PORT }).until('connected');
    expect(asked.told).toEqual([]);
    await bench.mend(links);
    await asked.until('connected');
    expect(await bench.ask('whole')).toBe(true);
  });

  it('has another primary when the first one is cut off, which is silent by then', async () => {
    await bench.moreWrites(100);
    const old = await bench.ask<string>('holder');
    const servers = await bench.ask<readonly number[]>('servers', old);
    expect(servers).not.toEqual([]);
    const told = (await bench.ask<string>('journal', old)).length;
    const links = everyLinkOf(old);
    await bench.cut(links);
    await waitUntil('another primary', async () => {
      const holder = await bench.ask<string | null>('holder');
      return holder !== null && holder !== old;
    });
    // Nobody could tell it: its own guard has fenced it, and what runs now is a standby.
    expect((await bench.ask<string>('journal', old)).slice(told)).toContain('server.silent');
    const left = await bench.ask<readonly number[]>('servers', old);
    expect(left.filter((pid) => servers.includes(pid))).toEqual([]);
    await bench.moreWrites(100);
    expect(existsSync(bench.seenOutside(`${data(old)}/standby.signal`))).toBe(true);

    await bench.mend(links);
    expect(await bench.ask('whole')).toBe(true);
    await bench.moreWrites(100);
    expect(await bench.ask('lost')).toBe(0);
  });

  it('fills the disk of one member, and frees it', async () => {
    const primary = await bench.ask<string>('holder');
    const free = (): number => {
      const { bavail, bsize } = statfsSync(bench.seenOutside(data(primary)));
      return bavail * bsize;
    };
    const room = free();
    await bench.ask('fill', primary);
    expect(free()).toBe(0);
    await bench.ask('free', primary);
    expect(free()).toBeGreaterThan(room / 2);
    expect(await bench.ask('whole')).toBe(true);
    await bench.moreWrites(100);
    expect(await bench.ask('lost')).toBe(0);
  });

  it('hears inside what the one outside is signalled', async () => {
    bench.child.kill('SIGHUP');
    expect(await bench.nextAnswer()).toBe('hung up');
  });

  it('leaves nothing when it is killed', async () => {
    const namespaces = bench.namespaces();
    // Clients, hub-side ends excepted: three members, three etcd, and what all have in common.
    expect(namespaces.size).toBe(10);
    const inside = bench.processes().map(({ pid }) => pid);
    const memory = await bench.ask<readonly string[]>('sharedMemory');
    expect(memory.length).toBeGreaterThan(0);
    expect(inside.length).toBeGreaterThan(20);

    // Nobody inside could end anything by itself: the kernel alone does.
    for (const { pid } of bench.processes()) if (pid !== bench.child.pid) signal(pid, 'SIGSTOP');
    try {
      bench.child.kill('SIGKILL');
      await waitUntil('its processes to be gone', () => usersOf(namespaces).length === 0);
    } finally {
      for (const { pid } of usersOf(namespaces)) signal(pid, 'SIGKILL');
    }
    expect(existsSync('/var/lib/matriarch/private')).toBe(false);
    expect(existsSync('/run/matriarch/net')).toBe(false);
    expect(existsSync('/run/matriarch/proxy-private')).toBe(false);
    const left = readdirSync('/dev/shm');
    expect(memory.filter((name) => left.includes(name))).toEqual([]);
    expect(readFileSync('/proc/self/mountinfo', 'utf8')).not.toContain('/run/matriarch');
  });
});

describe.runIf(isRoot)('matriarch drill --private', () => {
  let bench: UpBench;

  beforeAll(() => {
    bench = new UpBench({ name: 'private' });
  });
  afterAll(async () => bench?.close());

  it('writes no report where it would be gone', async () => {
    const report = '/dev/shm/report.json';
    const ended = await bench.run('drill', 'partition', '--private', '--report', report);
    expect(ended).toEqual({
      status: 2,
      out: '',
      err: `${report}: is in memory where drills are played, and would be gone: name another directory\n`,
    });
    expect(existsSync(report)).toBe(false);
  });

  it('cuts a primary off from the store, and accounts for every write', async () => {
    const drill = ['drill', 'partition-from-store', '--private', '--report', 'report.json'];
    const { status, out, err } = await bench.run(...drill);
    expect({ status, err }, out).toEqual({ status: 0, err: '' });
    const text = readFileSync(join(bench.directory, 'report.json'), 'utf8');
    const [result] = (JSON.parse(text) as DrillReport).drills;
    expect(result).toMatchObject({ scenario: 'partition-from-store', mode: 'quorum' });
    const [run] = result?.runs ?? [];
    expect(run).toMatchObject({ lost: 0 });
    expect(run?.newPrimary).not.toBe(run?.oldPrimary);
  });

  it('ends when it is interrupted, while the cluster starts', async () => {
    const drill = bench.start('drill', '--all', '--private');
    await drill.until('a cluster of 3 hosts');
    const { status, out, err } = await drill.stop('SIGINT');
    expect({ status, err }, out).toEqual({ status: 1, err: '' });
    expect(out).toContain('stopping after this run');
  });
});
