/** Shows that a life names this host, and each run by itself. */
import { execFileSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import { createRun, observeLife } from './life.ts';

describe('observeLife', () => {
  it('has a host part that every process here reads the same', () => {
    const boot = execFileSync('cat', ['/proc/sys/kernel/random/boot_id'], { encoding: 'utf8' });
    const space = execFileSync('readlink', ['/proc/self/ns/pid'], { encoding: 'utf8' });
    const inode = space.replaceAll(/\D/g, '');
    expect(observeLife('r')).toEqual({ host: `${boot.trim()}:${inode}`, run: 'r' });
  });

  it('gets a run of its own each time', () => {
    expect(createRun()).toMatch(/^[0-9a-f-]{36}$/);
    expect(createRun()).not.toBe(createRun());
  });
});
