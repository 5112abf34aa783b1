import { constants, type FileHandle, open, readFile, rename, rm, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { codeOf } from './answer.ts';
import type { Owner } from './context.ts';

export interface FileKind {
  readonly mode: number;
  readonly owner: Owner | undefined;
}

/** The text of a file; undefined when there is none. Other faults throw. */
export const readTextIfThere = async (path: string): Promise<string | undefined> => {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined;
    throw error;
  }
};

export const exists = async (path: string): Promise<boolean> => {
  try {
    await stat(path);
    return true;
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return false;
    throw error;
  }
};

/** Makes what was created, renamed or removed in a directory survive a power cut. */
export const syncDirectory = async (path: string): Promise<void> => {
  const handle = await open(path, constants.O_RDONLY);
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
};

const settle = async (handle: FileHandle, { mode, owner }: FileKind): Promise<void> => {
  if (owner !== undefined) await handle.chown(owner.uid, owner.gid);
  await handle.chmod(mode);
  await handle.sync();
};

/**
 * Replaces a file: whoever reads it sees the old text or the new one, never a part, also after a
 * power cut. A file that already reads so is left alone. Answers whether it was written.
 */
export const writeAtomically = async (
  path: string,
  text: string,
  kind: FileKind,
): Promise<boolean> => {
  if ((await readTextIfThere(path)) === text && ((await stat(path)).mode & 0o777) === kind.mode)
    return false;
  const temporary = `${path}.matriarch-new`;
  await rm(temporary, { force: true });
  // Created anew and never through a link: as root we write into a directory of somebody else's.
  const flags = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW;
  const handle = await open(temporary, flags, 0o600);
  try {
    await handle.writeFile(text);
    await settle(handle, kind);
  } finally {
    await handle.close();
  }
  await rename(temporary, path);
  await syncDirectory(dirname(path));
  return true;
};

/** The mode a file has, for rewriting what somebody else made; of a missing one, `otherwise`. */
export const modeOf = async (path: string, otherwise: number): Promise<number> =>
  (await exists(path)) ? (await stat(path)).mode & 0o777 : otherwise;

/** Creates a file that survives a power cut; one that is there is left as it is. */
export const createDurably = async (path: string, text: string, kind: FileKind): Promise<void> => {
  if (await exists(path)) return;
  await writeAtomically(path, text, kind);
};

/** Removes a file so that it stays removed after a power cut. Answers whether there was one. */
export const removeDurably = async (path: string): Promise<boolean> => {
  if (!(await exists(path))) return false;
  await rm(path, { force: true });
  await syncDirectory(dirname(path));
  return true;
};
