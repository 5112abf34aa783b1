/**
 * Real PostgreSQL servers for tests: made in a temporary directory, on free ports of the loopback
 * interface, run as `postgres` when the tests run as root, and gone when the lab is closed.
 *
 *   const lab = await openPostgresLab();
 *   const primary = await lab.createServer();
 *   await primary.start();
 *   const standby = await lab.cloneServer(primary);
 *   await lab.close();
 */
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { chmod, chown, mkdir, mkdtemp, readdir, readlink, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { memberName, type Upstream } from '@matriarch/core';
import { Client } from 'pg';
import type { Binaries } from '../adapters/postgres/binaries.ts';
import { findBinaries } from '../adapters/postgres/binaries.ts';
import type { Owner, PostgresContext } from '../adapters/postgres/context.ts';
import type { RunCommand } from '../agent/ports/run-command.ts';
import {
  type ContextChanges,
  REPLICATOR,
  REWINDER,
  SUPERUSER,
  testContext,
} from './postgres-context.ts';
import { asOwner, createTestRunner } from './run-as-owner.ts';

const START_LIMIT_MS = 30_000;
const STOP_LIMIT_MS = 30_000;
const QUERY_LIMIT_MS = 30_000;
const POLL_MS = 10;

export interface TestServer {
  readonly name: string;
  readonly dataDirectory: string;
  readonly port: number;
  readonly pid: () => number | undefined;
  /** Everything the postmaster and its children have written since the first start. */
  readonly log: () => string;
  /** Starts it and waits until it accepts connections, or says `until`. */
  start(options?: {
    readonly until?: RegExp | undefined;
    readonly args?: readonly string[];
  }): Promise<void>;
  stop(mode?: 'fast' | 'immediate'): Promise<void>;
  /** SIGKILL to the postmaster, then to whatever it leaves; all of it is gone afterwards. */
  crash(): Promise<void>;
  /** Rows as arrays of text, from a fresh connection as superuser. */
  query(sql: string): Promise<readonly (readonly string[])[]>;
  /** The first column of the first row. */
  value(sql: string): Promise<string>;
  /** Waits until a query answers `wanted`. */
  until(sql: string, wanted: string): Promise<void>;
  /** Waits until the log says something that it did not say before `after` characters. */
  untilLog(pattern: RegExp, after?: number): Promise<void>;
  configure(parameters: Readonly<Record<string, string>>): Promise<void>;
  /** A context as the agent would make it for this server. */
  context(changes?: ContextChanges): PostgresContext;
}

export interface PostgresLab {
  readonly directory: string;
  readonly binaries: Binaries;
  readonly owner: Owner | undefined;
  readonly run: RunCommand;
  /** A new primary with SUPERUSER, REPLICATOR and REWINDER; not started. */
  createServer(name?: string): Promise<TestServer>;
  /** A standby of a running server, made by hand as `replicator`; not started. */
  cloneServer(source: TestServer, name?: string): Promise<TestServer>;
  /** A server whose data directory does not exist yet. */
  emptyServer(name?: string): Promise<TestServer>;
  close(): Promise<void>;
}

/** The user servers run as: `postgres` for root, else whoever runs the tests. */
const findOwner = async (): Promise<Owner | undefined> => {
  if (userInfo().uid !== 0) return undefined;
  const id = (option: string): Promise<number> =>
    new Promise((resolve, reject) => {
      execFile('id', [option, 'postgres'], (error, stdout) => {
        if (error === null) resolve(Number(stdout));
        else reject(new Error('there is no user postgres: install the package postgresql'));
      });
    });
  return { uid: await id('-u'), gid: await id('-g') };
};

export const freePort = (): Promise<number> =>
  new Promise((resolve, reject) => {
    const server = createServer();
    server.on('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() =>
        typeof address === 'object' && address !== null
          ? resolve(address.port)
          : reject(new Error('no port')),
      );
    });
  });

/** Repeats a look until it sees what is wanted. */
export const waitUntil = async (
  what: string,
  look: () => boolean | Promise<boolean>,
  limitMs = START_LIMIT_MS,
): Promise<void> => {
  const deadline = performance.now() + limitMs;
  while (!(await look())) {
    if (performance.now() > deadline) throw new Error(`waited ${limitMs} ms for ${what}`);
    await setTimeout(POLL_MS);
  }
};

/** Processes whose working directory is the data directory: a postmaster and its children. */
export const serverProcesses = async (dataDirectory: string): Promise<readonly number[]> => {
  const names = await readdir('/proc');
  const found = await Promise.all(
    names
      .filter((name) => /^\d+$/.test(name))
      .map(async (name) => {
        const cwd = await readlink(`/proc/${name}/cwd`).catch(() => '');
        return cwd === dataDirectory ? [Number(name)] : [];
      }),
  );
  return found.flat();
};

const killAll = async (dataDirectory: string): Promise<void> => {
  await waitUntil(`processes of ${dataDirectory} to be gone`, async () => {
    const pids = await serverProcesses(dataDirectory);
    for (const pid of pids) {
      try {
        process.kill(pid, 'SIGKILL');
      } catch {
        continue;
      }
    }
    return pids.length === 0;
  });
};

const ROLES = `
  create role replicator login replication password '${REPLICATOR.password.replace(/'/g, "''")}';
  create role rewinder login password '${REWINDER.password}';
  grant execute on function pg_ls_dir(text, boolean, boolean),
    pg_stat_file(text, boolean), pg_read_binary_file(text),
    pg_read_binary_file(text, bigint, bigint, boolean) to rewinder;
  alter role postgres password '${SUPERUSER.password}';
`;

/** A server as others know it. */
export const upstreamOf = ({ name, port }: TestServer): Upstream => ({
  member: memberName(name),
  address: `127.0.0.1:${port}`,
});

export const openPostgresLab = async (): Promise<PostgresLab> => {
  const owner = await findOwner();
  const run = createTestRunner(owner);
  const found = await findBinaries({ binDirectory: undefined, dataDirectory: '/nowhere', run });
  if (found.kind === 'missing') throw new Error(found.problems.join('\n'));
  const { binaries } = found;
  const directory = await mkdtemp(join(tmpdir(), 'matriarch-pg-'));
  await chmod(directory, 0o755);
  if (owner !== undefined) await chown(directory, owner.uid, owner.gid);
  const servers: TestServer[] = [];
  let count = 0;
  let template: Promise<string> | undefined;

  const newServer = async (name: string | undefined): Promise<TestServer> => {
    count += 1;
    const server = makeServer({
      name: name ?? `pg${count}`,
      directory: join(directory, String(count)),
      port: await freePort(),
      binaries,
      owner,
      run,
    });
    await mkdir(join(directory, String(count)), { mode: 0o755 });
    if (owner !== undefined) await chown(join(directory, String(count)), owner.uid, owner.gid);
    servers.push(server);
    return server;
  };

  const must = async (
    command: string,
    args: readonly string[],
    env: Record<string, string> = {},
  ) => {
    const result = await run({ command, args, env: { LC_ALL: 'C', ...env }, limitMs: 60_000 });
    if (result.kind !== 'exited' || result.code !== 0)
      throw new Error(`${command}: ${JSON.stringify(result)}`);
  };

  /** initdb takes a second; a copy of what it made takes a tenth of that. */
  const makeTemplate = async (): Promise<string> => {
    const path = join(directory, 'template');
    await must(binaries.initdb, [
      `--pgdata=${path}`,
      '--no-sync',
      '--auth=trust',
      '--username=postgres',
      '--data-checksums',
      '--encoding=UTF8',
      '--locale=C',
    ]);
    await must('sh', [
      '-c',
      'printf "%s" "$2" | "$0" --single -D "$1" postgres >/dev/null',
      binaries.postgres,
      path,
      `${ROLES.replace(/\s*\n\s*/g, ' ').replace(/; /g, ';\n')}\n`,
    ]);
    return path;
  };

  return {
    directory,
    binaries,
    owner,
    run,
    emptyServer: newServer,
    createServer: async (name) => {
      template ??= makeTemplate();
      const server = await newServer(name);
      await must('cp', ['-a', await template, server.dataDirectory]);
      await server.configure({});
      return server;
    },
    cloneServer: async (source, name) => {
      const server = await newServer(name);
      await must(
        binaries.pg_basebackup,
        [
          `--pgdata=${server.dataDirectory}`,
          '--wal-method=stream',
          '--checkpoint=fast',
          '--write-recovery-conf',
          '--no-sync',
          `--dbname=host=127.0.0.1 port=${source.port} user=replicator application_name=cloner`,
        ],
        { PGPASSWORD: REPLICATOR.password },
      );
      await server.configure({
        primary_conninfo: `host=127.0.0.1 port=${source.port} user=replicator application_name=${server.name}`,
      });
      return server;
    },
    close: async () => {
      await Promise.all(servers.map(({ dataDirectory }) => killAll(dataDirectory)));
      await rm(directory, { recursive: true, force: true });
    },
  };
};

const makeServer = (lab: {
  readonly name: string;
  readonly directory: string;
  readonly port: number;
  readonly binaries: Binaries;
  readonly owner: Owner | undefined;
  readonly run: RunCommand;
}): TestServer => {
  const { name, directory, port, binaries, owner, run } = lab;
  const dataDirectory = join(directory, 'data');
  let child: ChildProcess | undefined;
  let exited: Promise<void> = Promise.resolve();
  let log = '';

  const query = async (sql: string): Promise<readonly (readonly string[])[]> => {
    const client = new Client({
      host: '127.0.0.1',
      port,
      user: SUPERUSER.username,
      password: SUPERUSER.password,
      database: 'postgres',
      connectionTimeoutMillis: 5_000,
      statement_timeout: QUERY_LIMIT_MS,
    });
    client.on('error', () => undefined);
    await client.connect();
    try {
      const result = await client.query({
        text: sql,
        rowMode: 'array',
        types: { getTypeParser: () => String },
      });
      const last: unknown = Array.isArray(result) ? result.at(-1) : result;
      const { rows } = last as { rows: readonly (readonly (string | null)[])[] };
      return rows.map((row) => row.map((value) => value ?? ''));
    } finally {
      await client.end().catch(() => undefined);
    }
  };

  const value = async (sql: string): Promise<string> => (await query(sql))[0]?.[0] ?? '';

  const server: TestServer = {
    name,
    dataDirectory,
    port,
    pid: () => child?.pid,
    log: () => log,
    query,
    value,
    until: (sql, wanted) =>
      waitUntil(`${sql} = ${wanted} on ${name}`, async () => {
        const answer = await value(sql).catch(() => undefined);
        return answer === wanted;
      }),
    untilLog: (pattern, after = 0) =>
      waitUntil(`${pattern} in the log of ${name}`, () => pattern.test(log.slice(after))),
    start: async ({ until = /accept (read-only )?connections/, args = [] } = {}) => {
      const before = log.length;
      const [program, programArgs] = asOwner(owner, 'QUIT', [
        binaries.postgres,
        '-D',
        dataDirectory,
        ...args,
      ]);
      const started = spawn(program, programArgs, {
        env: { LC_ALL: 'C', PATH: process.env['PATH'] ?? '' },
        cwd: '/',
        stdio: ['ignore', 'pipe', 'pipe'],
      });
      child = started;
      let isGone = false;
      exited = new Promise((resolve) => {
        started.on('exit', () => {
          isGone = true;
          child = undefined;
          resolve();
        });
      });
      const collect = (chunk: Buffer): void => {
        log += chunk.toString('utf8');
      };
      started.stdout.on('data', collect);
      started.stderr.on('data', collect);
      await waitUntil(`${name} to start`, () => {
        if (isGone) throw new Error(`${name} did not start:\n${log.slice(before)}`);
        return until.test(log.slice(before));
      });
    },
    stop: async (mode = 'fast') => {
      child?.kill(mode === 'fast' ? 'SIGINT' : 'SIGQUIT');
      const late = new AbortController();
      const kill = setTimeout(STOP_LIMIT_MS, undefined, { signal: late.signal }).then(
        () => child?.kill('SIGKILL'),
        () => undefined,
      );
      await exited;
      late.abort();
      await kill;
    },
    crash: async () => {
      child?.kill('SIGKILL');
      await killAll(dataDirectory);
      await exited;
    },
    configure: async (parameters) => {
      const lines = Object.entries({
        port: String(port),
        listen_addresses: '127.0.0.1',
        unix_socket_directories: directory,
        fsync: 'off',
        max_wal_senders: '10',
        wal_retrieve_retry_interval: '100ms',
        wal_keep_size: '256MB',
        ...parameters,
      }).map(([key, text]) => `${key} = '${text.replace(/'/g, "''")}'\n`);
      const path = join(dataDirectory, 'postgresql.auto.conf');
      await writeFile(path, lines.join(''));
      if (owner !== undefined) await chown(path, owner.uid, owner.gid);
      const pass = join(directory, 'pgpass');
      const escaped = REPLICATOR.password.replace(/[\\:]/g, '\\$&');
      await writeFile(pass, `*:*:*:replicator:${escaped}\n`, { mode: 0o600 });
      if (owner !== undefined) await chown(pass, owner.uid, owner.gid);
    },
    context: (changes) =>
      testContext({ name, directory, dataDirectory, port, binaries, owner, run }, changes),
  };
  return server;
};
