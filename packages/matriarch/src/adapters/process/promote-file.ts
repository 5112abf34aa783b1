/**
 * The file with which a standby is promoted, as pg_ctl does it: `promote` in the data directory and
 * SIGUSR1 to the postmaster. The name is the same in PostgreSQL 13 to 18 (xlog.h); an old file is
 * removed by every start of a postmaster.
 *
 * Not synchronous, so that a disk that hangs does not hold the guard beyond its deadline.
 */
import { open, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import type { Owner } from './owner-rights.ts';

const MODE = 0o600;

const pathOf = (dataDirectory: string): string => join(dataDirectory, 'promote');

/** A file that is already there will do. It is never opened: it could be a link to anywhere. */
export const writePromoteFile = async (
  dataDirectory: string,
  owner: Owner | undefined,
): Promise<void> => {
  try {
    const file = await open(pathOf(dataDirectory), 'wx', MODE);
    try {
      if (owner !== undefined) await file.chown(owner.uid, owner.gid);
    } finally {
      await file.close();
    }
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error;
  }
};

export const removePromoteFile = async (dataDirectory: string): Promise<void> => {
  try {
    await unlink(pathOf(dataDirectory));
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ENOENT')) throw error;
  }
};
