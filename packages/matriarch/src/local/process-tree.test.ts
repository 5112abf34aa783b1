/** Processes of this machine, shown on real children. */
import { once } from 'node:events';
import { describe, expect, it } from 'vitest';
import { waitUntil } from '../testing/postgres.ts';
import { startZombie } from '../testing/start-zombie.ts';
import {
  allPids,
  identify,
  isRunning,
  parseStat,
  signalTo,
  startTicksOf,
  withDescendants,
} from './process-tree.ts';
import { FAMILY, IDLER, STUBBORN, startProcess } from './testing/start-process.ts';

describe('a process', () => {
  it('is known by its pid and its start', async () => {
    const { pid } = await startProcess(IDLER);
    const known = identify(pid);
    expect(known).toEqual({ pid, startTicks: startTicksOf(pid) });
    expect(known === undefined ? false : isRunning(known)).toBe(true);
    expect(isRunning({ pid, startTicks: '1' })).toBe(false);
  });

  it('is gone when it has ended', async () => {
    const { pid, ended } = await startProcess(IDLER);
    const known = identify(pid);
    process.kill(pid);
    await ended;
    expect(known === undefined ? true : isRunning(known)).toBe(false);
    expect(identify(pid)).toBeUndefined();
  });

  it('is gone when only its exit status is left', async () => {
    const { parent, pid } = await startZombie();
    await waitUntil('the child to end', () => startTicksOf(pid) === undefined);
    expect(allPids()).toContain(pid);
    parent.kill('SIGKILL');
    await once(parent, 'exit');
  });

  it.each([
    ['is gone with its last thread', ['Z', 1], false],
    ['is there while another thread of it ends, and keeps its ports', ['Z', 2], true],
    ['is there while it sleeps', ['S', 1], true],
    ['is gone when the kernel takes it away', ['X', 0], false],
  ] as const)('%s', (_what, [state, threads], isThere) => {
    const others = Array.from({ length: 16 }, () => '0').join(' ');
    const stat = `4711 (etcd (1) Z 9) ${state} ${others} ${threads} 0 81234 0\n`;
    expect(parseStat(stat) !== undefined).toBe(isThere);
  });

  it('is not signalled when another one has its pid now', async () => {
    const { pid, ended } = await startProcess(IDLER);
    expect(signalTo({ pid, startTicks: '1' }, 'SIGKILL')).toBe(false);
    const known = identify(pid);
    expect(known === undefined ? false : signalTo(known, 'SIGTERM')).toBe(true);
    expect(await ended).toBe('SIGTERM');
    expect(known === undefined ? true : signalTo(known, 'SIGTERM')).toBe(false);
  });

  it('that never was has no start', () => {
    expect(startTicksOf(2 ** 22 + 1)).toBeUndefined();
    expect(isRunning({} as { pid: number; startTicks: string })).toBe(false);
  });
});

describe('withDescendants', () => {
  it('finds children and theirs, and nobody else', async () => {
    const other = await startProcess(STUBBORN);
    const { pid } = await startProcess(FAMILY);
    const family = withDescendants([pid]);
    expect(family).toHaveLength(3);
    expect(family[0]).toBe(pid);
    expect(family).not.toContain(other.pid);
    expect(withDescendants([process.pid])).toEqual(expect.arrayContaining([other.pid, ...family]));
    for (const one of family) process.kill(one, 'SIGKILL');
  });

  it('keeps roots that are gone', () => {
    expect(withDescendants([2 ** 22 + 1])).toEqual([2 ** 22 + 1]);
  });
});
