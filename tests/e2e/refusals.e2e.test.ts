/**
 * Mistakes of people: a member that is given wrong data, paths, ports, programs or passwords says what
 * is wrong and how to mend it, touches nothing, and leaves the running cluster alone. What can be
 * mended while it runs is tried again, without a storm.
 */
import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  mkdirSync,
  readdirSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { type Server, createServer } from 'node:net';
import { once } from 'node:events';
import { userInfo } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from 'vitest';
import { findServerAccount } from './harness/account.ts';
import { type Cluster, startCluster } from './harness/cluster.ts';
import type { Member } from './harness/member.ts';

const WRONG_INPUT = { code: 2, signal: null };
const REFUSED = { code: 3, signal: null };

let cluster: Cluster;
let primary: Member;
let guest: Member;
let listener: Server | undefined;

beforeAll(async () => {
  cluster = await startCluster({ members: 2, idle: true });
  primary = cluster.member(0);
  guest = cluster.member(1);
  primary.start();
  await cluster.untilPrimary();
});
beforeEach(() => {
  guest.restoreFile();
});
afterEach(async () => {
  listener?.close();
  listener = undefined;
  if (guest.runs) await guest.kill('host');
  for (const suffix of ['', '.new', '.aside', '.matriarch'])
    rmSync(`${guest.dataDirectory}${suffix}`, { recursive: true, force: true });
  rmSync(guest.logFile, { force: true });
  expect((await primary.rest('/primary'))?.status).toBe(200);
});
afterAll(async () => {
  await cluster?.close();
});

const programs = (): string => {
  const [postmaster] = primary.serverProcesses();
  return dirname(postmaster?.commandLine.split(' ')[0] ?? '');
};

/** A database of somebody else, made without us. */
const makeForeignData = (path: string): void => {
  const { uid, gid } = findServerAccount();
  const options = ['--pgdata', path, '--auth', 'trust', '--no-sync', '--username', 'somebody'];
  const user = [`--reuid=${uid}`, `--regid=${gid}`, '--clear-groups'];
  const initdb = [join(programs(), 'initdb'), ...options];
  if (userInfo().uid === 0) execFileSync('setpriv', [...user, ...initdb], { cwd: '/' });
  else execFileSync(initdb[0] ?? '', options, { cwd: '/' });
};

/** Every file with its size and the time of its last change. */
const describeTree = (path: string): readonly string[] =>
  readdirSync(path, { recursive: true, encoding: 'utf8' })
    .sort()
    .map((name) => {
      const { size, mtimeMs, mode, uid } = statSync(join(path, name));
      return `${name} ${size} ${mtimeMs} ${mode} ${uid}`;
    });

const occupy = async (port: number): Promise<void> => {
  listener = createServer((socket) => socket.destroy());
  listener.listen(port, '127.0.0.1');
  await once(listener, 'listening');
};

const isStreaming = async (): Promise<boolean> =>
  (await guest.status())?.replication_state === 'streaming';

it('refuses data of another cluster, and touches nothing', async () => {
  makeForeignData(guest.dataDirectory);
  const before = describeTree(guest.dataDirectory);
  guest.start();
  expect(await guest.ending(20_000)).toEqual(REFUSED);
  expect(describeTree(guest.dataDirectory)).toEqual(before);
  const own = (await primary.status())?.database_system_identifier ?? '';
  expect(guest.log).toMatch(/system identifier is \d+/u);
  expect(guest.log).toContain(own);
});

it('refuses a directory that holds something else, and touches nothing', async () => {
  mkdirSync(guest.dataDirectory);
  const { uid, gid } = findServerAccount();
  chownSync(guest.dataDirectory, uid, gid);
  writeFileSync(join(guest.dataDirectory, 'letter.txt'), 'dear');
  const before = describeTree(guest.dataDirectory);
  guest.start();
  expect(await guest.ending(20_000)).toEqual(REFUSED);
  expect(describeTree(guest.dataDirectory)).toEqual(before);
  expect(guest.log).toContain(guest.dataDirectory);
});

it('refuses to found a cluster in v3 where data shows that there is one in v2', async () => {
  const hosts = cluster.etcd.endpoints.map((url) => url.replace('http://', ''));
  guest.configure({ scope: 'unheard-of', etcd3: undefined, etcd: { hosts } });
  makeForeignData(guest.dataDirectory);
  const before = describeTree(guest.dataDirectory);
  guest.start();
  expect(await guest.ending(20_000)).toEqual(REFUSED);
  expect(describeTree(guest.dataDirectory)).toEqual(before);
  expect(guest.log).toMatch(/etcd3/u);
  expect(await cluster.etcd.etcdctl('get', '--prefix', '/service/unheard-of/')).not.toContain(
    'initialize',
  );
});

it('names a path that cannot be written', async () => {
  const blocked = join(guest.directory, 'blocked');
  writeFileSync(blocked, '');
  guest.configure({ postgresql: { data_dir: join(blocked, 'data') } });
  guest.start();
  expect(await guest.ending(20_000)).toEqual(WRONG_INPUT);
  expect(guest.log).toContain(blocked);
  rmSync(blocked);
});

it('names a path that PostgreSQL’s user cannot reach', async () => {
  const closed = join(guest.directory, 'closed');
  mkdirSync(closed, { mode: 0o700 });
  // A directory of root's for root, and one without rights for anybody else.
  if (userInfo().uid === 0) chownSync(closed, 0, 0);
  else chmodSync(closed, 0);
  guest.configure({ postgresql: { data_dir: join(closed, 'data') } });
  guest.start();
  const { code } = await guest.ending(20_000);
  expect(code).toBeGreaterThan(0);
  expect(guest.log).toContain(closed);
  chmodSync(closed, 0o700);
  rmSync(closed, { recursive: true });
});

it('names the address of the API that somebody else has taken', async () => {
  await occupy(guest.apiPort);
  guest.start();
  expect(await guest.ending(20_000)).toEqual(WRONG_INPUT);
  expect(guest.log).toContain(`127.0.0.1:${guest.apiPort}`);
});

it('names the package of a program that is missing', async () => {
  const bin = join(guest.directory, 'bin');
  mkdirSync(bin);
  // No links: the agent follows them to where the others are.
  for (const name of readdirSync(programs()).filter((program) => program !== 'pg_rewind'))
    writeFileSync(join(bin, name), `#!/bin/sh\nexec ${programs()}/${name} "$@"\n`, { mode: 0o755 });
  guest.configure({ postgresql: { bin_dir: bin } });
  guest.start();
  expect(await guest.ending(20_000)).toEqual(WRONG_INPUT);
  expect(guest.log).toMatch(/pg_rewind.*package postgresql/su);
  rmSync(bin, { recursive: true });
});

it('lists all mistakes of its file at once, with their places', async () => {
  guest.configure({
    restapi: { listen: 'nowhere' },
    postgresql: { listen: '127.0.0.1:99999', data_dirr: '/x' },
  });
  guest.start();
  expect(await guest.ending(20_000)).toEqual(WRONG_INPUT);
  expect(guest.log).toMatch(/patroni\.yml:\d+:\d+: restapi\.listen/u);
  expect(guest.log).toMatch(/patroni\.yml:\d+:\d+: postgresql\.listen/u);
});

it('says that PostgreSQL’s port is taken, and starts when it is free again', async () => {
  await occupy(guest.postgresPort);
  guest.start();
  await cluster.waitUntil(
    'a word about the port',
    () => /address already in use/iu.test(guest.log),
    { limitMs: 30_000, explain: () => guest.describe() },
  );
  const starts = guest.events('server.started').length;
  expect(starts).toBeLessThan(10);
  listener?.close();
  await cluster.waitUntil('a replica that streams', isStreaming);
});

it('says that its replication password is wrong, and clones with the right one', async () => {
  guest.configure({ postgresql: { authentication: { replication: { password: 'guessed' } } } });
  guest.start();
  await cluster.waitUntil('a word about the password', () =>
    /password authentication failed for user .{0,2}replicator/u.test(guest.log),
  );
  await cluster.waitUntil('another attempt', () => guest.events('member.cloning').length > 1);
  expect(guest.log).not.toContain('guessed');
  await guest.stop();
  guest.restoreFile();
  guest.start();
  await cluster.waitUntil('a replica that streams', isStreaming);
});

it('says that its own superuser’s password is wrong, and serves with the right one', async () => {
  guest.configure({ postgresql: { authentication: { superuser: { password: 'guessed' } } } });
  guest.start();
  await cluster.waitUntil(
    'a word about the password',
    () => /password authentication failed for user .{0,2}postgres/u.test(guest.log),
    { limitMs: 30_000, explain: () => guest.describe() },
  );
  expect(guest.log).not.toContain('guessed');
  expect(guest.serverLog).not.toContain('guessed');
  await guest.stop();
  guest.restoreFile();
  guest.start();
  await cluster.waitUntil('a replica that streams', isStreaming);
});

it('leaves a primary alone whose superuser has a new password', async () => {
  const { postmasterPid, loopPid } = primary;
  const right = 'super secret';
  await primary.query("alter role postgres password 'changed by hand'");
  // The next loop has no connection that was opened with the old one.
  await primary.kill('loop');
  await cluster.waitUntil('a word of the next loop about the password', () =>
    /password authentication failed for user .{0,2}postgres/u.test(primary.log),
  );
  expect(primary.loopPid).not.toBe(loopPid);
  // Longer than a server may be silent, and than a lease lives.
  const end = performance.now() + 10_000;
  await cluster.waitUntil('a while', () => {
    expect(primary.postmasterPid).toBe(postmasterPid);
    return performance.now() > end;
  });
  await primary.query(`alter role postgres password '${right}'`, { password: 'changed by hand' });
  await cluster.untilPrimary();
  expect(primary.postmasterPid).toBe(postmasterPid);
});
