/**
 * The processes of this host as /proc shows them. Everything is read synchronously: it takes
 * microseconds per process, and a fence must not give way to other work between list and kill.
 */
import { readFileSync, readdirSync } from 'node:fs';

/** A pid alone may be another process by now: the start time tells them apart. */
export interface ProcessIdentity {
  readonly pid: number;
  /** Start in clock ticks since boot. */
  readonly startTicks: number;
}

export interface ProcessEntry extends ProcessIdentity {
  readonly parentPid: number;
  /** One letter, proc(5): `R` `S` `D` `T` alive, `Z` a zombie, `X` dead. */
  readonly state: string;
  /** Name of the executable, cut off after 15 characters. */
  readonly name: string;
}

/* Positions in /proc/<pid>/stat, from behind the name: that may hold spaces and brackets. */
const STATE = 0;
const PARENT = 1;
const START = 19;

/** Undefined when there is no such process (any more). */
export const readProcess = (pid: number): ProcessEntry | undefined => {
  let text: string;
  try {
    text = readFileSync(`/proc/${pid}/stat`, 'latin1');
  } catch {
    return undefined;
  }
  const nameEnd = text.lastIndexOf(')');
  const fields = text.slice(nameEnd + 2).split(' ');
  return {
    pid,
    name: text.slice(text.indexOf('(') + 1, nameEnd),
    state: fields[STATE] ?? 'X',
    parentPid: Number(fields[PARENT]),
    startTicks: Number(fields[START]),
  };
};

const isLiving = (entry: ProcessEntry): boolean => entry.state !== 'Z' && entry.state !== 'X';

/**
 * Whether exactly this process still runs. A zombie does not: it executes nothing and only waits
 * for its parent, which some containers never let happen.
 */
export const isAlive = ({ pid, startTicks }: ProcessIdentity): boolean => {
  const entry = readProcess(pid);
  return entry !== undefined && entry.startTicks === startTicks && isLiving(entry);
};

const CHARACTER_0 = 48;
const CHARACTER_9 = 57;

export const listPids = (): readonly number[] => {
  const pids: number[] = [];
  for (const name of readdirSync('/proc')) {
    const first = name.charCodeAt(0);
    if (first >= CHARACTER_0 && first <= CHARACTER_9) pids.push(Number(name));
  }
  return pids;
};

/** The living direct children of a process. */
export const listChildren = (parentPid: number): readonly ProcessEntry[] =>
  listPids()
    .map(readProcess)
    .filter((entry) => entry !== undefined)
    .filter((entry) => entry.parentPid === parentPid && isLiving(entry));

/**
 * The same by one read, zombies included. It may lack some unless the parent is stopped, and not
 * every kernel has it: no more than a quick first look.
 */
export const peekChildPids = (parentPid: number): readonly number[] => {
  try {
    const text = readFileSync(`/proc/${parentPid}/task/${parentPid}/children`, 'latin1');
    return text.split(' ').filter(Boolean).map(Number);
  } catch {
    return [];
  }
};

/** Sends a signal; false when the process is gone or not ours to signal. */
export const sendSignal = (pid: number, signal: NodeJS.Signals): boolean => {
  try {
    return process.kill(pid, signal);
  } catch {
    return false;
  }
};

/** Sends a signal to exactly this process, not to another one that got its pid. */
export const sendSignalTo = (identity: ProcessIdentity, signal: NodeJS.Signals): boolean =>
  isAlive(identity) && sendSignal(identity.pid, signal);
