/** Shows what is read of processes, on this one and on children made for it. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { copyFileSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { startZombie } from '../../testing/start-zombie.ts';
import { isAlive, listChildren, listPids, readProcess, sendSignalTo } from './processes.ts';

const started: ChildProcess[] = [];
const directories: string[] = [];

afterEach(() => {
  for (const child of started.splice(0)) child.kill('SIGKILL');
  for (const directory of directories.splice(0)) rmSync(directory, { recursive: true });
});

const start = (command: string, args: readonly string[]): ChildProcess => {
  const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'ignore'] });
  started.push(child);
  return child;
};

describe('readProcess', () => {
  it('reads this process', () => {
    expect(readProcess(process.pid)).toMatchObject({ pid: process.pid, parentPid: process.ppid });
    expect(listPids()).toContain(process.pid);
  });

  it('is not misled by the name of a program', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'matriarch-name-'));
    directories.push(directory);
    const program = join(directory, 'a) Z 1 (b');
    copyFileSync('/bin/sleep', program);
    const child = start(program, ['30']);
    await once(child, 'spawn');
    expect(readProcess(child.pid ?? 0)).toMatchObject({
      name: 'a) Z 1 (b',
      parentPid: process.pid,
    });
  });

  it('knows nothing of a process that is gone', async () => {
    const child = start('true', []);
    await once(child, 'exit');
    expect(readProcess(child.pid ?? 0)).toBeUndefined();
  });
});

describe('isAlive', () => {
  it('does not take a zombie for alive', async () => {
    const { parent, pid } = await startZombie();
    started.push(parent);
    await expect.poll(() => readProcess(pid)?.state).toBe('Z');
    expect(isAlive({ pid, startTicks: readProcess(pid)?.startTicks ?? 0 })).toBe(false);
    expect(listChildren(parent.pid ?? 0)).toEqual([]);
  });

  it('does not take another process with the same pid for the one it knew', async () => {
    const child = start('sleep', ['30']);
    await once(child, 'spawn');
    const entry = readProcess(child.pid ?? 0);
    if (entry === undefined) throw new Error('no child');
    expect(isAlive(entry)).toBe(true);
    const earlier = { pid: entry.pid, startTicks: entry.startTicks - 1 };
    expect(isAlive(earlier)).toBe(false);
    expect(sendSignalTo(earlier, 'SIGKILL')).toBe(false);
    expect(isAlive(entry)).toBe(true);
    expect(listChildren(process.pid).map(({ pid }) => pid)).toContain(entry.pid);
  });
});
