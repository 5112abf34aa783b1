/**
 * Shows that a lock file gets the entries npm left out, with the platform that the name tells, and
 * that nothing else in it changes.
 */
import { describe, expect, it } from 'vitest';
import { completeLock, findMissingEntries } from './complete-lock.mjs';

const PLATFORMS = {
  'tool-linux-x64-musl': '1.2.3',
  'tool-darwin-arm64': '1.2.3',
  '@tool/binding-linux-arm-gnueabihf': '1.2.3',
  'tool-win32-ia32-msvc': '1.2.3',
};

const LOCK = {
  name: 'root',
  packages: {
    '': {},
    'node_modules/tool': { version: '1.2.3', dev: true, optionalDependencies: PLATFORMS },
    'node_modules/tool-darwin-arm64': { version: '1.2.3', optional: true },
    'node_modules/zod': { version: '4.0.0' },
  },
};

describe('completing a lock file', () => {
  it('finds the platforms that are not there', () => {
    const platform = { version: '1.2.3', dev: true, optional: true };
    expect(findMissingEntries(LOCK)).toEqual([
      {
        path: 'node_modules/tool-linux-x64-musl',
        entry: { ...platform, os: ['linux'], cpu: ['x64'], libc: ['musl'] },
      },
      {
        path: 'node_modules/@tool/binding-linux-arm-gnueabihf',
        entry: { ...platform, os: ['linux'], cpu: ['arm'], libc: ['glibc'] },
      },
      {
        path: 'node_modules/tool-win32-ia32-msvc',
        entry: { ...platform, os: ['win32'], cpu: ['ia32'] },
      },
    ]);
  });

  it('adds them in order and is then done', () => {
    const complete = completeLock(LOCK);
    expect(Object.keys(complete.packages)).toEqual([
      '',
      'node_modules/@tool/binding-linux-arm-gnueabihf',
      'node_modules/tool',
      'node_modules/tool-darwin-arm64',
      'node_modules/tool-linux-x64-musl',
      'node_modules/tool-win32-ia32-msvc',
      'node_modules/zod',
    ]);
    expect(complete.packages).toMatchObject(LOCK.packages);
    expect(complete.name).toBe('root');
    expect(findMissingEntries(complete)).toEqual([]);
  });

  it('does not guess a platform', () => {
    const optionalDependencies = { 'tool-somewhere': '1.0.0' };
    const lock = { packages: { 'node_modules/tool': { optionalDependencies } } };
    expect(() => findMissingEntries(lock)).toThrow('tool-somewhere');
  });
});
