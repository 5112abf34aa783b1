import { chmodSync, lstatSync, mkdirSync } from 'node:fs';
import { dirname } from 'node:path';

/**
 * With the missing parents, and with this mode whatever the umask of the user is: as root,
 * PostgreSQL's own user has to come through. What is there already stays as it is.
 */
export const makeDirectory = (path: string, mode = 0o755): void => {
  const first = mkdirSync(path, { recursive: true, mode });
  if (first === undefined) return;
  for (let made = path; made.length >= first.length; made = dirname(made)) chmodSync(made, mode);
};

/**
 * For a name that others could guess in a directory that others may write. Throws when it is
 * somebody else's: they could put their own sockets there.
 */
export const makeOwnDirectory = (path: string): void => {
  makeDirectory(path);
  const stats = lstatSync(path);
  if (!stats.isDirectory() || stats.uid !== process.geteuid?.())
    throw new Error(`${path} belongs to user ${stats.uid}: remove it`);
};
