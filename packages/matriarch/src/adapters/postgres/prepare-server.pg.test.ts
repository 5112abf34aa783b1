/**
 * Shows that a prepared data directory starts as what it was prepared for, whatever lay in it
 * before, and that a configuration which cannot work never replaces one that does. By preparing
 * real data directories and starting real servers on them.
 */
import { timeline } from '@matriarch/core';
import {
  access,
  appendFile,
  readFile,
  rename,
  rm,
  stat,
  symlink,
  writeFile,
} from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type ContextChanges, REPLICATOR, SUPERUSER } from '../../testing/postgres-context.ts';
import {
  openPostgresLab,
  type PostgresLab,
  type TestServer,
  upstreamOf,
} from '../../testing/postgres.ts';
import type { PostgresContext } from './context.ts';
import { createSlotKeeper } from './change-slots.ts';
import { launchSpec } from './launch-spec.ts';
import { placeHistory } from './place-history.ts';
import { prepareServer, type Preparation } from './prepare-server.ts';

/** The library's own matcher is of type any. */
const containing = (text: string): unknown => expect.stringContaining(text);

let lab: PostgresLab;
let primary: TestServer;
const HBA = [
  'host all all 127.0.0.1/32 scram-sha-256',
  'host replication all 127.0.0.1/32 scram-sha-256',
];

beforeAll(async () => {
  lab = await openPostgresLab();
  primary = await lab.createServer('pg-1');
});
afterAll(() => lab?.close());

const prepare = async (
  context: PostgresContext,
  preparation: Preparation,
): Promise<readonly string[]> => {
  const answer = await prepareServer(context, preparation);
  if (answer.kind !== 'done') throw new Error(answer.cause);
  return answer.remarks;
};

const start = async (server: TestServer, context: PostgresContext, as: 'primary' | 'standby') => {
  const answer = await launchSpec(context, as);
  if (answer.kind !== 'done') throw new Error(answer.cause);
  await server.start({ args: answer.launch.arguments.slice(2) });
};

/** A slot for every member on every member, as the agent keeps them. */
const makeSlots = async (server: TestServer): Promise<void> => {
  const keeper = createSlotKeeper(server.context());
  const create = ['pg_1', 'pg_2', 'pg_3'];
  expect(await keeper.change({ create, drop: [], advance: {} })).toEqual({ kind: 'done' });
  keeper.close();
};

const asPrimary: Preparation = { as: 'primary', upstream: undefined };

const isThere = (server: TestServer, name: string): Promise<boolean> =>
  access(join(server.dataDirectory, name)).then(
    () => true,
    () => false,
  );

const edit = async (server: TestServer, name: string, text: string): Promise<void> =>
  appendFile(join(server.dataDirectory, name), text);

/** The same parameters as the lab's, with some changed. */
const withParameters = (server: TestServer, parameters: Record<string, string>): ContextChanges => {
  const before = server.context().settings();
  return {
    settings: { ...before, pgHba: HBA, parameters: { ...before.parameters, ...parameters } },
  };
};

describe('a primary', () => {
  it('starts with our configuration last, whatever else there is', async () => {
    // As Patroni leaves it: generated, with the original included, and recovery settings in it.
    await writeFile(
      join(primary.dataDirectory, 'postgresql.base.conf'),
      await readFile(join(primary.dataDirectory, 'postgresql.conf')),
    );
    await writeFile(
      join(primary.dataDirectory, 'postgresql.conf'),
      "# Do not edit\ninclude 'postgresql.base.conf'\n\nport = '1'\nwork_mem = '1MB'\n" +
        "primary_conninfo = 'host=nowhere'\nrecovery_target_timeline = 'latest'\n",
    );
    await edit(
      primary,
      'postgresql.auto.conf',
      "max_connections = '33'\nprimary_slot_name = 'x'\nmaintenance_work_mem = '77MB'\n",
    );
    await edit(primary, 'standby.signal', '');
    await edit(primary, 'recovery.signal', '');
    const context = primary.context(
      withParameters(primary, { work_mem: '9MB', max_connections: '50' }),
    );
    expect(await prepare(context, asPrimary)).toEqual([]);
    expect(await isThere(primary, 'standby.signal')).toBe(false);
    expect(await isThere(primary, 'recovery.signal')).toBe(false);

    await start(primary, context, 'primary');
    const shown = await primary.query(
      `select name, setting from pg_settings where name in ('port', 'work_mem', 'max_connections',
        'maintenance_work_mem', 'restart_after_crash', 'hot_standby', 'primary_slot_name') order by name`,
    );
    expect(Object.fromEntries(shown.map(([name, setting]) => [name, setting]))).toEqual({
      hot_standby: 'on',
      maintenance_work_mem: String(77 * 1024),
      max_connections: '50',
      port: String(primary.port),
      primary_slot_name: '',
      restart_after_crash: 'off',
      work_mem: String(9 * 1024),
    });
    expect(await primary.value('select pg_is_in_recovery()')).toBe('f');
    await primary.query('alter system set max_connections = 77');
    await primary.query('select pg_reload_conf()');
    expect(await primary.value('show max_connections')).toBe('50');
  });

  it('is let alone by a second call with nothing new', async () => {
    const context = primary.context(
      withParameters(primary, { work_mem: '9MB', max_connections: '50' }),
    );
    await prepare(context, asPrimary);
    const names = [
      'postgresql.conf',
      'postgresql.auto.conf',
      'matriarch.conf',
      'pg_hba.conf',
      '../state/pgpass',
    ];
    const times = (): Promise<readonly number[]> =>
      Promise.all(
        names.map(async (name) => (await stat(join(primary.dataDirectory, name))).mtimeMs),
      );
    const before = await times();
    await prepare(context, asPrimary);
    expect(await times()).toEqual(before);
    const text = await readFile(join(primary.dataDirectory, 'postgresql.conf'), 'utf8');
    expect(text.match(/matriarch\.conf/g)).toHaveLength(1);
    expect(text.trimEnd().endsWith("include_if_exists 'matriarch.conf'")).toBe(true);
  });

  it('asks for passwords by scram, and keeps them where only the server’s user can read', async () => {
    await primary.query('select pg_reload_conf()');
    const rules = await primary.query(
      'select type, database, user_name, auth_method from pg_hba_file_rules order by line_number',
    );
    expect(rules.slice(0, 2)).toEqual([
      ['host', '{all}', '{postgres}', 'scram-sha-256'],
      ['host', '{replication}', '{postgres}', 'scram-sha-256'],
    ]);
    const path = join(primary.dataDirectory, '../state/pgpass');
    expect((await stat(path)).mode & 0o777).toBe(0o600);
    expect((await stat(path)).uid).toBe(lab.owner?.uid ?? process.getuid?.());
    const text = await readFile(path, 'utf8');
    expect(text).toContain('*:*:*:postgres:super\\:secret\n');
  });

  it('starts without parameters that PostgreSQL turns down, and they are remarked on', async () => {
    const context = primary.context(
      withParameters(primary, {
        max_connections: '50',
        no_such_thing: '1',
        work_mem: 'plenty',
        'ext.option': "it's",
      }),
    );
    await primary.stop();
    const remarks = await prepare(context, asPrimary);
    expect([...remarks].sort()).toEqual([
      'the server does not accept no_such_thing = 1',
      'the server does not accept work_mem = plenty',
    ]);
    expect(await prepare(context, asPrimary)).toEqual(remarks);
    await start(primary, context, 'primary');
    expect(await primary.value("select current_setting('ext.option')")).toBe("it's");
  });

  it('keeps the configuration it has when something else in it is wrong', async () => {
    const context = primary.context(withParameters(primary, { work_mem: '8MB' }));
    const path = join(primary.dataDirectory, 'matriarch.conf');
    const before = await readFile(path, 'utf8');
    const main = join(primary.dataDirectory, 'postgresql.base.conf');
    const original = await readFile(main, 'utf8');
    await writeFile(main, `${original}\nthis is no setting\n`);
    const answer = await prepareServer(context, asPrimary);
    expect(answer).toMatchObject({ kind: 'failed' });
    expect(answer.kind === 'failed' && answer.cause).toContain('syntax error');
    expect(await readFile(path, 'utf8')).toBe(before);
    await writeFile(main, original);
  });

  it('is never led by a link to what the server’s user may not read', async () => {
    const server = await lab.createServer('pg-link');
    const secret = join(lab.directory, 'secret.conf');
    await writeFile(secret, "work_mem = '1MB'\n", { mode: 0o600 });
    const main = join(server.dataDirectory, 'postgresql.conf');
    await rename(main, join(server.dataDirectory, 'real.conf'));
    await symlink(join(server.dataDirectory, 'real.conf'), main);
    expect(await prepareServer(server.context(), asPrimary)).toMatchObject({ kind: 'done' });
    expect(await readFile(main, 'utf8')).toContain('matriarch.conf');
    await rm(main);
    await symlink(secret, main);
    const answer = await prepareServer(server.context(), asPrimary);
    expect(answer.kind).toBe(lab.owner === undefined ? 'done' : 'failed');
  });

  it('says so when nobody could connect', async () => {
    const server = await lab.createServer('pg-bare');
    await rm(join(server.dataDirectory, 'pg_hba.conf'));
    expect(await prepareServer(server.context(), asPrimary)).toMatchObject({
      kind: 'failed',
      cause: containing('set postgresql.pg_hba'),
    });
  });
});

describe('a standby', () => {
  let standby: TestServer;
  const settings = { max_connections: '30' };

  it('streams with the passfile, under its own name, through its slot', async () => {
    standby = await lab.cloneServer(primary, 'pg-2');
    await rm(join(standby.dataDirectory, 'standby.signal'));
    await makeSlots(primary);
    const context = standby.context(withParameters(standby, settings));
    const remarks = await prepare(context, { as: 'standby', upstream: upstreamOf(primary) });
    expect(remarks).toEqual(['max_connections = 30 is raised to 50: its primary had that many']);
    const text = await readFile(join(standby.dataDirectory, 'matriarch.conf'), 'utf8');
    expect(text).not.toContain(REPLICATOR.password);
    expect(text).not.toContain(SUPERUSER.password);
    await start(standby, context, 'standby');
    await standby.until('select status from pg_stat_wal_receiver', 'streaming');
    expect(
      await primary.query(
        `select application_name, usename, slot_name from pg_stat_replication
          join pg_replication_slots on active_pid = pid`,
      ),
    ).toEqual([['pg-2', 'replicator', 'pg_2']]);
  });

  it('is pointed elsewhere while it runs, and keeps the numbers it has reserved', async () => {
    const context = standby.context(withParameters(standby, settings));
    expect(await placeHistory(context, [timeline(2), timeline(3)])).toEqual({ kind: 'done' });
    await prepare(context, { as: 'standby', upstream: undefined });
    await standby.query('select pg_reload_conf()');
    await standby.until('select count(*) from pg_stat_wal_receiver', '0');
    expect(await standby.value('show primary_conninfo')).toBe('');
    expect(await isThere(standby, 'pg_wal/00000002.history')).toBe(true);
    expect(await isThere(standby, 'pg_wal/00000003.history')).toBe(true);
  });

  it('starts again although numbers above its timeline are reserved, or taken by a fork', async () => {
    await standby.crash();
    // Forked before anything this server has: it was never on that timeline.
    await edit(standby, 'pg_wal/00000004.history', '1\t0/1000000\tno recovery target specified\n');
    const context = standby.context(withParameters(standby, settings));
    await prepare(context, { as: 'standby', upstream: upstreamOf(primary) });
    for (const number of [2, 3, 4])
      expect(await isThere(standby, `pg_wal/0000000${number}.history`)).toBe(false);
    await start(standby, context, 'standby');
    await standby.until('select status from pg_stat_wal_receiver', 'streaming');
  });

  it('takes the issued number when it is promoted, and others can follow it there', async () => {
    const third = await lab.cloneServer(primary, 'pg-3');
    const contextOfThird = third.context(withParameters(third, settings));
    await prepare(contextOfThird, { as: 'standby', upstream: upstreamOf(primary) });
    await start(third, contextOfThird, 'standby');
    await third.until('select status from pg_stat_wal_receiver', 'streaming');

    const context = standby.context(withParameters(standby, settings));
    await makeSlots(standby);
    await placeHistory(context, [timeline(2), timeline(3)]);
    await primary.stop();
    await standby.query('select pg_promote()');
    expect(await standby.value('select substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8)')).toBe(
      '00000004',
    );

    await prepare(contextOfThird, { as: 'standby', upstream: upstreamOf(standby) });
    await third.query('select pg_reload_conf()');
    await third.until('select received_tli from pg_stat_wal_receiver', '4');
    // And so does the old primary, which never was on any of those timelines.
    const contextOfOld = primary.context(withParameters(primary, settings));
    await prepare(contextOfOld, { as: 'standby', upstream: upstreamOf(standby) });
    await start(primary, contextOfOld, 'standby');
    await primary.until('select received_tli from pg_stat_wal_receiver', '4');
  });

  it('needs no restart after its promotion, however its files are written then', async () => {
    const changed = withParameters(standby, {
      ...settings,
      max_connections: '50',
      work_mem: '11MB',
    });
    await prepare(standby.context(changed), asPrimary);
    await standby.query('select pg_reload_conf()');
    await standby.until('show work_mem', '11MB');
    expect(await standby.query('select name from pg_settings where pending_restart')).toEqual([]);
    expect(await standby.query('select error from pg_file_settings where error <> $$$$')).toEqual(
      [],
    );
  });
});
