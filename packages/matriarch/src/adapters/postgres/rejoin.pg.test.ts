/**
 * Shows how a member comes back: by a clone, put in place of what it had; or by keeping the fork of
 * its WAL and rewinding; and that a failure before anything was changed changes nothing. With real
 * servers that are killed, promoted, forked, and that ask for passwords.
 */
import { type DiskFacts, formatLsn, lsn, parseLsn } from '@matriarch/core';
import { mkdir, readdir, readFile, rename, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { SUPERUSER } from '../../testing/postgres-context.ts';
import {
  openPostgresLab,
  type PostgresLab,
  type TestServer,
  upstreamOf,
} from '../../testing/postgres.ts';
import type { RunCommand } from '../../agent/ports/run-command.ts';
import { createSlotKeeper } from './change-slots.ts';
import { checkpoint } from './checkpoint.ts';
import { clone } from './clone.ts';
import type { PostgresContext } from './context.ts';
import { inspectDisk } from './inspect-disk.ts';
import { inspectUpstream } from './inspect-upstream.ts';
import { discardAside, installData } from './install-data.ts';
import { keepFork } from './keep-fork.ts';
import { launchSpec } from './launch-spec.ts';
import { prepareServer } from './prepare-server.ts';
import { BEGINS_TO_WRITE, rewind } from './rewind.ts';
import { measureWalEnd } from './wal-end.ts';

/** The library's own matcher is of type any. */
const containing = (text: string): unknown => expect.stringContaining(text);

let lab: PostgresLab;
let primary: TestServer;
let standby: TestServer;
const HBA = [
  'host all all 127.0.0.1/32 scram-sha-256',
  'host replication all 127.0.0.1/32 scram-sha-256',
];

const contextOf = (server: TestServer): PostgresContext =>
  server.context({ settings: { ...server.context().settings(), pgHba: HBA } });

const start = async (server: TestServer, as: 'primary' | 'standby', upstream?: TestServer) => {
  const context = contextOf(server);
  const wish = { as, upstream: upstream === undefined ? undefined : upstreamOf(upstream) };
  expect(await prepareServer(context, wish)).toMatchObject({ kind: 'done' });
  const answer = await launchSpec(context, as);
  if (answer.kind !== 'done') throw new Error(answer.cause);
  await server.start({ args: answer.launch.arguments.slice(2) });
};

const makeSlots = async (server: TestServer): Promise<void> => {
  const keeper = createSlotKeeper(contextOf(server));
  const create = ['pg_1', 'pg_2', 'pg_3'];
  expect(await keeper.change({ create, drop: [], advance: {} })).toEqual({ kind: 'done' });
  keeper.close();
};

const look = async (server: TestServer): Promise<DiskFacts> => {
  const answer = await inspectDisk(contextOf(server));
  if (answer.kind !== 'done') throw new Error(answer.cause);
  return answer.disk;
};

const streaming = (server: TestServer): Promise<void> =>
  server.until('select status from pg_stat_wal_receiver', 'streaming');

beforeAll(async () => {
  lab = await openPostgresLab();
  primary = await lab.createServer('pg-1');
  await start(primary, 'primary');
  await primary.query('create table t (i int); insert into t select generate_series(1, 100000)');
  await makeSlots(primary);
}, 60_000);
afterAll(() => lab?.close());

describe('clone', () => {
  it('copies another member, says how far it is, and streams once it is in place', async () => {
    standby = await lab.emptyServer('pg-2');
    const context = contextOf(standby);
    const progress: (readonly [number, number])[] = [];
    const seen = primary.log().length;
    const answer = await clone(context, upstreamOf(primary), (done, total) =>
      progress.push([done, total]),
    );
    expect(answer).toEqual({ kind: 'done' });
    const [doneBytes = 0, totalBytes = 0] = progress.at(-1) ?? [];
    expect(totalBytes).toBeGreaterThan(20_000_000);
    expect(doneBytes).toBe(totalBytes);
    expect(await look(standby)).toMatchObject({ content: { kind: 'empty' }, newReady: true });
    expect(primary.log().slice(seen)).not.toContain('ERROR');

    expect(await installData(context)).toEqual({ kind: 'done' });
    expect(await look(standby)).toMatchObject({
      content: { kind: 'data', standbySignal: true },
      newReady: false,
      asideKept: false,
    });
    await start(standby, 'standby', primary);
    await streaming(standby);
    await makeSlots(standby);
    expect(await primary.value('select application_name from pg_stat_replication')).toBe('pg-2');
  });

  it('keeps the old data aside until told otherwise, and finishes what a kill interrupted', async () => {
    const server = await lab.cloneServer(primary, 'pg-3');
    const context = contextOf(server);
    await writeFile(join(server.dataDirectory, 'mark'), 'old');
    expect(await clone(context, upstreamOf(primary))).toEqual({ kind: 'done' });
    expect((await look(server)).content.kind).toBe('data');

    // Killed after the old one was moved away.
    await rename(server.dataDirectory, `${server.dataDirectory}.aside`);
    await writeFile(join(server.dataDirectory, '../state/install-unfinished'), 'out');
    expect(await look(server)).toMatchObject({
      content: { kind: 'empty' },
      newReady: true,
      asideKept: true,
    });
    expect(await installData(context)).toEqual({ kind: 'done' });
    expect(await look(server)).toMatchObject({ content: { kind: 'data' }, asideKept: true });
    expect(await readFile(join(`${server.dataDirectory}.aside`, 'mark'), 'utf8')).toBe('old');

    // A second clone before the first has streamed: the older data is the one worth keeping.
    await writeFile(join(server.dataDirectory, 'mark'), 'never streamed');
    expect(await clone(context, upstreamOf(primary))).toEqual({ kind: 'done' });
    expect(await installData(context)).toEqual({ kind: 'done' });
    expect(await readFile(join(`${server.dataDirectory}.aside`, 'mark'), 'utf8')).toBe('old');
    expect(await readdir(server.dataDirectory)).not.toContain('mark');
    await start(server, 'standby', primary);
    await streaming(server);
    expect(await discardAside(context)).toEqual({ kind: 'done' });
    expect((await look(server)).asideKept).toBe(false);
    await server.stop();
  });

  it('refuses what it cannot do, and leaves what there is', async () => {
    const server = await lab.emptyServer();
    const context = contextOf(server);
    const wrong = server.context({
      postgresql: { rewind: { username: 'rewinder', password: 'x', options: {} } },
    });
    expect(await clone(wrong, upstreamOf(primary))).toMatchObject({
      kind: 'failed',
      cause: containing('password authentication failed'),
    });
    const unknownUser = server.context({
      postgresql: { replication: { username: 'nobody', password: 'x', options: {} } },
    });
    expect(await clone(unknownUser, upstreamOf(primary))).toMatchObject({
      kind: 'failed',
      cause: containing('pg_basebackup exited with status 1'),
    });
    await primary.query('alter system set allow_in_place_tablespaces = on');
    await primary.query('select pg_reload_conf()');
    await primary.until('show allow_in_place_tablespaces', 'on');
    await primary.query(`create tablespace other location ''`);
    expect(await clone(context, upstreamOf(primary))).toMatchObject({
      kind: 'failed',
      cause: containing('tablespaces (other)'),
    });
    await primary.query('drop tablespace other');
    expect((await look(server)).newReady).toBe(false);
  });

  it('works inside a data directory that cannot be moved', async ({ skip }) => {
    const server = await lab.cloneServer(primary, 'pg-5');
    const parent = join(server.dataDirectory, '..');
    await writeFile(join(server.dataDirectory, 'mark'), 'old');
    // The same layout as a mount point's: made by a table of mounts that has it.
    const inside = { fresh: join(server.dataDirectory, 'matriarch.new') };
    const unmount = await mount(server.dataDirectory);
    if (unmount === undefined) return skip('mounting is not allowed here');
    try {
      const context = contextOf(server);
      expect(await clone(context, upstreamOf(primary))).toEqual({ kind: 'done' });
      expect(await readdir(inside.fresh)).toContain('PG_VERSION');
      // Killed while the old entries were leaving, and again while the new ones came in.
      const aside = join(server.dataDirectory, 'matriarch.aside');
      const move = (name: string, from: string, to: string): Promise<void> =>
        rename(join(from, name), join(to, name));
      const marker = join(parent, 'state/install-unfinished');
      await mkdir(aside);
      for (const name of ['global', 'mark']) await move(name, server.dataDirectory, aside);
      await writeFile(marker, 'out');
      expect(await look(server)).toMatchObject({ content: { kind: 'empty' }, newReady: true });
      for (const name of await readdir(server.dataDirectory))
        if (!name.startsWith('matriarch.')) await move(name, server.dataDirectory, aside);
      await writeFile(marker, 'in');
      for (const name of ['base', 'PG_VERSION'])
        await move(name, inside.fresh, server.dataDirectory);
      expect(await look(server)).toMatchObject({ content: { kind: 'empty' }, newReady: true });
      expect(await installData(context)).toEqual({ kind: 'done' });
      expect(await readdir(parent)).not.toContain('data.aside');
      expect(await readFile(join(aside, 'mark'), 'utf8')).toBe('old');
      await start(server, 'standby', primary);
      expect((await look(server)).content.kind).toBe('data');
      await server.stop();
      expect(await rewind(context, upstreamOf(primary))).toMatchObject({
        kind: 'failed',
        cause: containing('pg_rewind would remove'),
      });
      expect(await discardAside(context)).toEqual({ kind: 'done' });
      expect(await readdir(server.dataDirectory)).not.toContain('matriarch.aside');
    } finally {
      await unmount();
    }
  });
});

/** A bind mount of a directory on itself; undefined where that is not allowed. */
const mount = async (path: string): Promise<(() => Promise<void>) | undefined> => {
  const { execFile } = await import('node:child_process');
  const run = (command: string, args: readonly string[]): Promise<boolean> =>
    new Promise((resolve) => {
      execFile(command, [...args], (error) => resolve(error === null));
    });
  if (!(await run('mount', ['--bind', path, path]))) return undefined;
  return async () => {
    await run('umount', [path]);
  };
};

describe('inspectUpstream', () => {
  it('tells a primary’s lineage, its oldest WAL and whether it can be rewound to', async () => {
    await primary.query('select pg_switch_wal()');
    const answer = await inspectUpstream(contextOf(standby), upstreamOf(primary));
    expect(answer).toMatchObject({
      kind: 'done',
      facts: {
        member: 'pg-1',
        systemIdentifier: await primary.value('select system_identifier from pg_control_system()'),
        inRecovery: false,
        timeline: 1,
        lineage: { timeline: 1, ancestors: [] },
        checkpointed: true,
      },
    });
    const first = await primary.value(
      `select min(name) from pg_ls_waldir() where length(name) = 24`,
    );
    const oldest = lsn(BigInt(`0x${first.slice(16)}`) * 0x1000000n);
    expect(answer.kind === 'done' && answer.facts.oldestLsn).toBe(oldest);
  });

  it('tells a standby’s too, with and without a walreceiver', async () => {
    const inspect = () => inspectUpstream(contextOf(primary), upstreamOf(standby));
    expect(await inspect()).toMatchObject({
      kind: 'done',
      facts: { inRecovery: true, timeline: 1 },
    });
    await prepareServer(contextOf(standby), { as: 'standby', upstream: undefined });
    await standby.query('select pg_reload_conf()');
    await standby.until('select count(*) from pg_stat_wal_receiver', '0');
    expect(await inspect()).toMatchObject({
      kind: 'done',
      facts: { inRecovery: true, timeline: 1 },
    });
    await prepareServer(contextOf(standby), { as: 'standby', upstream: upstreamOf(primary) });
    await standby.query('select pg_reload_conf()');
    await streaming(standby);
  });

  it('says why it cannot', async () => {
    const nobody = { ...upstreamOf(primary), address: '127.0.0.1:1' };
    expect(await inspectUpstream(contextOf(standby), nobody)).toMatchObject({
      kind: 'failed',
      cause: containing('pg-1 cannot be looked at: '),
    });
  });
});

describe('slots', () => {
  it('are made, advanced and dropped on a primary and on a standby', async () => {
    await primary.query('select pg_switch_wal()');
    await primary.query('insert into t values (1)');
    const target = parseLsn(await primary.value('select pg_current_wal_flush_lsn()')) ?? lsn(0n);
    await standby.until(
      `select pg_last_wal_replay_lsn() >= '${await primary.value('select pg_current_wal_flush_lsn()')}'`,
      't',
    );
    for (const server of [primary, standby]) {
      const keeper = createSlotKeeper(contextOf(server));
      const create = ['pg_1', 'one', 'two'];
      expect(await keeper.change({ create, drop: [], advance: {} })).toEqual({ kind: 'done' });
      const advance = { one: target, missing: target };
      expect(await keeper.change({ create, drop: ['two', 'never'], advance })).toEqual({
        kind: 'done',
      });
      expect(
        await server.query(
          `select slot_name, restart_lsn from pg_replication_slots where slot_name in ('one', 'two')`,
        ),
      ).toEqual([['one', formatLsn(target)]]);
      keeper.close();
    }
  });

  it('are not dropped while they are in use', async () => {
    const keeper = createSlotKeeper(contextOf(primary));
    expect(await keeper.change({ create: ['three'], drop: ['pg_2'], advance: {} })).toEqual({
      kind: 'failed',
      cause: 'in use, not dropped: pg_2',
    });
    expect(
      await primary.value(`select count(*) from pg_replication_slots where slot_name = 'three'`),
    ).toBe('1');
    keeper.close();
  });
});

const overhear =
  (run: RunCommand, hear: (line: string) => void): RunCommand =>
  (call) =>
    run({
      ...call,
      onStderrLine: (line) => {
        hear(line);
        call.onStderrLine?.(line);
      },
    });

describe('a fork', () => {
  it('is kept, and taken back by a rewind', async () => {
    const context = contextOf(primary);
    await streaming(standby);
    await prepareServer(contextOf(standby), { as: 'standby', upstream: undefined });
    await standby.query('select pg_reload_conf()');
    await standby.until('select count(*) from pg_stat_wal_receiver', '0');
    await primary.query(`insert into t select -1 from generate_series(1, 1000)`);
    const lost = parseLsn(await primary.value('select pg_current_wal_flush_lsn()'));
    await primary.crash();
    await standby.query('select pg_promote()');
    await standby.query('insert into t values (-77)');

    const before = await inspectUpstream(context, upstreamOf(standby));
    expect(before).toMatchObject({ kind: 'done', facts: { timeline: 2 } });
    expect(await checkpoint(contextOf(standby), 10_000)).toEqual({ kind: 'done' });
    const after = await inspectUpstream(context, upstreamOf(standby));
    if (after.kind !== 'done') throw new Error(after.cause);
    expect(after.facts.checkpointed).toBe(true);

    const fork = after.facts.lineage.ancestors[0];
    const measured = await measureWalEnd(context, { from: undefined });
    if (fork === undefined || measured.kind !== 'done') throw new Error('no fork');
    expect(measured.end).toBeGreaterThanOrEqual(lost ?? 0n);
    expect(measured.end).toBeGreaterThan(fork.switchLsn);
    const kept = await keepFork(context, { fork, end: measured.end });
    if (kept.kind !== 'done') throw new Error(kept.cause);
    expect(await keepFork(context, { fork, end: measured.end })).toEqual(kept);
    const shown = await lab.run({
      command: lab.binaries.pg_waldump,
      args: ['-p', kept.keptAt, '-s', formatLsn(fork.switchLsn)],
      env: { LC_ALL: 'C' },
      limitMs: 10_000,
    });
    expect(shown.kind === 'exited' && shown.stdout.match(/COMMIT/g)?.length).toBeGreaterThan(0);
    expect(JSON.parse(await readFile(join(kept.keptAt, 'fork.json'), 'utf8'))).toMatchObject({
      timeline: 1,
      from: formatLsn(fork.switchLsn),
      to: formatLsn(measured.end),
    });

    const progress: number[] = [];
    const said: string[] = [];
    const onStderrLine = (line: string): number => said.push(line);
    const heard: PostgresContext = { ...context, run: overhear(context.run, onStderrLine) };
    expect(await rewind(heard, upstreamOf(standby), (done) => progress.push(done))).toEqual({
      kind: 'done',
    });
    expect(progress.at(-1)).toBeGreaterThan(0);
    expect(said.some((line) => BEGINS_TO_WRITE.test(line))).toBe(true);
    expect((await look(primary)).rewindUnfinished).toBe(false);
    await start(primary, 'standby', standby);
    await primary.until('select received_tli from pg_stat_wal_receiver', '2');
    await primary.until('select count(*) from t where i = -77', '1');
    expect(await primary.value('select count(*) from t where i = -1')).toBe('0');
  });

  it('of a standby that was killed is taken back as well', async () => {
    // The standby runs ahead on timeline 2 while a clone without that WAL is promoted.
    const heir = await lab.emptyServer('pg-3');
    expect(await clone(contextOf(heir), upstreamOf(standby))).toEqual({ kind: 'done' });
    expect(await installData(contextOf(heir))).toEqual({ kind: 'done' });
    await start(heir, 'standby');
    await heir.until(
      `select wait_event from pg_stat_activity where backend_type = 'startup'`,
      'RecoveryRetrieveRetryInterval',
    );
    await standby.query(`insert into t select -2 from generate_series(1, 1000)`);
    await primary.until('select count(*) from t where i = -2', '1000');
    await primary.crash();
    await heir.query('select pg_promote()');
    await heir.query('checkpoint');
    const disk = await look(primary);
    expect(disk.content).toMatchObject({ control: 'in-recovery', standbySignal: true });
    expect(await rewind(contextOf(primary), upstreamOf(heir))).toEqual({ kind: 'done' });
    await makeSlots(heir);
    await start(primary, 'standby', heir);
    await streaming(primary);
    expect(await primary.value('select count(*) from t where i = -2')).toBe('0');
    await primary.stop();
  });

  it('is as it was when a rewind fails before it begins', async () => {
    const context = contextOf(primary);
    const before = await look(primary);
    const nobody = { ...upstreamOf(standby), address: '127.0.0.1:1' };
    expect(await rewind(context, nobody)).toMatchObject({
      kind: 'failed',
      cause: containing('pg_rewind exited with status 1'),
    });
    const after = await look(primary);
    expect(after.rewindUnfinished).toBe(false);
    expect(after.content).toEqual(before.content);
  });

  it('that was half taken back is marked, and only a clone helps', async () => {
    const context = contextOf(primary);
    const dying: PostgresContext = {
      ...context,
      run: async (call) => {
        if (call.command !== context.binaries.pg_rewind) return context.run(call);
        call.onStderrLine?.(
          'pg_rewind: need to copy 100 MB (total source directory size is 200 MB)',
        );
        return { kind: 'killed', signal: 'SIGKILL', stderr: '' };
      },
    };
    expect(await rewind(dying, upstreamOf(standby))).toMatchObject({ kind: 'failed' });
    expect((await look(primary)).rewindUnfinished).toBe(true);
    expect(await rewind(context, upstreamOf(standby))).toMatchObject({ kind: 'failed' });
    expect(await clone(context, upstreamOf(standby))).toEqual({ kind: 'done' });
    expect(await installData(context)).toEqual({ kind: 'done' });
    expect(await look(primary)).toMatchObject({ rewindUnfinished: false, asideKept: true });
  });
});

describe('no password', () => {
  it('is in a log or in a file that others can read', async () => {
    for (const server of [primary, standby]) expect(server.log()).not.toContain(SUPERUSER.password);
    const passFile = join(primary.dataDirectory, '../state/pgpass');
    expect((await stat(passFile)).mode & 0o077).toBe(0);
  });
});
