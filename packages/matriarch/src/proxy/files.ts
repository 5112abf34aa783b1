import { constants, open, readFile, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';

export interface Owner {
  readonly uid: number;
  readonly gid: number;
}

export interface RenderedFile {
  readonly path: string;
  readonly text: string;
  readonly mode: number;
  /** Undefined: our own user. */
  readonly owner: Owner | undefined;
}

export const readIfThere = async (path: string): Promise<string | undefined> => {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
};

const syncDirectory = async (path: string): Promise<void> => {
  const handle = await open(path, constants.O_RDONLY);
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
};

/** Beside the file in use, on the same file system: a rename puts it in place. */
export const candidatePath = (path: string): string => `${path}.candidate`;

/** Writes a file beside the one in use, to be looked at before it takes its place. */
export const writeCandidate = async (file: RenderedFile): Promise<string> => {
  const path = candidatePath(file.path);
  await rm(path, { force: true });
  // Created anew and never through a link.
  const flags = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW;
  const handle = await open(path, flags, 0o600);
  try {
    await handle.writeFile(file.text);
    if (file.owner !== undefined) await handle.chown(file.owner.uid, file.owner.gid);
    await handle.chmod(file.mode);
    await handle.sync();
  } finally {
    await handle.close();
  }
  return path;
};

/** Puts the candidate in the place of the file. Whoever reads sees the old text or the new one. */
export const acceptCandidate = async (path: string): Promise<void> => {
  await rename(candidatePath(path), path);
  await syncDirectory(dirname(path));
};

/** Writes a file that needs no check. */
export const replaceFile = async (file: RenderedFile): Promise<void> => {
  await writeCandidate(file);
  await acceptCandidate(file.path);
};
