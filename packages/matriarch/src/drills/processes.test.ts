/** Harm to processes of this machine, shown on real ones. */
import { existsSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { withDescendants } from '../local/process-tree.ts';
import { FAMILY, STUBBORN, startProcess } from '../local/testing/start-process.ts';
import { waitUntil } from '../testing/postgres.ts';
import { hold, killAll, letGo, postmasterPid, serverPids } from './processes.ts';

const openDirectory = (): string => {
  const directory = mkdtempSync(join(tmpdir(), 'matriarch-drills-'));
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
  return directory;
};

/** A process that works in a directory, as a server does in its data directory. */
const workIn = async (directory: string) => {
  const child = spawn('sleep', ['60'], { cwd: directory, stdio: 'ignore' });
  await once(child, 'spawn');
  const ended = once(child, 'exit');
  onTestFinished(async () => {
    child.kill('SIGKILL');
    await ended;
  });
  return { pid: child.pid ?? 0, ended };
};

describe('killAll', () => {
  it('ends a whole family at once, and does not mind who is gone already', async () => {
    const { pid, ended } = await startProcess(FAMILY);
    const family = withDescendants([pid]);
    killAll([2 ** 22 + 1, ...family], 'SIGKILL');
    expect(await ended).toBe('SIGKILL');
    await waitUntil('the others to be gone', () =>
      family.every((one) => !withDescendants([process.pid]).includes(one)),
    );
  });

  it('gives the signal it was told', async () => {
    const { pid, ended } = await startProcess(STUBBORN);
    killAll([pid], 'SIGTERM');
    killAll([pid], 'SIGINT');
    expect(await ended).toBe('SIGINT');
  });
});

describe('the processes of a server', () => {
  it('are those that work in its data directory, also through a link', async () => {
    const directory = openDirectory();
    const data = join(directory, 'data');
    const other = join(directory, 'data2');
    mkdirSync(data);
    mkdirSync(other);
    symlinkSync(data, join(directory, 'link'));
    const server = await workIn(data);
    await workIn(other);
    expect(serverPids(data)).toEqual([server.pid]);
    expect(serverPids(join(directory, 'link'))).toEqual([server.pid]);
  });

  it('have a postmaster whose pid stands in its file', () => {
    const directory = openDirectory();
    writeFileSync(join(directory, 'postmaster.pid'), '4711\n/srv/data\n1795422386\n5432\n');
    expect(postmasterPid(directory)).toBe(4711);
    expect(() => postmasterPid(join(directory, 'none'))).toThrow('ENOENT');
  });
});

describe('a host', () => {
  it('is held and let go by a file', () => {
    const directory = openDirectory();
    hold(directory, 'pg1');
    expect(existsSync(join(directory, 'pg1'))).toBe(true);
    letGo(directory, 'pg1');
    letGo(directory, 'pg1');
    expect(existsSync(join(directory, 'pg1'))).toBe(false);
  });
});
