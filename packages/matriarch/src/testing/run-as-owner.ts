import { spawn } from 'node:child_process';
import type { Owner } from '../adapters/postgres/context.ts';
import { OUTPUT_KEPT_BYTES, type RunCommand } from '../agent/ports/run-command.ts';

/** The command line that runs a program as `owner`, dying with us by `signal`. */
export const asOwner = (
  owner: Owner | undefined,
  signal: 'KILL' | 'QUIT',
  commandLine: readonly string[],
): readonly [string, readonly string[]] => {
  const user =
    owner === undefined
      ? []
      : [`--reuid=${owner.uid}`, `--regid=${owner.gid}`, '--clear-groups', '--inh-caps=-all'];
  return ['setpriv', [...user, `--pdeathsig=${signal}`, '--', ...commandLine]];
};

const keepTail = (text: string, chunk: string): string => (text + chunk).slice(-OUTPUT_KEPT_BYTES);

/** Hands on whole lines of a stream. */
const cutLines = (onLine: ((line: string) => void) | undefined): ((chunk: string) => void) => {
  let partial = '';
  return (chunk) => {
    const lines = (partial + chunk).split(/[\r\n]/);
    partial = lines.pop() ?? '';
    for (const line of lines) if (line !== '') onLine?.(line);
  };
};

export const createTestRunner =
  (owner: Owner | undefined): RunCommand =>
  ({ command, args, env, limitMs, signal, onStdoutLine, onStderrLine }) =>
    new Promise((resolve) => {
      const [program, programArgs] = asOwner(owner, 'KILL', [command, ...args]);
      const child = spawn(program, programArgs, {
        env,
        cwd: '/',
        stdio: ['ignore', 'pipe', 'pipe'],
      });
      let stdout = '';
      let stderr = '';
      const printed = cutLines(onStdoutLine);
      const complained = cutLines(onStderrLine);
      let isLate = false;
      const timer =
        limitMs === undefined
          ? undefined
          : setTimeout(() => {
              isLate = true;
              child.kill('SIGKILL');
            }, limitMs);
      signal?.addEventListener('abort', () => child.kill('SIGKILL'), { once: true });
      child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
        stdout = keepTail(stdout, chunk);
        printed(chunk);
      });
      child.stderr.setEncoding('utf8').on('data', (chunk: string) => {
        stderr = keepTail(stderr, chunk);
        complained(chunk);
      });
      child.on('error', () => resolve({ kind: 'not-found', command }));
      child.on('close', (code, killedBy) => {
        clearTimeout(timer);
        if (isLate) return resolve({ kind: 'timed-out', stdout, stderr });
        if (killedBy !== null) return resolve({ kind: 'killed', signal: killedBy, stderr });
        // What setpriv answers when it cannot execute the program.
        if (code === 127 || code === 126) return resolve({ kind: 'not-found', command });
        return resolve({ kind: 'exited', code: code ?? -1, stdout, stderr });
      });
    });
