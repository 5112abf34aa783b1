import { readFile, readlink } from 'node:fs/promises';
import { join } from 'node:path';
import { readTextIfThere } from './atomic-file.ts';
import { parsePostmasterFile } from './own-server.ts';

/**
 * Whether a postmaster runs on the data directory. postmaster.pid outlives a kill, and its number
 * may belong to another server of this host by now: what that process was started with, or where it
 * works, tells them apart.
 */
export const isServerRunning = async (dataDirectory: string): Promise<boolean> => {
  const text = await readTextIfThere(join(dataDirectory, 'postmaster.pid'));
  const file = parsePostmasterFile(text ?? '');
  if (file === undefined) return false;
  const commandLine = await readFile(`/proc/${file.pid}/cmdline`, 'utf8').catch(() => '');
  if (commandLine.split('\0').includes(dataDirectory)) return true;
  const cwd = await readlink(`/proc/${file.pid}/cwd`).catch(() => '');
  return cwd === dataDirectory;
};
