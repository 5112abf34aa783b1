/** Whom PostgreSQL runs as, for root and for others; data directories are real. */
import { chownSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { findOwner } from './find-owner.ts';
import { buildAgentConfig } from './testing/build-config.ts';

const isRoot = process.geteuid?.() === 0;
const NOBODY = 65_534;

const openDirectory = (): string => {
  const directory = mkdtempSync(join(tmpdir(), 'matriarch-owner-'));
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
  return directory;
};

const users: Readonly<Record<string, { uid: number; gid: number }>> = {
  postgres: { uid: 111, gid: 112 },
  dba: { uid: 211, gid: 212 },
  root: { uid: 0, gid: 0 },
};
const asked: string[] = [];
const lookUp = (name: string) => {
  asked.push(name);
  return users[name];
};

const find = (dataDirectory: string, user?: string) =>
  findOwner(
    buildAgentConfig({
      postgresql: {
        listen: '127.0.0.1:5432',
        connect_address: '10.0.0.1:5432',
        data_dir: dataDirectory,
      },
      matriarch: user === undefined ? {} : { user },
    }),
    lookUp,
  );

describe.runIf(isRoot)('as root', () => {
  it('it is the configured user', () => {
    const directory = openDirectory();
    chownSync(directory, 4_711, 4_712);
    expect(find(directory, 'dba')).toEqual({ kind: 'found', owner: { uid: 211, gid: 212 } });
  });

  it('it is the owner of the data directory', () => {
    const directory = openDirectory();
    chownSync(directory, 4_711, 4_712);
    expect(find(directory)).toEqual({ kind: 'found', owner: { uid: 4_711, gid: 4_712 } });
  });

  it('it is postgres where there is no data directory, or it is root’s', () => {
    const directory = openDirectory();
    const postgres = { kind: 'found', owner: { uid: 111, gid: 112 } };
    expect(find(directory)).toEqual(postgres);
    expect(find(join(directory, 'missing'))).toEqual(postgres);
    expect(find('/dev/null/below/a/file')).toEqual(postgres);
  });

  it('it is never root', () => {
    const found = find(openDirectory(), 'root');
    expect(found.kind === 'wrong' ? found.message : '').toBe(
      'PostgreSQL does not run as root, which matriarch.user names: ' +
        'set matriarch.user to an ordinary user',
    );
  });

  it('it has to exist', () => {
    const found = find(openDirectory(), 'nobody-of-that-name');
    expect(found.kind === 'wrong' ? found.message : '').toContain(
      'there is no user nobody-of-that-name (matriarch.user)',
    );
  });
});

describe('as an ordinary user', () => {
  it('it is that user, whatever is configured', () => {
    const directory = openDirectory();
    asked.length = 0;
    const { seteuid } = process;
    if (isRoot) seteuid?.(NOBODY);
    try {
      expect(find(directory, 'dba')).toEqual({ kind: 'found', owner: undefined });
    } finally {
      if (isRoot) seteuid?.(0);
    }
    expect(asked).toEqual([]);
  });
});
