/** Whether PostgreSQL's user can get at what it needs, tried as that user before the start. */
import { dirname } from 'node:path';
import type { AgentConfig } from '@matriarch/protocol';
import type { RunCommand } from '../ports/run-command.ts';

const LIMIT_MS = 10_000;

interface Need {
  readonly path: string;
  /** A shell condition on `$1`. */
  readonly condition: string;
}

const ALL = 'test -r "$1" && test -w "$1" && test -x "$1"';

/**
 * What is in the way, as a sentence for the user; undefined when nothing is. A directory that
 * cannot be entered looks like a missing password later on: the passfile lies in it.
 */
export const findUnreachable = async (
  { matriarch, postgresql }: AgentConfig,
  run: RunCommand,
): Promise<string | undefined> => {
  const needs: readonly Need[] = [
    { path: matriarch.stateDirectory, condition: ALL },
    { path: dirname(postgresql.dataDirectory), condition: 'test ! -e "$1" || test -x "$1"' },
    { path: postgresql.dataDirectory, condition: `test ! -e "$1" || { ${ALL}; }` },
  ];
  for (const { path, condition } of needs) {
    const tried = await run({
      command: 'sh',
      args: ['-c', condition, 'sh', path],
      env: { PATH: '/usr/bin:/bin', LC_ALL: 'C' },
      limitMs: LIMIT_MS,
    });
    if (tried.kind === 'exited' && tried.code !== 0)
      return (
        `${path}: the user PostgreSQL runs as cannot use this directory: let that user enter it ` +
        'and every directory above it (chmod o+x), or give it to that user (chown)'
      );
  }
  return undefined;
};
