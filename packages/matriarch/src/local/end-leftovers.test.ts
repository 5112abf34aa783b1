/**
 * What an `up` that was killed has left: real processes with records in a state directory. Each
 * writes its name to a file when it is told to end, so that the order can be seen.
 */
import { once } from 'node:events';
import { existsSync, mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { type ChildKind, recordChild } from './child-records.ts';
import { destroyState } from './destroy-state.ts';
import { type LocalPaths, localPaths } from './directories.ts';
import { endLeftovers } from './end-leftovers.ts';
import { startTicksOf, withDescendants } from './process-tree.ts';
import { FAMILY, IDLER, startProcess } from './testing/start-process.ts';
import { openTemporaryDirectory } from './testing/temporary-directory.ts';

/** For tests in which somebody does not end. */
const SHORT_LIMITS_MS = { proxy: 200, member: 200, store: 200, descendants: 200 };

interface State {
  readonly paths: LocalPaths;
  /** Everybody writes their name here when they end. */
  readonly obituaries: string;
}

const openState = (): State => {
  const directory = openTemporaryDirectory();
  const paths = localPaths(join(directory, 'state'));
  mkdirSync(paths.children, { recursive: true });
  return { paths, obituaries: join(directory, 'obituaries') };
};

const leave = async ({ paths, obituaries }: State, kind: ChildKind, name: string) => {
  const child = await startProcess(`
    process.on('SIGTERM', () => {
      require('node:fs').appendFileSync(${JSON.stringify(obituaries)}, '${name} ');
      process.exit(0);
    });
    ${IDLER}
  `);
  recordChild(paths.children, { kind, name }, child.pid);
  return child;
};

/** A REST API that says whether its member is the primary. */
const serveApi = async (isPrimary: boolean): Promise<number> => {
  const server = createServer(({ url }, response) => {
    response.writeHead(isPrimary && url === '/primary' ? 200 : 503).end();
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return (server.address() as AddressInfo).port;
};

const writePlan = (paths: LocalPaths, rest: Readonly<Record<string, number>>): void => {
  const members = Object.fromEntries(
    Object.entries(rest).map(([name, port]) => [name, { postgresql: 0, rest: port }]),
  );
  const haproxy = { write: 1, read: 2, stats: 3 };
  writeFileSync(paths.plan, JSON.stringify({ members, etcd: [], haproxy, pgbouncer: 4 }));
};

describe('leftovers', () => {
  it('are ended in order: the doors, the replicas, the primary, the store', async () => {
    const state = openState();
    const { paths, obituaries } = state;
    writePlan(paths, { pg1: await serveApi(false), pg2: await serveApi(true), pg3: 1 });
    const children = await Promise.all([
      leave(state, 'store', 'etcd1'),
      leave(state, 'member', 'pg1'),
      leave(state, 'member', 'pg2'),
      leave(state, 'member', 'pg3'),
      leave(state, 'proxy', 'proxy'),
    ]);
    const { ended, remaining } = await endLeftovers(paths);
    await Promise.all(children.map((child) => child.ended));
    expect(ended).toEqual(['proxy', 'pg1', 'pg3', 'pg2', 'etcd1']);
    expect(remaining).toEqual([]);
    const order = readFileSync(obituaries, 'utf8').trim().split(' ');
    expect(order[0]).toBe('proxy');
    expect(order.slice(1, 3).sort()).toEqual(['pg1', 'pg3']);
    expect(order.slice(3)).toEqual(['pg2', 'etcd1']);
    expect(readdirSync(paths.children)).toEqual([]);
  });

  it('go with whatever they have started', async () => {
    const { paths } = openState();
    const { pid } = await startProcess(FAMILY);
    recordChild(paths.children, { kind: 'store', name: 'etcd1' }, pid);
    const family = withDescendants([pid]);
    expect(await endLeftovers(paths, SHORT_LIMITS_MS)).toEqual({ ended: ['etcd1'], remaining: [] });
    expect(family.filter((one) => startTicksOf(one) !== undefined)).toEqual([]);
  });

  it('are killed when they do not end', async () => {
    const { paths } = openState();
    const child = await startProcess(IDLER);
    recordChild(paths.children, { kind: 'store', name: 'etcd1' }, child.pid);
    // A stopped process acts on nothing but this.
    process.kill(child.pid, 'SIGSTOP');
    expect(await endLeftovers(paths, SHORT_LIMITS_MS)).toEqual({
      ended: ['etcd1'],
      remaining: [],
    });
    expect(await child.ended).toBe('SIGKILL');
  });

  it('include HAProxy and PgBouncer, whose proxy was killed too', async () => {
    const { paths } = openState();
    for (const [name, config] of [
      ['haproxy', 'haproxy.cfg'],
      ['pgbouncer', 'pgbouncer.ini'],
    ] as const) {
      const directory = join(paths.proxy, name);
      mkdirSync(directory, { recursive: true });
      const { pid } = await startProcess(IDLER, [join(directory, config)]);
      writeFileSync(join(directory, `${name}.pid`), `${pid}\n`);
    }
    const { ended, remaining } = await endLeftovers(paths);
    expect(ended).toEqual(['haproxy', 'pgbouncer']);
    expect(remaining).toEqual([]);
  });

  it('are not whoever has their pid now', async () => {
    const state = openState();
    const { paths, obituaries } = state;
    const { pid } = await leave(state, 'member', 'pg1');
    const file = join(paths.children, 'member.pg1.json');
    writeFileSync(
      file,
      readFileSync(file, 'utf8').replace(/"startTicks":"\d+"/, '"startTicks":"1"'),
    );
    expect(await endLeftovers(paths)).toEqual({ ended: [], remaining: [] });
    expect(startTicksOf(pid)).toBeDefined();
    expect(existsSync(obituaries)).toBe(false);
  });

  it('are none where nothing was ever started', async () => {
    const paths = localPaths(join(openTemporaryDirectory(), 'missing'));
    expect(await endLeftovers(paths)).toEqual({ ended: [], remaining: [] });
  });
});

describe('destroying a state', () => {
  it('ends what is left and removes everything', async () => {
    const state = openState();
    const { paths } = state;
    mkdirSync(paths.sockets, { recursive: true });
    const { ended } = await leave(state, 'member', 'pg1');
    expect(await destroyState(paths.state)).toBeUndefined();
    await ended;
    expect([existsSync(paths.state), existsSync(paths.sockets)]).toEqual([false, false]);
  });

  it('is refused while its `up` runs', async () => {
    const state = openState();
    const { paths } = state;
    const up = await leave(state, 'member', 'pg1');
    const record = {
      pid: up.pid,
      startTicks: startTicksOf(up.pid),
      file: '',
      workingDirectory: '',
    };
    writeFileSync(paths.lock, JSON.stringify(record));
    expect(await destroyState(paths.state)).toContain(`is up (process ${up.pid}): stop it first`);
    expect(existsSync(paths.state)).toBe(true);
    expect(startTicksOf(up.pid)).toBeDefined();
  });

  it('that is not there is no mistake', async () => {
    expect(await destroyState(join(openTemporaryDirectory(), 'missing'))).toBeUndefined();
  });
});
