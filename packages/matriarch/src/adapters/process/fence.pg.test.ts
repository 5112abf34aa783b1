/**
 * Shows that a fence leaves no process of a data directory and touches no other, whatever state the
 * server is in: busy, its postmaster dead, stopped or a zombie, its path or program under another
 * name, and where root may not see other users' processes. Real servers, real signals.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { copyFile, mkdir, readFile, rename, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { Client } from 'pg';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import {
  type PostgresLab,
  type TestServer,
  openPostgresLab,
  serverProcesses,
  waitUntil,
} from '../../testing/postgres.ts';
import { type FenceResult, fenceDataDirectory } from './fence.ts';
import { isAlive, listChildren, readProcess } from './processes.ts';

const LIMIT_MS = 5_000;
const isRoot = process.geteuid?.() === 0;

let lab: PostgresLab;
const clients: Client[] = [];
const pids: number[] = [];

beforeAll(async () => {
  lab = await openPostgresLab();
});

afterEach(() => {
  for (const client of clients.splice(0)) void client.end().catch(() => undefined);
  for (const pid of pids.splice(0)) {
    try {
      process.kill(pid, 'SIGKILL');
    } catch {
      // It has ended already.
    }
  }
});

afterAll(async () => {
  await lab.close();
});

const connect = async ({ port }: TestServer): Promise<Client> => {
  const client = new Client({ host: '127.0.0.1', port, user: 'postgres' });
  clients.push(client);
  client.on('error', () => undefined);
  await client.connect();
  return client;
};

/** Sessions that commit as fast as they can, as long as they live. */
const keepCommitting = async (server: TestServer, sessions: number): Promise<void> => {
  await server.query('create table if not exists busy (id bigserial primary key)');
  const forever = 'do $$ begin loop insert into busy default values; commit; end loop; end $$';
  for (let session = 0; session < sessions; session += 1) {
    const client = await connect(server);
    client.query(forever).catch(() => undefined);
  }
  await server.until('select (count(*) > 100)::text from busy', 'true');
  // One that still waits for its statement ends with its postmaster.
  await server.until(
    "select count(*) from pg_stat_activity where state = 'active' and query like 'do %'",
    String(sessions),
  );
};

const startServer = async (): Promise<TestServer> => {
  const server = await lab.createServer();
  await server.start();
  return server;
};

const fence = ({ dataDirectory }: TestServer, pid?: number): Promise<FenceResult> =>
  fenceDataDirectory({ dataDirectory, pid, limitMs: LIMIT_MS });

const mustBeSilent = async ({ dataDirectory }: TestServer): Promise<void> => {
  expect(await serverProcesses(dataDirectory)).toEqual([]);
};

describe('a fence', () => {
  it('silences a busy server, and nothing else', async () => {
    const [server, neighbour] = [await startServer(), await startServer()];
    await keepCommitting(server, 8);
    const before = (await serverProcesses(server.dataDirectory)).length;
    const result = await fence(server, server.pid());
    await mustBeSilent(server);
    expect(result.silent).toBe(true);
    expect(result.killed).toBeGreaterThanOrEqual(before);
    expect(await neighbour.value('select 1')).toBe('1');
    await neighbour.stop('immediate');
  });

  it('does not need to know the postmaster', async () => {
    const server = await startServer();
    await keepCommitting(server, 1);
    expect(await fence(server)).toMatchObject({ silent: true });
    await mustBeSilent(server);
  });

  it('finds the sessions that outlived their postmaster', async () => {
    const server = await startServer();
    await keepCommitting(server, 3);
    const pid = server.pid() ?? 0;
    process.kill(pid, 'SIGKILL');
    await waitUntil('the postmaster to be gone', () => readProcess(pid) === undefined);
    expect((await serverProcesses(server.dataDirectory)).length).toBeGreaterThanOrEqual(3);
    expect(await fence(server, pid)).toMatchObject({ silent: true });
    await mustBeSilent(server);
  });

  it('silences a server whose postmaster is stopped', async () => {
    const server = await startServer();
    await keepCommitting(server, 2);
    process.kill(server.pid() ?? 0, 'SIGSTOP');
    expect(await fence(server, server.pid())).toMatchObject({ silent: true });
    await mustBeSilent(server);
  });

  it('does not wait for a zombie that nobody reaps', async () => {
    const server = await lab.createServer();
    // The shell starts the server and becomes a program that never asks for its children's status.
    const user = lab.owner === undefined ? [] : ownerOptions(lab.owner);
    const script = `${lab.binaries.postgres} -D "$0" >/dev/null 2>&1 & echo $!; exec sleep 60`;
    const parent = spawn('setpriv', [...user, '--', 'sh', '-c', script, server.dataDirectory], {
      env: { LC_ALL: 'C', PATH: '/usr/bin:/bin' },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    pids.push(parent.pid ?? 0);
    const [line] = (await once(createInterface({ input: parent.stdout }), 'line')) as [string];
    await server.until('select 1', '1');
    expect(await fence(server, Number(line))).toMatchObject({ silent: true });
    expect(readProcess(Number(line))?.state).toBe('Z');
    expect(await fence(server, Number(line))).toMatchObject({ silent: true });
  });

  it('of a silent data directory, or of none, kills nothing', async () => {
    const server = await lab.createServer();
    expect(await fence(server)).toEqual({ silent: true, killed: 0 });
    const dataDirectory = join(server.dataDirectory, 'no-such-directory');
    expect(await fenceDataDirectory({ dataDirectory, limitMs: LIMIT_MS })).toEqual({
      silent: true,
      killed: 0,
    });
  });

  it('does not take a pid for the postmaster that has nothing to do with it', async () => {
    const server = await startServer();
    const parent = spawn('sh', ['-c', 'sleep 60 & echo $!; wait'], {
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    const [line] = (await once(createInterface({ input: parent.stdout }), 'line')) as [string];
    const stranger = readProcess(Number(line));
    if (stranger === undefined) throw new Error('no stranger');
    pids.push(parent.pid ?? 0, stranger.pid);
    expect(await fence(server, stranger.pid)).toMatchObject({ silent: true });
    await mustBeSilent(server);
    expect(isAlive(stranger)).toBe(true);
  });

  it('ends a postmaster that is only just coming to be', async () => {
    const server = await lab.createServer();
    // A child of ours that is not postgres yet: it would become it in a moment.
    const child = spawn('sh', ['-c', 'sleep 60'], { stdio: 'ignore' });
    await once(child, 'spawn');
    const entry = readProcess(child.pid ?? 0);
    if (entry === undefined) throw new Error('no child');
    expect(await fence(server, entry.pid)).toMatchObject({ silent: true });
    expect(isAlive(entry)).toBe(false);
  });
});

describe('a data directory', () => {
  it('is known by its real path, also after it was moved or removed', async () => {
    const server = await startServer();
    const link = join(lab.directory, 'link');
    await symlink(server.dataDirectory, link);
    await keepCommitting(server, 1);
    expect(await fenceDataDirectory({ dataDirectory: link, limitMs: LIMIT_MS })).toMatchObject({
      silent: true,
    });
    await mustBeSilent(server);

    const moved = await startServer();
    const aside = `${moved.dataDirectory}.aside`;
    await rename(moved.dataDirectory, aside);
    expect(await fenceDataDirectory({ dataDirectory: aside, limitMs: LIMIT_MS })).toMatchObject({
      silent: true,
    });
    expect(await serverProcesses(aside)).toEqual([]);
  });

  it('is known by its shared memory where the program has another name', async () => {
    const server = await lab.createServer();
    const directory = join(lab.directory, 'renamed');
    await mkdir(directory, { mode: 0o755 });
    const program = join(directory, 'custom-server');
    await copyFile(lab.binaries.postgres, program);
    const user = lab.owner === undefined ? [] : ownerOptions(lab.owner);
    const child = spawn('setpriv', [...user, '--', program, '-D', server.dataDirectory], {
      env: { LC_ALL: 'C', PATH: '/usr/bin:/bin' },
      cwd: '/',
      stdio: 'ignore',
    });
    const postmaster = child.pid ?? 0;
    pids.push(postmaster);
    await server.until('select 1', '1');
    await keepCommitting(server, 2);
    const children = listChildren(postmaster);
    expect(children.length).toBeGreaterThan(4);
    process.kill(postmaster, 'SIGKILL');
    await once(child, 'exit');
    expect(children.filter(isAlive).length).toBeGreaterThan(0);
    expect(await fence(server)).toMatchObject({ silent: true });
    expect(children.filter(isAlive)).toEqual([]);
  });

  it('whose postmaster.pid was left behind by a server long gone can be silent', async () => {
    const server = await lab.createServer();
    const neighbour = await startServer();
    const text = await readFile(join(neighbour.dataDirectory, 'postmaster.pid'), 'latin1');
    const lines = text.split('\n');
    // Ids of shared memory begin anew with every boot: here it is a neighbour's by now.
    const [, id] = (lines[6] ?? '').trim().split(/\s+/);
    lines[6] = `4711 ${id}`;
    await writeFile(join(server.dataDirectory, 'postmaster.pid'), lines.join('\n'));
    expect(await fence(server)).toEqual({ silent: true, killed: 0 });
    expect(await neighbour.value('select 1')).toBe('1');
    await neighbour.stop('immediate');
  });
});

describe.runIf(isRoot)('root without the right to look into processes, as in containers', () => {
  const FENCE = fileURLToPath(new URL('../../../dist/adapters/process/fence.js', import.meta.url));

  it('silences a server all the same', async () => {
    const server = await startServer();
    await keepCommitting(server, 2);
    const program = [
      `import { fenceDataDirectory } from ${JSON.stringify(FENCE)};`,
      'const [dataDirectory] = process.argv.slice(1);',
      'const result = await fenceDataDirectory({ dataDirectory, limitMs: 5000 });',
      'console.log(JSON.stringify({ ...result, uid: process.geteuid(), gid: process.getegid() }));',
    ].join('\n');
    const options = ['--bounding-set=-sys_ptrace', '--inh-caps=-sys_ptrace', '--'];
    const node = [process.execPath, '--input-type=module', '--eval', program, '--'];
    const child = spawn('setpriv', [...options, ...node, server.dataDirectory], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const [line] = (await once(createInterface({ input: child.stdout }), 'line')) as [string];
    const result = JSON.parse(line) as FenceResult;
    expect(result).toMatchObject({ silent: true, uid: 0, gid: 0 });
    expect(result.killed).toBeGreaterThan(4);
    await mustBeSilent(server);
  });
});

const ownerOptions = ({ uid, gid }: { uid: number; gid: number }): readonly string[] => [
  `--reuid=${uid}`,
  `--regid=${gid}`,
  '--clear-groups',
];
