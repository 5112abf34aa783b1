/** Shows whom a program can be run as, and with which command line. */
import { describe, expect, it } from 'vitest';
import { buildPrefix, findProgram, resolveUser } from './run-as.ts';

const isRoot = process.geteuid?.() === 0;

describe('resolveUser', () => {
  it('finds a user by name and by number', () => {
    expect(resolveUser('root')).toEqual({
      kind: 'found',
      user: { name: 'root', uid: 0, gid: 0 },
    });
    expect(resolveUser('0')).toMatchObject({ kind: 'found', user: { name: 'root' } });
  });

  it('does not make up a user', () => {
    expect(resolveUser('no-such-user')).toEqual({ kind: 'unknown', name: 'no-such-user' });
    expect(resolveUser('')).toEqual({ kind: 'unknown', name: '' });
  });
});

describe('findProgram', () => {
  it('looks along the path, and takes an absolute path as it is', () => {
    expect(findProgram('sh', '/nowhere:/bin')).toBe('/bin/sh');
    expect(findProgram('/bin/sh', undefined)).toBe('/bin/sh');
    expect(findProgram('no-such-program', undefined)).toBeUndefined();
    expect(findProgram('/etc/passwd', undefined)).toBeUndefined();
  });
});

describe('buildPrefix', () => {
  it('binds a program to its parent’s life', () => {
    const prefix = buildPrefix({ user: undefined, deathSignal: 'QUIT' });
    expect(prefix).toMatchObject({ kind: 'prefix' });
    if (prefix.kind !== 'prefix') return;
    expect(prefix.argv[0]).toMatch(/\/setpriv$/);
    expect(prefix.argv.slice(1)).toEqual(['--pdeathsig=QUIT', '--']);
  });

  it('does not change to the user it already is', () => {
    const user = { uid: process.geteuid?.() ?? 0, gid: process.getegid?.() ?? 0 };
    expect(buildPrefix({ user, deathSignal: 'KILL' })).toEqual(
      buildPrefix({ user: undefined, deathSignal: 'KILL' }),
    );
  });

  it.runIf(isRoot)('drops to another user, with their groups if they have an entry', () => {
    const known = buildPrefix({ user: { uid: 1, gid: 1 }, deathSignal: 'KILL' });
    expect(known).toMatchObject({ kind: 'prefix' });
    if (known.kind === 'prefix')
      expect(known.argv.slice(1)).toEqual([
        '--reuid=1',
        '--regid=1',
        '--init-groups',
        '--inh-caps=-all',
        '--pdeathsig=KILL',
        '--',
      ]);
    const stranger = buildPrefix({ user: { uid: 54_321, gid: 1 }, deathSignal: 'KILL' });
    if (stranger.kind === 'prefix') expect(stranger.argv).toContain('--clear-groups');
  });

  it.skipIf(isRoot)('says that only root can run as somebody else', () => {
    const prefix = buildPrefix({ user: { uid: 1, gid: 1 }, deathSignal: 'KILL' });
    expect(prefix).toMatchObject({ kind: 'impossible' });
  });
});
