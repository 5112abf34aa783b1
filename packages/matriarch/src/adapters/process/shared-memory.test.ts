/** Shows what is read of postmaster.pid, as PostgreSQL writes it. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { countAttached, parseSharedMemory, readSharedMemory } from './shared-memory.ts';

const file = (segment: string): string =>
  `4242\n/data\n1700000000\n5432\n/run/postgresql\n127.0.0.1\n${segment}\nready   \n`;

describe('parseSharedMemory', () => {
  it('finds key and id in the seventh line', () => {
    expect(parseSharedMemory(file('  1310733         5'))).toEqual({ key: 1_310_733, id: 5 });
  });

  it('reads a key as the kernel shows it, signed', () => {
    expect(parseSharedMemory(file('18446744072277893120    32769'))).toEqual({
      key: -1_431_658_496,
      id: 32_769,
    });
  });

  it('finds none in a file that is only being written, empty or foreign', () => {
    for (const text of ['', '4242\n/data\n1\n5432\n', file(''), file('none')])
      expect(parseSharedMemory(text)).toBeUndefined();
  });
});

describe('readSharedMemory', () => {
  it('finds none where no postmaster.pid is', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'matriarch-shm-'));
    expect(await readSharedMemory(directory)).toBeUndefined();
    rmSync(directory, { recursive: true });
    expect(await readSharedMemory(directory)).toBeUndefined();
  });
});

describe('countAttached', () => {
  it('counts nobody on a segment that does not exist', () => {
    expect(countAttached({ key: 1, id: 2_147_483_647 })).toBe(0);
  });
});
