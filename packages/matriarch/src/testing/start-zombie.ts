/** A process that has ended and whose exit status nobody asks for, for tests of who is alive. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { waitUntil } from './postgres.ts';

const nameOf = (pid: number): string => readFileSync(`/proc/${pid}/comm`, 'utf8').trim();

/**
 * A child of a program that never asks for its children's status; the caller kills the parent. The
 * child is killed only when its parent is that program: the shell it was before would ask.
 */
export const startZombie = async (): Promise<{ parent: ChildProcess; pid: number }> => {
  const script = 'sleep 60 & echo $!; exec sleep 60';
  const parent = spawn('sh', ['-c', script], { stdio: ['ignore', 'pipe', 'inherit'] });
  const [text] = (await once(parent.stdout, 'data')) as [Buffer];
  const pid = Number(text.toString());
  await waitUntil('the shell to be another program', () => nameOf(parent.pid ?? 0) === 'sleep');
  process.kill(pid, 'SIGKILL');
  return { parent, pid };
};
