/**
 * A proxy for tests: directories, free ports, fake members, and an end that leaves no process and
 * no file behind, whatever state the test has left things in.
 */
import { chmod, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort, waitUntil } from '../../testing/postgres.ts';
import {
  commandLineOf,
  findByPidFile,
  identifyProcess,
  isSameProcess,
  signalProcess,
} from '../daemons/process-table.ts';
import { type ProxyOptions, type ProxyStart, runProxy } from '../main.ts';
import type { Log } from '../ports/log.ts';
import type { RunningProxy } from '../proxy.ts';
import { type ProxyPaths, type ProxySettings, layOutProxy } from '../settings.ts';
import { type FakeMember, FakeStore, createFakeMember } from './fake-cluster.ts';

export interface LogLine {
  readonly level: 'info' | 'warn' | 'error';
  readonly message: string;
  readonly [attribute: string]: unknown;
}

export interface ProxyLab {
  readonly directory: string;
  readonly sockets: string;
  readonly paths: ProxyPaths;
  readonly store: FakeStore;
  readonly log: readonly LogLine[];
  readonly members: readonly FakeMember[];
  readonly settings: ProxySettings;
  readonly ports: {
    readonly write: number;
    readonly read: number;
    readonly statistics: number;
    readonly pgbouncer: number;
  };
  start(changes?: Partial<ProxyOptions>): Promise<ProxyStart>;
  /** Starts, or fails the test with what stood against it. */
  mustStart(changes?: Partial<ProxyOptions>): Promise<RunningProxy>;
  untilLogged(message: string, after?: number): Promise<LogLine>;
  close(): Promise<void>;
}

const endDaemon = async (pidFile: string, marker: string): Promise<void> => {
  const found = await findByPidFile(pidFile, marker);
  if (found === undefined) return;
  signalProcess(found.pid, 'SIGKILL');
  await waitUntil(`process ${found.pid} to be gone`, async () => !(await isSameProcess(found)));
};

/** The children of a process, zombies left out. */
export const childrenOf = async (pid: number): Promise<readonly number[]> => {
  const text = await readFile(`/proc/${pid}/task/${pid}/children`, 'utf8').catch(() => '');
  const pids = text.trim().split(/\s+/u).map(Number).filter(Boolean);
  const alive = await Promise.all(pids.map(async (child) => identifyProcess(child)));
  return alive.flatMap((known) => (known === undefined ? [] : [known.pid]));
};

export const isRunning = async (pid: number): Promise<boolean> =>
  (await commandLineOf(pid)).length > 0 && (await identifyProcess(pid)) !== undefined;

export const openProxyLab = async (
  names: readonly string[],
  options: {
    readonly postgresqlPorts?: readonly number[];
    readonly haproxy?: Partial<ProxySettings['haproxy']>;
    readonly pgbouncer?: Partial<NonNullable<ProxySettings['pgbouncer']>>;
  } = {},
): Promise<ProxyLab> => {
  const directory = await mkdtemp(join(tmpdir(), 'mtr-'));
  await chmod(directory, 0o755);
  const sockets = join(directory, 's');
  const paths = layOutProxy(join(directory, 'proxy'), sockets);
  const store = new FakeStore();
  const log: LogLine[] = [];
  const logger: Log = {
    info: (attributes, message) => log.push({ ...attributes, level: 'info', message }),
    warn: (attributes, message) => log.push({ ...attributes, level: 'warn', message }),
    error: (attributes, message) => log.push({ ...attributes, level: 'error', message }),
  };
  const members: FakeMember[] = [];
  for (const [index, name] of names.entries()) {
    members.push(await createFakeMember(name, options.postgresqlPorts?.[index]));
  }
  const ports = {
    write: await freePort(),
    read: await freePort(),
    statistics: await freePort(),
    pgbouncer: await freePort(),
  };
  const host = '127.0.0.1';
  const settings: ProxySettings = {
    members: members.map(({ name, postgresqlPort, restPort }) => ({
      name,
      host,
      postgresqlPort,
      restPort,
    })),
    haproxy: {
      write: { host, port: ports.write },
      read: { host, port: ports.read },
      statistics: { host, port: ports.statistics },
      ...options.haproxy,
    },
    ...(options.pgbouncer === undefined
      ? {}
      : {
          pgbouncer: {
            listen: { host, port: ports.pgbouncer },
            databases: [],
            users: [],
            ...options.pgbouncer,
          },
        }),
  };
  const running: RunningProxy[] = [];
  const start = async (changes: Partial<ProxyOptions> = {}): Promise<ProxyStart> => {
    const started = await runProxy({
      directory: join(directory, 'proxy'),
      socketDirectory: sockets,
      settings,
      routes: store,
      log: logger,
      ...changes,
    });
    if (started.kind === 'running') running.push(started.proxy);
    return started;
  };
  return {
    directory,
    sockets,
    paths,
    store,
    log,
    members,
    settings,
    ports,
    start,
    mustStart: async (changes) => {
      const started = await start(changes);
      if (started.kind === 'running') return started.proxy;
      throw new Error(started.problems.map(({ message }) => message).join('\n'));
    },
    untilLogged: async (message, after = 0) => {
      let line: LogLine | undefined;
      await waitUntil(`the log to say "${message}"`, () => {
        line = log.slice(after).find((candidate) => candidate.message === message);
        return line !== undefined;
      });
      return line as LogLine;
    },
    close: async () => {
      for (const proxy of running) proxy.release();
      await endDaemon(paths.haproxy.pidFile, paths.haproxy.config);
      await endDaemon(paths.pgbouncer.pidFile, paths.pgbouncer.config);
      for (const member of members) member.close();
      await rm(directory, { recursive: true, force: true });
    },
  };
};
