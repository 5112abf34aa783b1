import { createHash } from 'node:crypto';
import { chmod, lstat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Answer, done, failed, type Nothing } from './answer.ts';
import { writeAtomically } from './atomic-file.ts';
import type { PostgresContext } from './context.ts';
import { makeDirectory } from './data-layout.ts';

/** What the kernel takes for the path of a socket, with room for `/.s.PGSQL.65535.lock`. */
const LONGEST_DIRECTORY = 80;
const HASH_CHARACTERS = 16;

/**
 * The directory of the socket that a bootstrapping server listens on, and on nothing else. Beside
 * our own files, or under a short name where that path is too long for a socket.
 */
export const privateSocketDirectory = ({ config }: PostgresContext): string => {
  const path = join(config.matriarch.stateDirectory, 'private');
  if (Buffer.byteLength(path) <= LONGEST_DIRECTORY) return path;
  const name = createHash('sha256').update(path).digest('hex').slice(0, HASH_CHARACTERS);
  return join(tmpdir(), `matriarch-${name}`);
};

export const privateHbaPath = (context: PostgresContext): string =>
  join(privateSocketDirectory(context), 'pg_hba.conf');

/** Whoever can open the directory may log in as anybody: only the server's user and root can. */
export const makePrivateDirectory = async (context: PostgresContext): Promise<Answer<Nothing>> => {
  const path = privateSocketDirectory(context);
  await makeDirectory(path, context.owner);
  const found = await lstat(path);
  const uid = context.owner?.uid ?? process.getuid?.();
  if (!found.isDirectory() || found.uid !== uid)
    return failed(`${path} belongs to somebody else: remove it`);
  await chmod(path, 0o700);
  await writeAtomically(privateHbaPath(context), 'local all all trust\n', {
    mode: 0o600,
    owner: context.owner,
  });
  return done;
};
