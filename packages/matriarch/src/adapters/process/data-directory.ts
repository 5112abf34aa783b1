/**
 * Which processes belong to a data directory (rule S4): those whose executable is postgres and
 * whose working directory is the data directory. That holds also for backends whose postmaster is
 * dead, which have parent 1 and sessions of their own.
 */
import { readlinkSync, realpathSync, statSync } from 'node:fs';
import { basename, resolve } from 'node:path';
import { lookInto } from './owner-rights.ts';
import { listPids, readProcess } from './processes.ts';

/** A data directory as processes show it. Learnt once: a hanging disk must not hold a fence. */
export interface DataDirectory {
  /** Absolute, without symbolic links. */
  readonly path: string;
  /** Undefined while the directory does not exist. */
  readonly place: { readonly device: number; readonly inode: number } | undefined;
}

export const identifyDataDirectory = (path: string): DataDirectory => {
  try {
    const { dev, ino } = statSync(path);
    return { path: realpathSync(path), place: { device: dev, inode: ino } };
  } catch {
    return { path: resolve(path), place: undefined };
  }
};

const EXECUTABLE = 'postgres';
/** What the kernel adds when a file was removed, as a package upgrade does under a live server. */
const DELETED = ' (deleted)';

const withoutDeleted = (link: string): string =>
  link.endsWith(DELETED) ? link.slice(0, -DELETED.length) : link;

type Link = { readonly target: string } | { readonly error: string };

const readLink = (path: string): Link => {
  try {
    return { target: readlinkSync(path) };
  } catch (error) {
    return { error: error instanceof Error && 'code' in error ? String(error.code) : 'unknown' };
  }
};

const isDenied = (link: Link): boolean =>
  'error' in link && (link.error === 'EACCES' || link.error === 'EPERM');

/** Through a bind mount the same directory has another path: its place tells. */
const isSamePlace = (pid: number, { place }: DataDirectory): boolean => {
  if (place === undefined) return false;
  try {
    const { dev, ino } = statSync(`/proc/${pid}/cwd`);
    return dev === place.device && ino === place.inode;
  } catch {
    return false;
  }
};

/** `hidden`: called postgres and of our own user, but it does not let us see where it runs. */
type Verdict = 'ours' | 'other' | 'hidden';

const judge = (pid: number, directory: DataDirectory): Verdict => {
  const executable = readLink(`/proc/${pid}/exe`);
  if (isDenied(executable)) return judgeDenied(pid, directory);
  // No executable: a kernel thread, a zombie, or gone in the meantime.
  if (!('target' in executable)) return 'other';
  if (basename(withoutDeleted(executable.target)) !== EXECUTABLE) return 'other';
  const working = readLink(`/proc/${pid}/cwd`);
  if (isDenied(working)) return 'hidden';
  if (!('target' in working)) return 'other';
  const { target } = working;
  if (target === directory.path || withoutDeleted(target) === directory.path) return 'ours';
  return isSamePlace(pid, directory) ? 'ours' : 'other';
};

/**
 * Another user's process, in a container that gives root no right to look. With the owner's rights
 * we see it; whom that does not help neither could have started this server.
 */
const judgeDenied = (pid: number, directory: DataDirectory): Verdict => {
  if (readProcess(pid)?.name !== EXECUTABLE) return 'other';
  return lookInto(pid, () => {
    const executable = readLink(`/proc/${pid}/exe`);
    if ('target' in executable) return judge(pid, directory);
    return isDenied(executable) && mayBeOurs(pid) ? 'hidden' : 'other';
  });
};

const mayBeOurs = (pid: number): boolean => {
  try {
    const own = process.geteuid?.();
    return own === 0 || statSync(`/proc/${pid}`).uid === own;
  } catch {
    return false;
  }
};

/** Whether this process belongs to the data directory, as far as we can see. */
export const isServerPid = (pid: number, directory: DataDirectory): boolean =>
  judge(pid, directory) === 'ours';

export interface ServerPids {
  readonly found: readonly number[];
  /** Possibly ours as well: while there are any, there is no telling silence. */
  readonly hidden: readonly number[];
}

/** Takes about 10 µs per process of the host. */
export const listServerPids = (directory: DataDirectory): ServerPids => {
  const found: number[] = [];
  const hidden: number[] = [];
  for (const pid of listPids()) {
    const verdict = judge(pid, directory);
    if (verdict === 'ours') found.push(pid);
    else if (verdict === 'hidden') hidden.push(pid);
  }
  return { found, hidden };
};
