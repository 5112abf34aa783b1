/**
 * Shows the guard on the real thing: a guard process, its loop and PostgreSQL, each killed, stopped
 * and late. Afterwards /proc must show no process of the data directory. The loop only passes on
 * what the test asks; everything else is the program as it is built.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, statSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { getPriority } from 'node:os';
import { join } from 'node:path';
import { type Instant, type LaunchSpec, type LeaseId, after } from '@matriarch/core';
import { Client } from 'pg';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { readBootClock } from '../../adapters/process/boot-clock.ts';
import { readProcess } from '../../adapters/process/processes.ts';
import {
  type PostgresLab,
  type TestServer,
  openPostgresLab,
  serverProcesses,
  waitUntil,
} from '../../testing/postgres.ts';
import { type TestGuard, type TestLoop, kill, startTestGuard } from './testing/guard-lab.ts';

const LEASE = '7587888' as LeaseId;
const LONG_MS = 60_000;
/** What a loaded test machine may add to anything. */
const SLACK_MS = 1_500;

let lab: PostgresLab;
let server: TestServer;
let guard: TestGuard;
let loop: TestLoop;
const clients: Client[] = [];

beforeAll(async () => {
  lab = await openPostgresLab();
});

afterAll(async () => {
  await lab.close();
});

beforeEach(async () => {
  server = await lab.createServer();
  guard = await startTestGuard();
  loop = await guard.loop(1);
});

afterEach(async () => {
  for (const client of clients.splice(0)) void client.end().catch(() => undefined);
  await guard.close();
  await waitUntil('the data directory to be silent', isSilent, 10_000);
});

const isSilent = async (): Promise<boolean> =>
  (await serverProcesses(server.dataDirectory)).length === 0;

const launch = (): LaunchSpec => ({
  command: lab.binaries.postgres,
  arguments: ['-D', server.dataDirectory],
  environment: { LC_ALL: 'C', PATH: '/usr/bin:/bin' },
  dataDirectory: server.dataDirectory,
  logFile: join(server.dataDirectory, '..', 'postgres.log'),
  user: lab.owner,
});

const deadlineIn = (milliseconds: number): Instant => after(readBootClock(), milliseconds);

const accepts = (): Promise<boolean> =>
  server.value('select 1').then(
    () => true,
    () => false,
  );

const startAs = async (as: 'primary' | 'standby', deadlineMs = LONG_MS): Promise<number> => {
  if (as === 'standby') await writeFile(join(server.dataDirectory, 'standby.signal'), '');
  await loop.ask('extend', { deadline: deadlineIn(LONG_MS), leaseId: LEASE });
  const started = await loop.ask('start', { as, launch: launch() });
  if (started.kind !== 'done') throw new Error(JSON.stringify(started));
  await waitUntil(`the server to accept connections\n${guard.log}`, accepts);
  if (deadlineMs !== LONG_MS) {
    // Only another lease's deadline may be an earlier one.
    const leaseId = '7587889' as LeaseId;
    await loop.ask('extend', { deadline: deadlineIn(deadlineMs), leaseId });
  }
  return started.pid;
};

/** A session that commits as fast as it can, as long as it lives. */
const keepCommitting = async (): Promise<Client> => {
  await server.query('create table if not exists busy (id bigserial primary key)');
  const client = new Client({ host: '127.0.0.1', port: server.port, user: 'postgres' });
  clients.push(client);
  client.on('error', () => undefined);
  await client.connect();
  const forever = 'do $$ begin loop insert into busy default values; commit; end loop; end $$';
  client.query(forever).catch(() => undefined);
  await waitUntil('the session to commit', async () => {
    return Number(await server.value('select count(*) from busy')) > 10;
  });
  return client;
};

describe('a start', () => {
  it('as primary is refused without a deadline, then with one that has passed', async () => {
    const refused = await loop.ask('start', { as: 'primary', launch: launch() });
    expect(refused).toMatchObject({ kind: 'refused' });
    const deadline = deadlineIn(100);
    await loop.ask('extend', { deadline, leaseId: LEASE });
    await waitUntil('the deadline to pass', () => readBootClock() > deadline);
    const late = await loop.ask('start', { as: 'primary', launch: launch() });
    expect(late).toMatchObject({ kind: 'refused' });
    expect(await isSilent()).toBe(true);
  });

  it('makes PostgreSQL a child of the guard, with a log only its user can read', async () => {
    const pid = await startAs('primary');
    const status = readFileSync(`/proc/${pid}/status`, 'latin1');
    expect(readProcess(pid)).toMatchObject({ parentPid: guard.pid, name: 'postgres' });
    expect(Number(/^Uid:\s+(\d+)/m.exec(status)?.[1])).toBe(lab.owner?.uid ?? process.getuid?.());
    expect(/^CapInh:\s+0+$/m.test(status)).toBe(true);
    const log = statSync(launch().logFile);
    expect(log.mode & 0o777).toBe(0o600);
    if (lab.owner !== undefined) expect(log.uid).toBe(lab.owner.uid);
    expect(readFileSync(launch().logFile, 'utf8')).toContain('accept connections');
    const environment = readFileSync(`/proc/${pid}/environ`, 'latin1').split('\0');
    expect(environment.filter((entry) => entry.startsWith('MATRIARCH'))).toEqual([]);
  });

  it('as standby is refused for a data directory that would come up as a primary', async () => {
    const refused = await loop.ask('start', { as: 'standby', launch: launch() });
    expect(refused).toMatchObject({ kind: 'refused' });
    expect(JSON.stringify(refused)).toContain('standby.signal');
  });

  it('is refused beside a server that somebody else started there', async () => {
    await server.start();
    await loop.ask('extend', { deadline: deadlineIn(LONG_MS), leaseId: LEASE });
    const refused = await loop.ask('start', { as: 'primary', launch: launch() });
    expect(refused).toMatchObject({ kind: 'refused' });
    await server.stop('immediate');
  });

  it('is not stopped by lock files that name a living stranger', async () => {
    // Only a process that the server's user could signal counts for PostgreSQL.
    const { uid, gid } = lab.owner ?? {};
    const options = { stdio: 'ignore', ...(uid === undefined ? {} : { uid, gid }) } as const;
    const stranger = spawn('sleep', ['60'], options);
    await once(stranger, 'spawn');
    const { dataDirectory, port } = server;
    const sockets = join(dataDirectory, '..');
    const lock = `${stranger.pid}\n${dataDirectory}\n0\n${port}\n${sockets}\n`;
    await writeFile(join(dataDirectory, 'postmaster.pid'), lock);
    await writeFile(join(sockets, `.s.PGSQL.${port}.lock`), lock);
    await startAs('primary');
    expect(stranger.kill('SIGKILL')).toBe(true);
  });

  it('that fails tells why nothing runs', async () => {
    await loop.ask('extend', { deadline: deadlineIn(LONG_MS), leaseId: LEASE });
    const wrong = { ...launch(), arguments: ['-D', server.dataDirectory, '-c', 'nonsense=1'] };
    const started = await loop.ask('start', { as: 'primary', launch: wrong });
    expect(started).toMatchObject({ kind: 'done' });
    expect((await loop.notice('server-exited')).exit).toMatchObject({ code: 1, signal: null });
    expect(readFileSync(launch().logFile, 'utf8')).toContain('nonsense');
  });
});

describe('the deadline', () => {
  it('ends a busy primary in time while the loop is stopped', async () => {
    await startAs('primary');
    await keepCommitting();
    const deadline = deadlineIn(1_000);
    const other = '1' as LeaseId;
    const reply = await loop.ask('extend', { deadline, leaseId: other });
    kill(loop.pid, 'SIGSTOP');
    expect(reply).toEqual({ kind: 'done', deadline });
    await waitUntil('silence', isSilent);
    const silentAt = readBootClock();
    expect(silentAt).toBeGreaterThanOrEqual(deadline);
    expect(silentAt).toBeLessThan(deadline + SLACK_MS);
  });

  it('that has passed is not moved by an extension that was on its way', async () => {
    await startAs('primary', 700);
    kill(guard.pid, 'SIGSTOP');
    const deadline = deadlineIn(LONG_MS);
    const late = loop.ask('extend', { deadline, leaseId: '7587889' as LeaseId });
    const resumeAt = deadlineIn(900);
    await waitUntil('the deadline to pass', () => readBootClock() > resumeAt);
    expect(await isSilent()).toBe(false);
    kill(guard.pid, 'SIGCONT');
    const reply = await late;
    if (reply.kind === 'done') expect(reply.deadline).toBeLessThan(resumeAt);
    expect(await loop.notice('guard-fenced')).toMatchObject({ silent: true });
    expect(await isSilent()).toBe(true);
  });

  it('counts for a standby once it is promoted', async () => {
    await startAs('standby');
    expect(await server.value('select pg_is_in_recovery()')).toBe('t');
    expect(await loop.ask('promote', undefined)).toEqual({ kind: 'done' });
    await server.until('select pg_is_in_recovery()', 'f');
    const deadline = deadlineIn(300);
    await loop.ask('extend', { deadline, leaseId: '2' as LeaseId });
    expect(await loop.notice('guard-fenced')).toMatchObject({ silent: true });
    expect(await isSilent()).toBe(true);
  });
});

describe('a loop', () => {
  it('that is killed gets a successor that takes the server over as it runs', async () => {
    const pid = await startAs('primary');
    const { startTicks } = readProcess(pid) ?? {};
    kill(loop.pid, 'SIGKILL');
    const next = await guard.loop(2);
    const hello = await next.notice('hello');
    expect(hello.process).toEqual({ kind: 'running', pid, startedAs: 'primary', promoted: false });
    expect(hello.leaseId).toBe(LEASE);
    expect(hello.deadline).toBeGreaterThan(readBootClock());
    expect(readProcess(pid)?.startTicks).toBe(startTicks);
    expect(await next.ask('reload', undefined)).toEqual({ kind: 'done' });
  });

  it('that is stopped for too long is killed and replaced, the server untouched', async () => {
    const pid = await startAs('standby');
    kill(loop.pid, 'SIGSTOP');
    const next = await guard.loop(2);
    expect(readProcess(loop.pid)).toBeUndefined();
    expect((await next.notice('hello')).process).toMatchObject({ kind: 'running', pid });
  });

  it('with a final status ends the guard, the server first', async () => {
    await startAs('standby');
    loop.exit(3);
    expect(await guard.ended).toBe(3);
    expect(await isSilent()).toBe(true);
  });
});

describe('the guard', () => {
  it('that is killed takes PostgreSQL, busy as it is, and the loop with it', async () => {
    await startAs('primary');
    await keepCommitting();
    kill(guard.pid, 'SIGKILL');
    const killedAt = readBootClock();
    await waitUntil('silence', isSilent);
    expect(readBootClock() - killedAt).toBeLessThan(SLACK_MS);
    await waitUntil('the loop to end', () => loop.isGone);
  });

  it('that gets SIGTERM lets the loop arrange the end', async () => {
    await startAs('primary');
    guard.signal('SIGTERM');
    expect(await loop.notice('signal')).toEqual({ kind: 'signal', signal: 'SIGTERM' });
    const stopped = await loop.ask('stop', { mode: 'fast', limitMs: 20_000 });
    expect(stopped).toEqual({ kind: 'done', mode: 'fast' });
    expect((await loop.notice('server-exited')).exit).toMatchObject({ code: 0, signal: null });
    expect(await loop.ask('leave', 0)).toEqual({ kind: 'done' });
    loop.exit(0);
    expect(await guard.ended).toBe(0);
  });

  it('that gets SIGTERM stops the server itself when the loop dies over it', async () => {
    await startAs('primary');
    guard.signal('SIGTERM');
    await loop.notice('signal');
    kill(loop.pid, 'SIGKILL');
    expect(await guard.ended).toBe(1);
    expect(await isSilent()).toBe(true);
    expect(readFileSync(launch().logFile, 'utf8')).toContain('database system is shut down');
  });

  it('passes SIGHUP on, and SIGINT as SIGTERM', async () => {
    guard.signal('SIGHUP');
    expect(await loop.notice('signal')).toMatchObject({ signal: 'SIGHUP' });
    loop.notices.length = 0;
    guard.signal('SIGINT');
    expect(await loop.notice('signal')).toMatchObject({ signal: 'SIGTERM' });
  });
});

describe('priority', () => {
  it('is raised for the guard where that is permitted, and for nobody else', async () => {
    const pid = await startAs('primary');
    const own = getPriority();
    expect(getPriority(guard.pid)).toBe(process.geteuid?.() === 0 ? -20 : own);
    expect(getPriority(loop.pid)).toBe(own);
    expect(getPriority(pid)).toBe(own);
    for (const child of await serverProcesses(server.dataDirectory))
      expect(getPriority(child)).toBe(own);
  });
});

describe('the postmaster', () => {
  it('that is killed is told at once, and the fence finds what it left behind', async () => {
    const pid = await startAs('primary');
    await keepCommitting();
    kill(pid, 'SIGKILL');
    const { exit } = await loop.notice('server-exited');
    expect(exit).toEqual({
      pid,
      startedAs: 'primary',
      promoted: false,
      code: null,
      signal: 'SIGKILL',
    });
    expect(await isSilent()).toBe(false);
    const { dataDirectory } = server;
    const fenced = await loop.ask('fence', { dataDirectory });
    expect(fenced).toEqual({ kind: 'done', silent: true });
    expect(await isSilent()).toBe(true);
  });

  it('that is killed leaves nothing beyond the deadline, loop or no loop', async () => {
    const pid = await startAs('primary', 1_500);
    await keepCommitting();
    kill(loop.pid, 'SIGSTOP');
    kill(pid, 'SIGKILL');
    await waitUntil('silence', isSilent);
  });

  it('that is stopped is fenced', async () => {
    const pid = await startAs('primary');
    await keepCommitting();
    kill(pid, 'SIGSTOP');
    const { dataDirectory } = server;
    expect(await loop.ask('fence', { dataDirectory })).toEqual({ kind: 'done', silent: true });
    expect(await isSilent()).toBe(true);
    expect((await loop.notice('server-exited')).exit).toMatchObject({ signal: 'SIGKILL' });
  });

  it('that is stopped does not outlast the limits of a stop', async () => {
    const pid = await startAs('standby');
    kill(pid, 'SIGSTOP');
    const stopped = await loop.ask('stop', { mode: 'fast', limitMs: 200 });
    expect(stopped).toEqual({ kind: 'done', mode: 'immediate' });
    expect(await isSilent()).toBe(true);
  });
});

describe('an adopted server', () => {
  const adopt = async (): Promise<number> => {
    await server.start();
    const pid = server.pid() ?? 0;
    const { dataDirectory } = server;
    expect(await loop.ask('adopt', { pid, dataDirectory })).toEqual({ kind: 'done' });
    return pid;
  };

  it('is told of when it ends, with how it ended', async () => {
    const pid = await adopt();
    await server.stop('fast');
    expect((await loop.notice('server-exited')).exit).toMatchObject({ pid, code: 0 });
  });

  it('is told of when it is killed', async () => {
    const pid = await adopt();
    await server.crash();
    expect((await loop.notice('server-exited')).exit).toMatchObject({ pid, code: null });
  });

  it('is fenced at its deadline', async () => {
    await adopt();
    await keepCommitting();
    await loop.ask('extend', { deadline: deadlineIn(300), leaseId: LEASE });
    expect(await loop.notice('guard-fenced')).toMatchObject({ silent: true });
    expect(await isSilent()).toBe(true);
  });

  it('is left running when the loop leaves before it had a deadline', async () => {
    await adopt();
    loop.exit(3);
    expect(await guard.ended).toBe(3);
    expect(await accepts()).toBe(true);
    await server.stop('immediate');
  });

  it('that is none is told of at once', async () => {
    const { dataDirectory } = server;
    await loop.ask('adopt', { pid: guard.pid, dataDirectory });
    expect((await loop.notice('server-exited')).exit).toMatchObject({ pid: guard.pid });
    expect(readProcess(guard.pid)).toBeDefined();
  });
});
