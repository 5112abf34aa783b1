import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { onTestFinished } from 'vitest';

export interface TestProcess {
  readonly pid: number;
  /** Settles with the signal or the status that ended it. */
  readonly ended: Promise<string | number | null>;
}

/**
 * A real process that is gone after the test, whatever it does; it says `ready` when it is. `words`
 * stand on its command line.
 */
export const startProcess = async (
  program: string,
  words: readonly string[] = [],
): Promise<TestProcess> => {
  const child: ChildProcess = spawn(process.execPath, ['-e', program, ...words], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const { pid, stdout } = child;
  if (pid === undefined || stdout === null) throw new Error('node could not be started');
  const ended = once(child, 'exit').then(
    ([status, signal]) => (signal ?? status) as string | number | null,
  );
  onTestFinished(async () => {
    child.kill('SIGKILL');
    await ended;
  });
  await once(stdout, 'data');
  return { pid, ended };
};

const WAIT = 'setInterval(() => {}, 1000);';

/** Ends by SIGTERM. */
export const IDLER = `${WAIT} console.log('ready');`;

/** Ends only by SIGKILL. */
export const STUBBORN = `process.on('SIGTERM', () => {}); ${WAIT} console.log('ready');`;

/** Has a child that has a child; ends with both. The child's pid is on its command line. */
export const FAMILY = `
  const { spawn } = require('node:child_process');
  const child = spawn(process.execPath, ['-e', ${JSON.stringify(`
    const { spawn } = require('node:child_process');
    spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000); console.log(1)'], {
      stdio: ['ignore', 'inherit', 'inherit'],
    });
    setInterval(() => {}, 1000);
  `)}], { stdio: ['ignore', 'pipe', 'inherit'] });
  child.stdout.once('data', () => console.log('ready'));
  ${WAIT}
`;
