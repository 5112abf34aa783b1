/** Directories that are open or closed as they are meant to be, whatever the umask of the user is. */
import { chmodSync, mkdirSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { makeDirectory, makeOwnDirectory } from './make-directory.ts';
import { asOrdinaryUser, isRoot } from './testing/as-ordinary-user.ts';
import { openTemporaryDirectory } from './testing/temporary-directory.ts';

const modeOf = (path: string): number => statSync(path).mode & 0o777;

const withUmask = (mask: number, work: () => void): void => {
  const before = process.umask(mask);
  try {
    work();
  } finally {
    process.umask(before);
  }
};

describe('makeDirectory', () => {
  it('lets others through all that it has made, under a umask that would not', () => {
    const base = openTemporaryDirectory();
    withUmask(0o077, () => makeDirectory(join(base, 'a/b/c')));
    expect(['a', 'a/b', 'a/b/c'].map((path) => modeOf(join(base, path)))).toEqual([
      0o755, 0o755, 0o755,
    ]);
  });

  it('keeps others out when it is told to', () => {
    const base = openTemporaryDirectory();
    withUmask(0, () => makeDirectory(join(base, 'a'), 0o700));
    expect(modeOf(join(base, 'a'))).toBe(0o700);
  });

  it('leaves alone what is there', () => {
    const base = openTemporaryDirectory();
    mkdirSync(join(base, 'a'));
    chmodSync(join(base, 'a'), 0o710);
    makeDirectory(join(base, 'a'));
    makeDirectory(join(base, 'a/b'));
    expect(modeOf(join(base, 'a'))).toBe(0o710);
    expect(modeOf(join(base, 'a/b'))).toBe(0o755);
    expect(modeOf(base)).toBe(0o777);
  });

  it('throws where a file is in the way', () => {
    const base = openTemporaryDirectory();
    writeFileSync(join(base, 'a'), '');
    expect(() => makeDirectory(join(base, 'a'))).toThrow('EEXIST');
  });
});

describe('makeOwnDirectory', () => {
  it('makes one, and takes its own again', () => {
    const path = join(openTemporaryDirectory(), 'sockets');
    makeOwnDirectory(path);
    makeOwnDirectory(path);
    expect(modeOf(path)).toBe(0o755);
  });

  it('refuses a link, wherever it leads', () => {
    const base = openTemporaryDirectory();
    mkdirSync(join(base, 'target'));
    symlinkSync(join(base, 'target'), join(base, 'sockets'));
    expect(() => makeOwnDirectory(join(base, 'sockets'))).toThrow('remove it');
  });

  it.runIf(isRoot)('refuses the directory of somebody else', () => {
    const path = join(openTemporaryDirectory(), 'sockets');
    makeOwnDirectory(path);
    expect(() => asOrdinaryUser(() => makeOwnDirectory(path))).toThrow('belongs to user 0');
  });
});
