/**
 * What clears up after these tests, tested: a process that holds the keeper is killed hard, and what it
 * has started and written is gone a moment later. Nothing that belongs to others is touched.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { afterEach, expect, it } from 'vitest';
import { observeProcess, signal } from './harness/processes.ts';
import { waitUntil } from './harness/wait.ts';

const KEEPER = fileURLToPath(new URL('harness/keeper.mjs', import.meta.url));

/** Starts a keeper and two programs, one of them stopped, and tells their process ids. */
const HOLDER = `
  const { spawn } = require('node:child_process');
  const [keeperPath, directory] = process.argv.slice(1);
  const keeper = spawn(process.execPath, [keeperPath], {
    detached: true, stdio: ['pipe', 'ignore', 'ignore'],
  });
  keeper.stdin.write('directory ' + directory + '\\n');
  const inside = spawn('sleep', ['1000'], { cwd: directory, detached: true, stdio: 'ignore' });
  const named = spawn('sh', ['-c', 'kill -STOP $$; :', directory + '/a'], {
    cwd: '/', detached: true, stdio: 'ignore',
  });
  console.log(JSON.stringify([keeper.pid, inside.pid, named.pid]));
  setInterval(() => {}, 1000);
`;

const started: ChildProcess[] = [];
const directories: string[] = [];

const makeDirectory = (): string => {
  const path = mkdtempSync(join(tmpdir(), 'matriarch-e2e-'));
  directories.push(path);
  return path;
};

afterEach(() => {
  for (const child of started.splice(0)) child.kill('SIGKILL');
  for (const path of directories.splice(0)) rmSync(path, { recursive: true, force: true });
});

it('ends what was started and removes what was written, when its holder is killed', async () => {
  const directory = makeDirectory();
  const other = makeDirectory();
  mkdirSync(join(directory, 'data'));
  const bystander = spawn('sleep', ['1000'], { cwd: other, detached: true, stdio: 'ignore' });
  const holder = spawn(process.execPath, ['-e', HOLDER, KEEPER, directory], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  started.push(bystander, holder);
  const [line] = (await once(createInterface({ input: holder.stdout }), 'line')) as [string];
  const pids = JSON.parse(line) as readonly number[];
  const [keeper = 0, inside = 0, named = 0] = pids;
  await waitUntil('the stopped one to stand still', () => observeProcess(named)?.state === 'T');
  expect(observeProcess(inside)?.directory).toBe(directory);

  signal(holder.pid ?? 0, 'SIGKILL');
  await waitUntil('all of it to be gone', () => pids.every((pid) => !observeProcess(pid)));
  expect(existsSync(directory)).toBe(false);
  expect(observeProcess(keeper)).toBeUndefined();
  expect(observeProcess(bystander.pid ?? 0)?.directory).toBe(other);
});
