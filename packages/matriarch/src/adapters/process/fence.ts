/**
 * Fencing a data directory (rule S4): nothing of its server runs on, and we have seen so. Used by
 * the guard and, when the guard does not answer, by the loop itself.
 *
 *   1. SIGSTOP the postmaster, so that it starts nothing new while we look.
 *   2. SIGKILL its children and every other process of the data directory, then it. Killing only
 *      the postmaster would not do: its backends go on committing for seconds.
 *   3. Look again until nothing is left. A child that was being born during the first look is found
 *      by the next; the dead postmaster can start no more.
 *
 * Steps 1 and 2 happen in one go, without giving way to anything else.
 */
import { setTimeout as pause } from 'node:timers/promises';
import {
  type DataDirectory,
  identifyDataDirectory,
  isServerPid,
  listServerPids,
} from './data-directory.ts';
import {
  type ProcessIdentity,
  isAlive,
  listChildren,
  peekChildPids,
  readProcess,
  sendSignal,
} from './processes.ts';
import {
  type SharedMemory,
  countAttached,
  listAttached,
  readSharedMemory,
} from './shared-memory.ts';

export interface FenceOptions {
  /** A path, or what was learnt of it earlier, which spares touching the disk. */
  readonly dataDirectory: string | DataDirectory;
  /** The postmaster, if known. One that does not belong there is not touched. */
  readonly pid?: number | undefined;
  readonly limitMs: number;
}

export interface FenceResult {
  /** No process of the data directory is left. */
  readonly silent: boolean;
  /** How many processes were killed. */
  readonly killed: number;
}

const POLL_MS = 1;
const POLL_SLOW_MS = 10;
/** So many polls are made at the fast pace. */
const POLLS_FAST_MAX = 50;
const INIT_PID = 1;

/** The processes to be killed, once seen; kept until they are gone. */
export class Victims {
  readonly seen = new Map<number, ProcessIdentity>();

  kill(pid: number): void {
    const entry = sendSignal(pid, 'SIGKILL') ? readProcess(pid) : undefined;
    if (entry !== undefined) this.seen.set(pid, entry);
  }

  anyAlive(): boolean {
    for (const identity of this.seen.values()) if (isAlive(identity)) return true;
    return false;
  }
}

/**
 * Whether this pid is the postmaster to kill, and not another process that got its number. One that
 * is only just starting is no postgres yet: it is told by its parent, the guard, which is us or,
 * for the loop, our parent.
 */
const isPostmaster = (pid: number, directory: DataDirectory): boolean => {
  if (isServerPid(pid, directory)) return true;
  const parentPid = readProcess(pid)?.parentPid;
  return parentPid === process.pid || (parentPid === process.ppid && parentPid !== INIT_PID);
};

/** Stops and kills in one go; afterwards it only remains to be seen. */
export const strikeDataDirectory = (directory: DataDirectory, pid: number | undefined): Victims => {
  const victims = new Victims();
  const postmaster = pid !== undefined && isPostmaster(pid, directory) ? pid : undefined;
  if (postmaster !== undefined) {
    sendSignal(postmaster, 'SIGSTOP');
    // The quick look ends most of the writing; the thorough one finds what it lacks.
    for (const child of peekChildPids(postmaster)) victims.kill(child);
    for (const child of listChildren(postmaster)) victims.kill(child.pid);
  }
  for (const other of listServerPids(directory).found)
    if (other !== postmaster) victims.kill(other);
  if (postmaster !== undefined) victims.kill(postmaster);
  return victims;
};

/** What postmaster.pid says; unknown until it has been read, and on a disk that does not answer. */
interface Segment {
  known: boolean;
  value: SharedMemory | undefined;
}

const learnSegment = (directory: DataDirectory): Segment => {
  const segment: Segment = { known: false, value: undefined };
  readSharedMemory(directory.path).then(
    (value) => {
      segment.value = value;
      segment.known = true;
    },
    () => {
      // Unreadable: it stays unknown, and there is no silence without it.
    },
  );
  return segment;
};

/** Kills what is still found. True: nothing was, and nothing can be hidden from us. */
const isSilent = (directory: DataDirectory, victims: Victims, segment: Segment): boolean => {
  const { found, hidden } = listServerPids(directory);
  for (const pid of found) victims.kill(pid);
  if (found.length > 0 || hidden.length > 0 || !segment.known) return false;
  if (segment.value === undefined || countAttached(segment.value) === 0) return true;
  for (const pid of listAttached(segment.value)) victims.kill(pid);
  return false;
};

/** Ends within the limit, or a little later; whatever it finds, it does not reject. */
export const fenceDataDirectory = async (options: FenceOptions): Promise<FenceResult> => {
  const { dataDirectory, pid, limitMs } = options;
  const directory =
    typeof dataDirectory === 'string' ? identifyDataDirectory(dataDirectory) : dataDirectory;
  const victims = strikeDataDirectory(directory, pid);
  const segment = learnSegment(directory);
  const until = performance.now() + limitMs;
  for (let polls = 0; ; polls += 1) {
    const silent = !victims.anyAlive() && isSilent(directory, victims, segment);
    if (silent || performance.now() >= until) return { silent, killed: victims.seen.size };
    await pause(polls < POLLS_FAST_MAX ? POLL_MS : POLL_SLOW_MS);
  }
};
