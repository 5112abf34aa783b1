import type { Failure } from '@matriarch/core';
import type { CommandResult } from '../../agent/ports/run-command.ts';

/** What every call of this adapter answers: done with its result, or why not. It never throws. */
export type Answer<T> = ({ readonly kind: 'done' } & T) | Failure;

/** For calls that have nothing to tell but that they are done. */
export type Nothing = Record<never, never>;

export const done: Answer<Nothing> = { kind: 'done' };

export const failed = (cause: string): Failure => ({ kind: 'failed', cause });

export const unknown = (cause: string): Failure => ({ kind: 'unknown', cause });

export const messageOf = (error: unknown): string =>
  error instanceof Error ? error.message : String(error);

/** The `code` of a system or SQL error (`ENOENT`, `57P03`); undefined when it has none. */
export const codeOf = (error: unknown): string | undefined => {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  return typeof code === 'string' ? code : undefined;
};

/**
 * Faults of files and sockets become `failed`: they are facts of life here, not mistakes of ours.
 */
export const attempt = async <T>(
  what: string,
  work: () => Promise<Answer<T>>,
): Promise<Answer<T>> => {
  try {
    return await work();
  } catch (error) {
    if (codeOf(error) === undefined) throw error;
    return failed(`cannot ${what}: ${messageOf(error)}`);
  }
};

const SAID_LINES = 4;

/** The last lines of what a program said, as one line: errors stand at the end. */
const lastLines = (text: string): string =>
  text
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '')
    .slice(-SAID_LINES)
    .join(' | ');

/** How a program ended that should have exited with 0. */
export const describeEnd = (program: string, result: CommandResult): string => {
  switch (result.kind) {
    case 'exited':
      return `${program} exited with status ${result.code}: ${lastLines(result.stderr)}`;
    case 'timed-out':
      return `${program} was ended because it took too long: ${lastLines(result.stderr)}`;
    case 'killed':
      return `${program} was killed by ${result.signal}: ${lastLines(result.stderr)}`;
    case 'not-found':
      return `${result.command} cannot be executed`;
  }
};
