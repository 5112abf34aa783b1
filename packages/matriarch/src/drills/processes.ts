/** Harm done to one host of a local cluster. Only processes of that cluster are touched. */
import { readFileSync, readlinkSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { allPids } from '../local/process-tree.ts';

const mustRead = (path: string): string => readFileSync(path, 'utf8');

/** First line of postmaster.pid. Throws when no server was started there. */
export const postmasterPid = (dataDirectory: string): number =>
  Number(mustRead(join(dataDirectory, 'postmaster.pid')).split('\n')[0]);

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
