/** PostgreSQL's processes for the guard: its parent, or the watcher of one that was found. */
import { type ChildProcess, spawn } from 'node:child_process';
import type {
  ServerEnd,
  ServerOrder,
  ServerProcesses,
  Spawned,
} from '../../agent/ports/guard-host.ts';
import { isShutDown } from './control-state.ts';
import { type DataDirectory, identifyDataDirectory, isServerPid } from './data-directory.ts';
import { fenceDataDirectory, strikeDataDirectory } from './fence.ts';
import { buildLaunch, findObjection } from './launch-server.ts';
import type { Owner } from './owner-rights.ts';
import type { Priority } from './priority.ts';
import { type ProcessIdentity, isAlive, readProcess, sendSignalTo } from './processes.ts';
import { removePromoteFile, writePromoteFile } from './promote-file.ts';
import { removeMisleadingLocks } from './stale-locks.ts';

/** How often a postmaster that is not our child is looked at. */
const WATCH_MS = 50;

/** Standard output is the log's; what goes wrong before postgres is there goes to our stderr. */
const STDERR = 2;

interface Current {
  readonly identity: ProcessIdentity;
  readonly owner: Owner | undefined;
  readonly directory: DataDirectory;
}

/** Undefined when the host has no memory or no process left for it. */
const spawnDetached = (
  argv: readonly [string, ...string[]],
  environment: Readonly<Record<string, string>>,
): ChildProcess | undefined => {
  const [file, ...args] = argv;
  try {
    const child = spawn(file, args, {
      env: environment,
      stdio: ['ignore', STDERR, STDERR],
      // A session of its own: Ctrl-C in a terminal is for the guard, which asks the loop.
      detached: true,
    });
    return child.on('error', () => undefined);
  } catch {
    return undefined;
  }
};

class LocalServers implements ServerProcesses {
  readonly #priority: Priority;
  #current: Current | undefined;
  /** The data directory as it was when its server came, under the path it was given as. */
  #known: { readonly path: string; readonly directory: DataDirectory } | undefined;
  #promoting = false;

  constructor(priority: Priority) {
    this.#priority = priority;
  }

  spawn(order: ServerOrder, onEnd: (end: ServerEnd) => void): Spawned {
    const { launch } = order;
    const { dataDirectory } = launch;
    // The file may still come to be, and promote the server that is started now.
    if (this.#promoting) return refused(`a promotion is still being written to ${dataDirectory}`);
    const directory = this.#learn(dataDirectory);
    const objection = findObjection(order, directory);
    if (objection !== undefined) return refused(objection);
    const line = buildLaunch(launch);
    if (line.kind === 'impossible') return refused(line.cause);
    removeMisleadingLocks(dataDirectory);
    const child = spawnDetached(line.argv, launch.environment);
    const identity = child?.pid === undefined ? undefined : readProcess(child.pid);
    if (child === undefined || identity === undefined)
      return refused(`cannot execute ${line.argv[0]}`);
    this.#priority.restore(identity.pid);
    const current = { identity, owner: launch.user, directory };
    this.#current = current;
    this.#reportExit(child, current, onEnd);
    return { kind: 'spawned', pid: identity.pid };
  }

  #reportExit(child: ChildProcess, current: Current, onEnd: (end: ServerEnd) => void): void {
    child.on('exit', (code, signal) => {
      if (this.#current === current) this.#current = undefined;
      onEnd({ pid: current.identity.pid, code, signal });
    });
  }

  watch(pid: number, dataDirectory: string, onEnd: (end: ServerEnd) => void): void {
    const directory = this.#learn(dataDirectory);
    const identity = isServerPid(pid, directory) ? readProcess(pid) : undefined;
    if (identity === undefined) return onEnd({ pid, code: null, signal: null });
    const current = { identity, owner: undefined, directory };
    this.#current = current;
    const timer = setInterval(() => {
      if (isAlive(identity)) return;
      clearInterval(timer);
      if (this.#current === current) this.#current = undefined;
      // There is no exit status of somebody else's child: an orderly end shows in pg_control.
      const report = (isClean: boolean): void =>
        onEnd({ pid, code: isClean ? 0 : null, signal: null });
      isShutDown(dataDirectory).then(report, () => report(false));
    }, WATCH_MS).unref();
  }

  signal(pid: number, signal: 'SIGINT' | 'SIGQUIT' | 'SIGHUP'): void {
    const identity = this.#identityOf(pid);
    if (identity !== undefined) sendSignalTo(identity, signal);
  }

  async promote(pid: number, dataDirectory: string): Promise<string | undefined> {
    const current = this.#current;
    if (current?.identity.pid !== pid) return `pid ${pid} has ended`;
    this.#promoting = true;
    try {
      await writePromoteFile(dataDirectory, current.owner);
      if (sendSignalTo(current.identity, 'SIGUSR1')) return undefined;
      await removePromoteFile(dataDirectory);
      return `pid ${pid} has ended`;
    } catch (error) {
      return error instanceof Error ? error.message : String(error);
    } finally {
      this.#promoting = false;
    }
  }

  async fence(order: {
    readonly dataDirectory: string;
    readonly pid: number | undefined;
    readonly limitMs: number;
  }): Promise<{ readonly silent: boolean; readonly killed: number }> {
    const { dataDirectory, pid, limitMs } = order;
    try {
      const directory = this.#recall(dataDirectory);
      return await fenceDataDirectory({ dataDirectory: directory, pid, limitMs });
    } catch {
      return { silent: false, killed: 0 };
    }
  }

  strike(order: { readonly dataDirectory: string; readonly pid: number | undefined }): void {
    strikeDataDirectory(this.#recall(order.dataDirectory), order.pid);
  }

  #recall(path: string): DataDirectory {
    return this.#known?.path === path ? this.#known.directory : identifyDataDirectory(path);
  }

  #learn(path: string): DataDirectory {
    const directory = identifyDataDirectory(path);
    this.#known = { path, directory };
    return directory;
  }

  #identityOf(pid: number): ProcessIdentity | undefined {
    const identity = this.#current?.identity;
    return identity?.pid === pid ? identity : undefined;
  }
}

const refused = (cause: string): Spawned => ({ kind: 'refused', cause });

export const createServerProcesses = (priority: Priority): ServerProcesses =>
  new LocalServers(priority);
