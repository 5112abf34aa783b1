/** One `up` at a time: the lock of a process that runs counts, that of one that is gone does not. */
import { readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { startTicksOf } from './process-tree.ts';
import { IDLER, startProcess } from './testing/start-process.ts';
import { openTemporaryDirectory } from './testing/temporary-directory.ts';
import { findRunningUp, releaseLock, takeLock } from './up-lock.ts';
import { readUpRecord } from './up-record.ts';

const writeRecord = (lock: string, pid: number, startTicks: string | undefined): void =>
  writeFileSync(lock, JSON.stringify({ pid, startTicks, file: '/a.yaml', workingDirectory: '/' }));

describe('the lock', () => {
  it('is ours when nobody has it, and says who we are', () => {
    const directory = openTemporaryDirectory();
    const lock = join(directory, 'up.json');
    expect(takeLock(lock, '/srv/a.yaml')).toBeUndefined();
    expect(findRunningUp(lock)).toEqual({
      pid: process.pid,
      startTicks: startTicksOf(process.pid),
      file: '/srv/a.yaml',
      workingDirectory: process.cwd(),
    });
    expect(readdirSync(directory)).toEqual(['up.json']);
  });

  it('stays with whoever has it', async () => {
    const directory = openTemporaryDirectory();
    const lock = join(directory, 'up.json');
    const { pid } = await startProcess(IDLER);
    writeRecord(lock, pid, startTicksOf(pid));
    expect(takeLock(lock, '/srv/b.yaml')).toMatchObject({ pid, file: '/a.yaml' });
    expect(findRunningUp(lock)?.pid).toBe(pid);
    expect(readdirSync(directory)).toEqual(['up.json']);
  });

  it('of a process that has ended is free', async () => {
    const lock = join(openTemporaryDirectory(), 'up.json');
    const child = await startProcess(IDLER);
    writeRecord(lock, child.pid, startTicksOf(child.pid));
    process.kill(child.pid);
    await child.ended;
    expect(findRunningUp(lock)).toBeUndefined();
    expect(takeLock(lock, '/srv/b.yaml')).toBeUndefined();
    expect(findRunningUp(lock)).toMatchObject({ pid: process.pid, file: '/srv/b.yaml' });
  });

  it('of a process that merely has the same pid is free', () => {
    const lock = join(openTemporaryDirectory(), 'up.json');
    writeRecord(lock, process.pid, '1');
    expect(findRunningUp(lock)).toBeUndefined();
    expect(takeLock(lock, '/srv/b.yaml')).toBeUndefined();
  });

  it.each(['', 'null', '{}', '{"pid":-1}', 'no JSON'])('that reads %j is free', (text) => {
    const lock = join(openTemporaryDirectory(), 'up.json');
    writeFileSync(lock, text);
    expect(findRunningUp(lock)).toBeUndefined();
    expect(takeLock(lock, '/srv/b.yaml')).toBeUndefined();
  });

  it('is released, also when it is not there', () => {
    const lock = join(openTemporaryDirectory(), 'up.json');
    takeLock(lock, '/srv/a.yaml');
    releaseLock(lock);
    releaseLock(lock);
    expect(readUpRecord(lock)).toBeUndefined();
  });

  it('cannot be taken where nothing can be written', () => {
    const lock = join(openTemporaryDirectory(), 'missing/up.json');
    expect(() => takeLock(lock, '/srv/a.yaml')).toThrow('ENOENT');
  });
});
