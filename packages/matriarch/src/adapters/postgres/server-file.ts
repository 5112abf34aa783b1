import { constants, open } from 'node:fs/promises';
import { codeOf } from './answer.ts';
import { type PostgresContext, toolEnvironment } from './context.ts';

const LIMIT_MS = 10_000;

/**
 * The text of a file in a directory of the server's user; undefined when there is none. An agent
 * that is root must not be led to files that user may not read: a link is followed with that
 * user's rights, by a program that runs as them.
 */
export const readServerFile = async (
  { run, owner }: PostgresContext,
  path: string,
): Promise<string | undefined> => {
  const flags =
    owner === undefined ? constants.O_RDONLY : constants.O_RDONLY | constants.O_NOFOLLOW;
  try {
    const handle = await open(path, flags);
    try {
      return await handle.readFile('utf8');
    } finally {
      await handle.close();
    }
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined;
    if (codeOf(error) !== 'ELOOP') throw error;
  }
  const env = toolEnvironment();
  const result = await run({ command: 'cat', args: ['--', path], env, limitMs: LIMIT_MS });
  if (result.kind === 'exited' && result.code === 0) return result.stdout;
  throw Object.assign(new Error(`${path} cannot be read by the server's user`), { code: 'EACCES' });
};
