/** Where the files of a local cluster lie, for root and for others. */
import { tmpdir } from 'node:os';
import { describe, expect, it } from 'vitest';
import {
  localPaths,
  memberPaths,
  proxySockets,
  socketDirectoryOf,
  stateDirectoryOf,
} from './directories.ts';
import { asOrdinaryUser, isRoot } from './testing/as-ordinary-user.ts';

/** The longest path a Unix socket may have. */
const SOCKET_PATH_BYTES = 107;

describe('the state directory', () => {
  it('of an ordinary user is below the directory they stand in', () => {
    expect(asOrdinaryUser(() => stateDirectoryOf('demo', '/srv/project'))).toBe(
      '/srv/project/.matriarch/demo',
    );
  });

  it.runIf(isRoot)('of root is where services have theirs', () => {
    expect(stateDirectoryOf('demo', '/srv/project')).toBe('/var/lib/matriarch/demo');
  });
});

describe('the socket directory', () => {
  it('is short, however long the state directory is', () => {
    const state = `/srv/${'a-long-name/'.repeat(20)}.matriarch/demo`;
    for (const sockets of [
      socketDirectoryOf(state),
      asOrdinaryUser(() => socketDirectoryOf(state)),
    ])
      expect(`${sockets}/proxy/pgbouncer/.s.PGSQL.65535`.length).toBeLessThan(SOCKET_PATH_BYTES);
  });

  it('is another one for every state directory, and the same each time', () => {
    expect(socketDirectoryOf('/srv/a')).not.toBe(socketDirectoryOf('/srv/b'));
    expect(socketDirectoryOf('/srv/a')).toBe(socketDirectoryOf('/srv/a'));
  });

  it('is where a user may write', () => {
    expect(asOrdinaryUser(() => socketDirectoryOf('/srv/a'))).toMatch(
      new RegExp(`^${tmpdir()}/matriarch-[0-9a-f]{8}$`),
    );
  });

  it.runIf(isRoot)('of root is where services have theirs', () => {
    expect(socketDirectoryOf('/srv/a')).toMatch(/^\/run\/matriarch\/[0-9a-f]{8}$/);
  });
});

describe('paths', () => {
  it('are all below the state directory, each for one thing', () => {
    const { sockets, ...paths } = localPaths('/srv/demo');
    const { state, ...inside } = paths;
    expect(state).toBe('/srv/demo');
    expect(new Set(Object.values(inside)).size).toBe(Object.keys(inside).length);
    for (const path of Object.values(inside)) expect(path).toMatch(/^\/srv\/demo\/[^/]+$/);
    expect(sockets).toBe(socketDirectoryOf('/srv/demo'));
    expect(proxySockets({ ...paths, sockets })).toBe(`${sockets}/proxy`);
  });

  it('of a member leave room beside its data directory', () => {
    const { directory, data, stateDirectory, config } = memberPaths('/srv/demo', 'pg1');
    expect(data).toBe(`${directory}/data`);
    expect(stateDirectory).toBe(`${directory}/agent`);
    expect(config).toBe('/srv/demo/members/pg1.yml');
    expect(memberPaths('/srv/demo', 'pg2').directory).not.toBe(directory);
  });
});
