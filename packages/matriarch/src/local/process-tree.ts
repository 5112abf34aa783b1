/** Processes as the kernel shows them, each told apart from a later one with the same pid. */
import { readFileSync, readdirSync } from 'node:fs';

export interface KnownProcess {
  readonly pid: number;
  /** When it began, in clock ticks since boot. */
  readonly startTicks: string;
}

/* Positions in /proc/<pid>/stat, behind the name: that may hold spaces and brackets. */
const STATE = 0;
const PARENT = 1;
const THREADS = 17;
const START_TICKS = 19;

/** The fields behind the name; undefined: the process has ended, and holds nothing any more. */
export const parseStat = (stat: string): readonly string[] | undefined => {
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  // A zombie executes nothing any more; it only waits for its parent, perhaps for ever. Unless
  // other threads of it are still ending, and keep its files and ports until they have: a killed
  // etcd was seen to keep its ports for up to 70 ms, and never once its last thread had ended.
  const isOver = 'ZX'.includes(fields[STATE] ?? 'X') && Number(fields[THREADS] ?? 0) <= 1;
  return isOver ? undefined : fields;
};

const readStat = (pid: number): readonly string[] | undefined => {
  try {
    return parseStat(readFileSync(`/proc/${pid}/stat`, 'latin1'));
  } catch {
    return undefined;
  }
};

/** Undefined when there is no such process, or it has ended and nobody has taken note. */
export const startTicksOf = (pid: number): string | undefined => readStat(pid)?.[START_TICKS];

export const identify = (pid: number): KnownProcess | undefined => {
  const startTicks = startTicksOf(pid);
  return startTicks === undefined ? undefined : { pid, startTicks };
};

export const isRunning = ({ pid, startTicks }: KnownProcess): boolean => {
  const ticks = startTicksOf(pid);
  return ticks !== undefined && ticks === startTicks;
};

/** Signals exactly this process; false when it is gone, or not ours to signal. */
export const signalTo = (known: KnownProcess, signal: NodeJS.Signals): boolean => {
  try {
    return isRunning(known) && process.kill(known.pid, signal);
  } catch {
    return false;
  }
};

export const allPids = (): number[] =>
  readdirSync('/proc').flatMap((name) => (/^\d+$/.test(name) ? [Number(name)] : []));

/** The processes with their children, and theirs. */
export const withDescendants = (roots: readonly number[]): number[] => {
  const parents = new Map(allPids().map((pid) => [pid, Number(readStat(pid)?.[PARENT])]));
  const family = new Set(roots);
  for (let grown = true; grown; ) {
    grown = false;
    for (const [pid, parent] of parents) {
      if (!family.has(parent) || family.has(pid)) continue;
      family.add(pid);
      grown = true;
    }
  }
  return [...family];
};
