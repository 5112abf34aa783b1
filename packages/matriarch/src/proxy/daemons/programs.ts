import { spawn } from 'node:child_process';
import { access, constants } from 'node:fs/promises';
import { join } from 'node:path';
import { OUTPUT_KEPT_BYTES, type RunCommand } from '../../agent/ports/run-command.ts';

/** Where the distributions put servers; often not on the PATH of an ordinary user. */
const SERVER_DIRECTORIES = ['/usr/local/sbin', '/usr/sbin', '/sbin'];

const isExecutable = async (path: string): Promise<boolean> => {
  try {
    await access(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
};

/** The absolute path of a program: as given, or from the PATH and the usual places. */
export const findProgram = async (name: string): Promise<string | undefined> => {
  if (name.includes('/')) return (await isExecutable(name)) ? name : undefined;
  const onPath = (process.env['PATH'] ?? '').split(':').filter((path) => path.startsWith('/'));
  for (const directory of [...onPath, ...SERVER_DIRECTORIES]) {
    const path = join(directory, name);
    if (await isExecutable(path)) return path;
  }
  return undefined;
};

const keepTail = (text: string, chunk: string): string => (text + chunk).slice(-OUTPUT_KEPT_BYTES);

/** Runs a short program to its end, as ourselves, with a time limit. */
export const runProgram: RunCommand = ({ command, args, env, limitMs }) =>
  new Promise((resolve) => {
    const child = spawn(command, args, { env, cwd: '/', stdio: ['ignore', 'pipe', 'pipe'] });
    const output = { stdout: '', stderr: '' };
    let isLate = false;
    const kill = (): void => {
      isLate = true;
      child.kill('SIGKILL');
    };
    const timer = limitMs === undefined ? undefined : setTimeout(kill, limitMs);
    child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
      output.stdout = keepTail(output.stdout, chunk);
    });
    child.stderr.setEncoding('utf8').on('data', (chunk: string) => {
      output.stderr = keepTail(output.stderr, chunk);
    });
    child.on('error', () => {
      clearTimeout(timer);
      resolve({ kind: 'not-found', command });
    });
    child.on('close', (code, signal) => {
      clearTimeout(timer);
      if (isLate) resolve({ kind: 'timed-out', ...output });
      else if (code === null) resolve({ kind: 'killed', signal: String(signal), ...output });
      else resolve({ kind: 'exited', code, ...output });
    });
  });
