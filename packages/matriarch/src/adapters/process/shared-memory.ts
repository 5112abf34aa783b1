/**
 * The small System V segment that every process of one PostgreSQL server stays attached to. It is
 * PostgreSQL's own way to notice leftovers before a start, and a second witness for us: it also
 * finds a backend that changed its working directory. Sources: PostgreSQL's miscadmin.h (line 7 of
 * postmaster.pid), proc(5) (/proc/sysvipc/shm).
 */
import { readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { lookInto } from './owner-rights.ts';
import { listPids } from './processes.ts';

export interface SharedMemory {
  readonly key: number;
  readonly id: number;
}

const SEGMENT_LINE = 6;
const KEY_BITS = 32;

/** The key is written as an unsigned long and shown by the kernel as a signed 32-bit number. */
const parseKey = (text: string): number => Number(BigInt.asIntN(KEY_BITS, BigInt(text)));

/** Undefined when no postmaster.pid names a segment: after an orderly end, or before a start. */
export const parseSharedMemory = (postmasterPid: string): SharedMemory | undefined => {
  const match = /^\s*(\d+)\s+(\d+)\s*$/.exec(postmasterPid.split('\n')[SEGMENT_LINE] ?? '');
  const [, key, id] = match ?? [];
  if (key === undefined || id === undefined) return undefined;
  return { key: parseKey(key), id: Number(id) };
};

/** Not synchronous: the data directory may be on a disk that hangs. */
export const readSharedMemory = async (
  dataDirectory: string,
): Promise<SharedMemory | undefined> => {
  try {
    return parseSharedMemory(await readFile(join(dataDirectory, 'postmaster.pid'), 'latin1'));
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined;
    if (code === 'ENOENT' || code === 'ENOTDIR') return undefined;
    throw error;
  }
};

const KEY_COLUMN = 0;
const ID_COLUMN = 1;
const ATTACHED_COLUMN = 6;

/** How many processes the kernel counts on the segment. The id alone is reused after a reboot. */
export const countAttached = (segment: SharedMemory): number => {
  for (const line of readFileSync('/proc/sysvipc/shm', 'latin1').split('\n')) {
    const columns = line.trim().split(/\s+/);
    if (Number(columns[ID_COLUMN]) !== segment.id) continue;
    if (Number(columns[KEY_COLUMN]) === segment.key) return Number(columns[ATTACHED_COLUMN]);
  }
  return 0;
};

/** The processes that have the segment mapped, as far as we may look at them. */
export const listAttached = (segment: SharedMemory): readonly number[] => {
  const mapping = new RegExp(`^\\S+ ..-s \\S+ \\S+ ${segment.id}\\s+/SYSV`, 'm');
  const maps = (pid: number): string => {
    try {
      return lookInto(pid, () => readFileSync(`/proc/${pid}/maps`, 'latin1'));
    } catch {
      return '';
    }
  };
  return listPids().filter((pid) => mapping.test(maps(pid)));
};
