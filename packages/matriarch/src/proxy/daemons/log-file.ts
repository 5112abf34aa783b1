import { type FileHandle, open, rename, stat } from 'node:fs/promises';

/** A daemon that is started often with much to say must not fill the disk. */
const LOG_BYTES_MAX = 10 * 1_024 * 1_024;
const TAIL_BYTES = 4_096;

const sizeOf = async (path: string): Promise<number> => {
  try {
    return (await stat(path)).size;
  } catch {
    return 0;
  }
};

/** Opens a log for appending; one that has grown large is kept as `.1` and begun anew. */
export const openLog = async (path: string): Promise<FileHandle> => {
  if ((await sizeOf(path)) > LOG_BYTES_MAX) await rename(path, `${path}.1`);
  return open(path, 'a', 0o640);
};

/** What was last written behind `offset`, at most 4 kB of it. */
export const readTail = async (path: string, offset: number): Promise<string> => {
  const size = await sizeOf(path);
  const start = Math.max(offset, size - TAIL_BYTES, 0);
  if (size <= start) return '';
  const file = await open(path, 'r');
  try {
    const { buffer, bytesRead } = await file.read(
      Buffer.alloc(size - start),
      0,
      size - start,
      start,
    );
    return buffer.toString('utf8', 0, bytesRead).trim();
  } finally {
    await file.close();
  }
};

export const logSize = sizeOf;
