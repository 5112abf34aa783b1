/** When a process is taken for one on a private host: never on a network that others use. */
import { readlinkSync } from 'node:fs';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { isInMemoryInside, startPrivateCluster } from './main.ts';
import { isOnPrivateHost } from './private-host.ts';

const OWN = ['net', 'mnt', 'pid', 'ipc'].map((kind) => readlinkSync(`/proc/self/ns/${kind}`));

const other = (name: string): string => name.replace(/\d+/, '1');

describe('a process', () => {
  afterEach(() => {
    vi.unstubAllEnvs();
  });

  it('is on no private host by itself, and starts no cluster', async () => {
    expect(isOnPrivateHost()).toBe(false);
    await expect(
      startPrivateCluster({ mode: 'quorum', members: 3, print: () => undefined }),
    ).rejects.toThrow('this process is on a network that others use');
  });

  it.each(
    OWN.map((name, at) => [name, OWN.map((one, index) => (index === at ? one : other(one)))]),
  )('is not when it has %s of the one outside', (_, outside) => {
    vi.stubEnv('MATRIARCH_OUTSIDE', outside.join(' '));
    expect(isOnPrivateHost()).toBe(false);
  });

  it.each(['', 'net:[1]', OWN.join(' ')])('is not when it is told "%s"', (outside) => {
    vi.stubEnv('MATRIARCH_OUTSIDE', outside);
    expect(isOnPrivateHost()).toBe(false);
  });

  it('is when it shares nothing with the one outside', () => {
    vi.stubEnv('MATRIARCH_OUTSIDE', OWN.map(other).join(' '));
    expect(isOnPrivateHost()).toBe(true);
  });
});

describe('a file', () => {
  it.each([
    ['/dev/shm/a.json', true],
    ['/var/lib/matriarch/demo/a.json', true],
    ['/run/matriarch/../matriarch/a.json', true],
    ['/var/lib/matriarch.json', false],
    ['/tmp/dev/shm/a.json', false],
    ['a.json', false],
  ])('%s is in memory on a private host: %s', (path, isInMemory) => {
    expect(isInMemoryInside(path)).toBe(isInMemory);
  });
});
