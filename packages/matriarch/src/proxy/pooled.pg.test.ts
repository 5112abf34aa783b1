/*
 * Shows the whole way of an application: PgBouncer, HAProxy, and real PostgreSQL servers that are
 * killed and promoted. The members' APIs and the store are fakes that say what the test says.
 */
import { appendFile, readFile, stat } from 'node:fs/promises';
import { createServer } from 'node:net';
import { once } from 'node:events';
import { join } from 'node:path';
import { defaultPgbouncerLimits, memberName } from '@matriarch/core';
import { Client } from 'pg';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { askAdmin } from '../adapters/pgbouncer/admin-console.ts';
import {
  type PostgresLab,
  type TestServer,
  freePort,
  openPostgresLab,
  waitUntil,
} from '../testing/postgres.ts';
import { PROXY_ADMIN, type ProxySettings } from './settings.ts';
import { type ProxyLab, isRunning, openProxyLab } from './testing/proxy-lab.ts';

const a = memberName('a');
const b = memberName('b');
const PASSWORD = 'app "pass" \\ word; #1';

/**
 * No connections but those the test asks for. A login that is under way while its server dies, or
 * while PgBouncer reloads, counts as failed, and what comes next is refused for a moment.
 */
const quiet = {
  databases: ['shop'],
  users: [{ name: 'app', secret: PASSWORD }],
  limits: { ...defaultPgbouncerLimits, minPoolSize: 0 },
};

let postgres: PostgresLab;
let first: TestServer;
let second: TestServer;
let verifier: string;
let lab: ProxyLab;

/** A database, a user that must show a password, and a replica with the same. */
const openDatabase = async (): Promise<void> => {
  postgres = await openPostgresLab();
  first = await postgres.createServer('a');
  await first.start();
  await first.query('create database shop');
  await first.query(`create role app login password '${PASSWORD}'`);
  verifier = await first.value("select rolpassword from pg_authid where rolname = 'app'");
  const hba = join(first.dataDirectory, 'pg_hba.conf');
  const strict = 'host all app 127.0.0.1/32 scram-sha-256\n';
  const lines = await readFile(hba, 'utf8');
  await first.query(`alter system set hba_file = '${hba}.strict'`);
  await appendFile(`${hba}.strict`, strict + lines);
  await first.stop();
  await first.start();
  second = await postgres.cloneServer(first, 'b');
  await second.start();
};

beforeAll(openDatabase);
afterAll(async () => {
  await postgres.close();
});

beforeEach(async () => {
  lab = await openProxyLab(['a', 'b'], {
    postgresqlPorts: [first.port, second.port],
    pgbouncer: quiet,
  });
});
afterEach(async () => {
  await lab.close();
});

const settingsWith = (
  pgbouncer: Partial<NonNullable<ProxySettings['pgbouncer']>>,
): ProxySettings => {
  const { pgbouncer: present } = lab.settings;
  if (present === undefined) throw new Error('the lab has no PgBouncer');
  return { ...lab.settings, pgbouncer: { ...present, ...pgbouncer } };
};

const healthy = async (): Promise<void> => {
  const [one, two] = lab.members;
  if (one !== undefined) one.role = 'primary';
  if (two !== undefined) two.role = 'replica';
  lab.store.say({ holder: a, term: 7 }, { a: { role: 'primary' }, b: { role: 'replica' } });
};

const connectTo = async (
  database: string,
  options: { password?: string } = {},
): Promise<Client> => {
  const client = new Client({
    host: '127.0.0.1',
    port: lab.ports.pgbouncer,
    user: 'app',
    password: PASSWORD,
    database,
    connectionTimeoutMillis: 15_000,
    ...options,
  });
  client.on('error', () => undefined);
  await client.connect();
  return client;
};

const ask = async (client: Client, sql: string): Promise<string> => {
  const result = await client.query<{ answer: unknown }>(`select (${sql}) as answer`);
  return String(result.rows[0]?.answer);
};

const askOnce = async (database: string, sql: string): Promise<string> => {
  const client = await connectTo(database);
  try {
    return await ask(client, sql);
  } finally {
    await client.end();
  }
};

const IN_RECOVERY = 'pg_is_in_recovery()';

const admin = async (command: string): Promise<readonly Readonly<Record<string, unknown>>[]> => {
  const asked = await askAdmin(
    {
      socketDirectory: lab.paths.pgbouncer.socketDirectory,
      port: lab.ports.pgbouncer,
      user: PROXY_ADMIN,
      password: (await readFile(lab.paths.pgbouncer.adminSecret, 'utf8')).trim(),
    },
    command,
  );
  if (asked.kind === 'failed') throw new Error(asked.cause);
  return asked.rows;
};

const statistics = async (): Promise<string> =>
  (await fetch(`http://127.0.0.1:${lab.ports.statistics}/stats;csv`)).text();

describe('through PgBouncer', () => {
  it('writes reach the primary and reads the replica, with a plain password', async () => {
    await healthy();
    await lab.mustStart();
    expect(await askOnce('shop_write', IN_RECOVERY)).toBe('false');
    expect(await askOnce('shop_read', IN_RECOVERY)).toBe('true');
  });

  it('the verifier of the database does for both logins', async () => {
    await healthy();
    await lab.mustStart({ settings: settingsWith({ users: [{ name: 'app', secret: verifier }] }) });
    expect(await askOnce('shop_write', IN_RECOVERY)).toBe('false');
    expect(await askOnce('shop_read', IN_RECOVERY)).toBe('true');
    await expect(connectTo('shop_write', { password: 'wrong' })).rejects.toThrow(/SASL|auth/u);
  });

  it('pools as the guide does', async () => {
    // Without a store no route is moved, and nothing is changed at run time.
    await lab.mustStart({ settings: settingsWith({ limits: undefined }) });
    const rows = await admin('SHOW CONFIG');
    const value = (key: string): unknown => rows.find((row) => row['key'] === key)?.['value'];
    expect(
      Object.fromEntries(
        [
          'pool_mode',
          'max_client_conn',
          'default_pool_size',
          'min_pool_size',
          'reserve_pool_size',
          'server_check_delay',
          'server_login_retry',
          'auth_type',
        ].map((key) => [key, value(key)]),
      ),
    ).toEqual({
      pool_mode: 'transaction',
      max_client_conn: '1000',
      default_pool_size: '25',
      min_pool_size: '5',
      reserve_pool_size: '5',
      server_check_delay: '30',
      server_login_retry: '1',
      auth_type: 'scram-sha-256',
    });
  });

  it('keeps its secrets to itself', async () => {
    await healthy();
    await lab.mustStart();
    const { userlist, adminSecret } = lab.paths.pgbouncer;
    expect((await stat(userlist)).mode & 0o077).toBe(0);
    expect((await stat(adminSecret)).mode & 0o077).toBe(0);
  });
});

describe('reload', () => {
  it('lets a new user in without ending a session', async () => {
    await healthy();
    const proxy = await lab.mustStart({ settings: settingsWith({ users: [] }) });
    await expect(connectTo('shop_write')).rejects.toThrow();
    expect(await proxy.reload(lab.settings)).toEqual([]);
    const session = await connectTo('shop_write');
    expect(await proxy.reload(settingsWith({ databases: ['shop', 'blog'] }))).toEqual([]);
    expect(await ask(session, IN_RECOVERY)).toBe('false');
    await session.end();
    const names = (await admin('SHOW DATABASES')).map((row) => row['name']);
    expect(names).toEqual(['blog_read', 'blog_write', 'pgbouncer', 'shop_read', 'shop_write']);
  });

  it('moves to another port by a restart', async () => {
    await healthy();
    const proxy = await lab.mustStart();
    const port = await freePort();
    expect(await proxy.reload(settingsWith({ listen: { host: '127.0.0.1', port } }))).toEqual([]);
    const { pgbouncer } = proxy.pids();
    expect(await isRunning(pgbouncer ?? 0)).toBe(true);
    await expect(connectTo('shop_write')).rejects.toThrow('ECONNREFUSED');
  });

  it('keeps both files when PgBouncer refuses its own', async () => {
    await healthy();
    const proxy = await lab.mustStart();
    const files = [
      lab.paths.pgbouncer.config,
      lab.paths.pgbouncer.userlist,
      lab.paths.haproxy.config,
    ];
    const before = await Promise.all(files.map(async (file) => readFile(file, 'utf8')));
    const limits = {
      poolMode: 'whatever' as 'session',
      maxClientConnections: 1,
      defaultPoolSize: 1,
      minPoolSize: 0,
      reservePoolSize: 0,
    };
    const changed = settingsWith({ limits, users: [] });
    const problems = await proxy.reload({
      ...changed,
      haproxy: { ...changed.haproxy, maxConnections: 17 },
    });
    expect(problems.map(({ code }) => code)).toEqual(['rendered-file-refused']);
    expect(problems[0]?.message).toContain('invalid value "whatever" for parameter pool_mode');
    expect(await Promise.all(files.map(async (file) => readFile(file, 'utf8')))).toEqual(before);
    expect(await askOnce('shop_write', IN_RECOVERY)).toBe('false');
  });
});

describe('a start that cannot be', () => {
  it('names the port PgBouncer cannot have, and leaves nothing running', async () => {
    const other = createServer().listen(lab.ports.pgbouncer, '127.0.0.1');
    await once(other, 'listening');
    const started = await lab.start();
    other.close();
    expect(started).toMatchObject({ kind: 'refused', problems: [{ code: 'port-taken' }] });
    expect(JSON.stringify(started)).toContain(
      `PgBouncer cannot listen on 127.0.0.1:${lab.ports.pgbouncer}`,
    );
    const pid = Number.parseInt(
      await readFile(lab.paths.haproxy.pidFile, 'utf8').catch(() => '0'),
      10,
    );
    expect(await isRunning(pid)).toBe(false);
  });

  it('names a user that does not exist, and every other problem with it', async () => {
    const started = await lab.start({
      settings: {
        ...settingsWith({ user: 'nobody-of-that-name' }),
        haproxy: { ...lab.settings.haproxy, program: 'haproxy-of-nowhere' },
      },
    });
    const codes = started.kind === 'refused' ? started.problems.map(({ code }) => code) : [];
    // Only root changes its user.
    const expected =
      process.getuid?.() === 0 ? ['binary-missing', 'operating-user-unknown'] : ['binary-missing'];
    expect(codes).toEqual(expected);
  });
});

describe('what dies', () => {
  it('is started again: PgBouncer', async () => {
    await healthy();
    const proxy = await lab.mustStart();
    process.kill(proxy.pids().pgbouncer ?? 0, 'SIGKILL');
    const line = await lab.untilLogged('daemon started again');
    expect(line['daemon']).toBe('pgbouncer');
    expect(await askOnce('shop_write', IN_RECOVERY)).toBe('false');
  });

  it('is taken over with its sessions when the proxy comes back', async () => {
    await healthy();
    const before = await lab.mustStart();
    const pids = before.pids();
    const session = await connectTo('shop_write');
    expect(await ask(session, IN_RECOVERY)).toBe('false');
    before.release();
    const after = await lab.mustStart();
    expect(after.pids()).toEqual(pids);
    expect(await ask(session, IN_RECOVERY)).toBe('false');
    await session.end();
  });
});

describe('a login that has failed', () => {
  it('is repeated as soon as somebody can answer', async () => {
    await lab.close();
    lab = await openProxyLab(['a', 'b'], {
      postgresqlPorts: [first.port, second.port],
      pgbouncer: quiet,
      // HAProxy refuses at once, so that PgBouncer begins its pause.
      haproxy: { waitLimitMs: 0 },
    });
    await lab.mustStart();
    const refusals = async (): Promise<number> =>
      Number(/^write,FRONTEND,(?:[^,]*,){5}(\d+),/mu.exec(await statistics())?.[1]);
    // PgBouncer lets nobody in before it has seen a server of that database.
    const coming = connectTo('shop_write');
    await waitUntil('PgBouncer to be refused', async () => (await refusals()) > 0);
    await waitUntil('a client to wait', async () =>
      (await admin('SHOW POOLS')).some(
        ({ database, cl_waiting: waiting }) => database === 'shop_write' && Number(waiting) === 1,
      ),
    );
    const openedAt = performance.now();
    await healthy();
    const client = await coming;
    expect(await ask(client, IN_RECOVERY)).toBe('false');
    expect(performance.now() - openedAt).toBeLessThan(3_000);
    await client.end();
    await waitUntil('the usual pause to be back', async () =>
      (await admin('SHOW CONFIG')).some(
        ({ key, value }) => key === 'server_login_retry' && value === '1',
      ),
    );
  });
});

describe('a failover', () => {
  it('lets a client that had no transaction open go on without an error', async () => {
    await healthy();
    await lab.mustStart();
    const writer = await connectTo('shop_write');
    const reader = await connectTo('shop_read');
    expect(await ask(writer, 'inet_server_port()')).toBe(String(first.port));
    expect(await ask(reader, 'inet_server_port()')).toBe(String(second.port));
    const [one, two] = lab.members;

    await first.crash();
    if (one !== undefined) one.role = 'down';
    await waitUntil('PgBouncer to notice', async () =>
      (await admin('SHOW SERVERS')).every(
        ({ database, state }) => database !== 'shop_write' || state === 'new',
      ),
    );
    // Neither the store nor a check knows yet: this write is refused, and waits for another server.
    const waiting = ask(writer, 'inet_server_port()');
    await waitUntil('the write to wait', async () =>
      /^waiting-room,FRONTEND,[^,]*,[^,]*,[1-9]/mu.test(await statistics()),
    );
    lab.store.say(undefined, { b: { role: 'replica' } });
    await second.query('select pg_promote()');
    const promotedAt = performance.now();
    if (two !== undefined) two.role = 'primary';
    lab.store.say({ holder: b, term: 9 }, { b: { role: 'primary' } });
    expect(await waiting).toBe(String(second.port));
    const elapsedMs = performance.now() - promotedAt;
    // Had PgBouncer been refused once, it would have waited a whole second.
    expect(elapsedMs).toBeLessThan(3_000);

    // The last replica has become the primary: reads go on, from there.
    expect(await ask(reader, IN_RECOVERY)).toBe('false');
    await waitUntil('no connection of the pool to lead to the old primary', async () => {
      const servers = await admin('SHOW SERVERS');
      return servers.every((row) => row['close_needed'] === 0 || row['close_needed'] === '0');
    });
    await writer.end();
    await reader.end();
  });
});
