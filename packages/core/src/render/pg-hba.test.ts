/** Shows that our own lines come first and that names cannot become keywords. By comparing text. */
import { describe, expect, it } from 'vitest';
import { ownHbaLines, passwordMethod, renderPgHba } from './pg-hba.ts';

describe('ownHbaLines', () => {
  it('lets the superuser in for SQL and for replication', () => {
    expect(ownHbaLines({ superuser: 'all', method: 'scram-sha-256', route: 'socket' })).toEqual([
      'local all "all" scram-sha-256',
      'local replication "all" scram-sha-256',
    ]);
  });
  it('only from the host itself, when the agent comes by the network', () => {
    expect(ownHbaLines({ superuser: 'a"b', method: 'md5', route: 'network' })).toEqual([
      'host all "a""b" samehost md5',
      'host replication "a""b" samehost md5',
    ]);
  });
});

describe('passwordMethod', () => {
  it('accepts old passwords where the configuration still does', () => {
    expect(passwordMethod(['host all all 0.0.0.0/0 md5'])).toBe('md5');
    expect(passwordMethod(['host all all 0.0.0.0/0 scram-sha-256'])).toBe('scram-sha-256');
  });
});

describe('renderPgHba', () => {
  it('puts our lines first', () => {
    const text = renderPgHba({ comment: ['c'], own: ['local a b c'], configured: ['host d e f'] });
    expect(text).toBe('# c\nlocal a b c\nhost d e f\n');
  });
});
