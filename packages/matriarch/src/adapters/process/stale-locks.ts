/**
 * Lock files of a server that was killed: postmaster.pid and the one beside its Unix socket. Both
 * name a pid, and PostgreSQL refuses to start while a process with that pid can be signalled. After
 * a reboot that may be anybody's; and where nobody reaps, the dead postmaster stays a zombie.
 *
 * Only such misleading files are removed: any other one PostgreSQL judges better than we, since it
 * looks at the shared memory as well. Source: PostgreSQL's miscadmin.h, CreateLockFile.
 */
import { readFileSync, unlinkSync } from 'node:fs';
import { isAbsolute, join } from 'node:path';
import { readProcess } from './processes.ts';
import { countAttached, parseSharedMemory } from './shared-memory.ts';

const PID_LINE = 0;
const DIRECTORY_LINE = 1;
const PORT_LINE = 3;
const SOCKET_LINE = 4;

const read = (file: string): readonly string[] => readFileSync(file, 'latin1').split('\n');

const pidOf = (lines: readonly string[]): number => Number.parseInt(lines[PID_LINE] ?? '', 10);

/** The socket's lock names pid and data directory too: only our own server's is touched. */
const removeSocketLock = (lines: readonly string[]): void => {
  const port = lines[PORT_LINE] ?? '';
  const socketDirectory = lines[SOCKET_LINE] ?? '';
  if (!isAbsolute(socketDirectory) || !/^\d+$/.test(port)) return;
  const file = join(socketDirectory, `.s.PGSQL.${port}.lock`);
  const lock = read(file);
  const isOurs = pidOf(lock) === pidOf(lines) && lock[DIRECTORY_LINE] === lines[DIRECTORY_LINE];
  if (isOurs) unlinkSync(file);
};

/** Call it only when no process of the data directory is left. */
export const removeMisleadingLocks = (dataDirectory: string): void => {
  const file = join(dataDirectory, 'postmaster.pid');
  try {
    const lines = read(file);
    const segment = parseSharedMemory(lines.join('\n'));
    if (segment !== undefined && countAttached(segment) > 0) return;
    if (readProcess(pidOf(lines)) === undefined) return;
    unlinkSync(file);
    removeSocketLock(lines);
  } catch {
    // No such file, or not readable for us: then PostgreSQL says what is wrong with it.
  }
};
