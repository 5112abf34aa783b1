/** Harm done to one host of a local cluster. Only processes of that cluster are touched. */
import {
  readFileSync,
  readdirSync,
  readlinkSync,
  realpathSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';

const mustRead = (path: string): string => readFileSync(path, 'utf8');

/** First line of postmaster.pid. Throws when no server was started there. */
export const postmasterPid = (dataDirectory: string): number =>
  Number(mustRead(join(dataDirectory, 'postmaster.pid')).split('\n')[0]);

const parentOf = (pid: number): number | undefined => {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]);
  } catch {
    return undefined;
  }
};

const allPids = (): number[] =>
  readdirSync('/proc').flatMap((name) => (/^\d+$/.test(name) ? [Number(name)] : []));

/** The processes with their children, and theirs. */
export const withDescendants = (roots: readonly number[]): number[] => {
  const parents = new Map(allPids().map((pid) => [pid, parentOf(pid)]));
  const family = new Set(roots);
  for (let grown = true; grown; ) {
    grown = false;
    for (const [pid, parent] of parents) {
      if (parent === undefined || !family.has(parent) || family.has(pid)) continue;
      family.add(pid);
      grown = true;
    }
  }
  return [...family];
};

/** Everything of PostgreSQL that works in a data directory, its parent alive or not. */
export const serverPids = (dataDirectory: string): number[] => {
  const directory = realpathSync(dataDirectory);
  return allPids().filter((pid) => {
    try {
      return readlinkSync(`/proc/${pid}/cwd`) === directory;
    } catch {
      return false;
    }
  });
};

export const killAll = (pids: readonly number[], signal: NodeJS.Signals): void => {
  for (const pid of pids) {
    try {
      process.kill(pid, signal);
    } catch {
      // It has ended in the meantime.
    }
  }
};

export const hold = (heldDirectory: string, host: string): void =>
  writeFileSync(join(heldDirectory, host), '');

export const letGo = (heldDirectory: string, host: string): void =>
  rmSync(join(heldDirectory, host), { force: true });
