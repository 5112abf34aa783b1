import { spawn } from 'node:child_process';
import { rm } from 'node:fs/promises';
import { setTimeout as pause } from 'node:timers/promises';
import type { DaemonSpec } from '../ports/daemon.ts';
import { logSize, openLog, readTail } from './log-file.ts';
import {
  type ProcessIdentity,
  findByPidFile,
  identifyProcess,
  isSameProcess,
  signalProcess,
} from './process-table.ts';
import { findTakenAddresses } from './taken-addresses.ts';

/** A daemon that serves, whether we have started or found it. */
export interface RunningDaemon {
  readonly process: ProcessIdentity;
  /** Settles when the process has ended, with what it last wrote. */
  readonly ended: Promise<string>;
}

export type LaunchOutcome =
  | { readonly kind: 'started' | 'adopted'; readonly daemon: RunningDaemon }
  | { readonly kind: 'program-missing'; readonly program: string }
  | { readonly kind: 'port-taken'; readonly addresses: readonly string[] }
  /** It ended, or never answered; `output` is what it wrote. */
  | { readonly kind: 'not-serving'; readonly cause: string; readonly output: string };

const READY_LIMIT_MS = 15_000;
/** A daemon of ours that does not answer so long after we have found it is replaced. */
const ADOPTION_LIMIT_MS = 3_000;
const READY_LOOK_MS = 10;
const STOP_LIMIT_MS = 5_000;
/** Of a process that is not our child the kernel does not tell us when it ends. */
const ADOPTED_LOOK_MS = 250;

const untilReady = async (spec: DaemonSpec, limitMs: number): Promise<boolean> => {
  const deadline = performance.now() + limitMs;
  while (performance.now() < deadline) {
    if (await spec.isReady()) return true;
    await pause(READY_LOOK_MS);
  }
  return false;
};

/** SIGTERM, then SIGKILL. HAProxy's workers go with their master. */
export const stopProcess = async (known: ProcessIdentity): Promise<void> => {
  signalProcess(known.pid, 'SIGTERM');
  const deadline = performance.now() + STOP_LIMIT_MS;
  while (await isSameProcess(known)) {
    if (performance.now() > deadline) signalProcess(known.pid, 'SIGKILL');
    await pause(READY_LOOK_MS);
  }
};

const watchAdopted = async (spec: DaemonSpec, known: ProcessIdentity): Promise<string> => {
  const offset = await logSize(spec.logFile);
  while (await isSameProcess(known)) await pause(ADOPTED_LOOK_MS);
  return readTail(spec.logFile, offset);
};

/**
 * Takes over a daemon that an earlier run of ours has left behind, as it does when it is killed:
 * the daemon serves on, and starting another one would drop every session. One that does not answer
 * is ended. Undefined: there is none, or there is none any more.
 */
export const adoptDaemon = async (spec: DaemonSpec): Promise<RunningDaemon | undefined> => {
  const found = await findByPidFile(spec.pidFile, spec.marker);
  if (found === undefined) return undefined;
  if (await untilReady(spec, ADOPTION_LIMIT_MS)) {
    return { process: found, ended: watchAdopted(spec, found) };
  }
  await stopProcess(found);
  return undefined;
};

type Spawned =
  | { readonly kind: 'spawned'; readonly pid: number; readonly ended: Promise<string> }
  | { readonly kind: 'failed' };

const spawnInto = (spec: DaemonSpec, logFd: number): Promise<Spawned> =>
  new Promise((resolve) => {
    // A session of its own: Ctrl-C in our terminal and our own death leave it alone.
    const child = spawn(spec.program, spec.args, {
      cwd: '/',
      env: { LC_ALL: 'C', PATH: process.env['PATH'] ?? '' },
      detached: true,
      stdio: ['ignore', logFd, logFd],
    });
    const ended = new Promise<string>((settle) => {
      child.on('exit', (code, signal) =>
        settle(code === null ? `ended by ${String(signal)}` : `ended with status ${code}`),
      );
    });
    child.on('error', () => resolve({ kind: 'failed' }));
    child.on('spawn', () => {
      child.unref();
      if (child.pid !== undefined) resolve({ kind: 'spawned', pid: child.pid, ended });
    });
  });

const spawnDaemon = async (spec: DaemonSpec): Promise<Spawned> => {
  const log = await openLog(spec.logFile);
  try {
    return await spawnInto(spec, log.fd);
  } finally {
    await log.close();
  }
};

/** Starts the daemon and waits until it serves. */
export const startDaemon = async (spec: DaemonSpec): Promise<LaunchOutcome> => {
  const taken = await findTakenAddresses(spec.listens());
  if (taken.length > 0) return { kind: 'port-taken', addresses: taken };
  // PgBouncer refuses to start when the number in it belongs to anybody by now.
  await rm(spec.pidFile, { force: true });
  const offset = await logSize(spec.logFile);
  const spawned = await spawnDaemon(spec);
  if (spawned.kind === 'failed') return { kind: 'program-missing', program: spec.program };
  const known = await identifyProcess(spawned.pid);
  const first = await Promise.race([untilReady(spec, READY_LIMIT_MS), spawned.ended]);
  if (first === true && known !== undefined) {
    const ended = spawned.ended.then(async (how) => {
      const output = await readTail(spec.logFile, offset);
      return `${how}: ${output}`;
    });
    return { kind: 'started', daemon: { process: known, ended } };
  }
  if (known !== undefined) await stopProcess(known);
  const cause = typeof first === 'string' ? first : `no answer in ${READY_LIMIT_MS} ms`;
  return { kind: 'not-serving', cause, output: await readTail(spec.logFile, offset) };
};

/** Takes over what runs, else starts anew. */
export const launchDaemon = async (
  spec: DaemonSpec,
  beforeStart: () => Promise<void>,
): Promise<LaunchOutcome> => {
  const adopted = await adoptDaemon(spec);
  if (adopted !== undefined) return { kind: 'adopted', daemon: adopted };
  await beforeStart();
  return startDaemon(spec);
};
