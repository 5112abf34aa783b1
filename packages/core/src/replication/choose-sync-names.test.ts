/** Shows whom commits should wait for, from who is there, what they hold, and what operators say. */
import { describe, expect, it } from 'vitest';
import { lsn } from '../model/lsn.ts';
import type { MemberName } from '../model/member.ts';
import type { SynchronousPolicy } from '../model/policy.ts';
import { type SyncCandidate, chooseSyncNames, firstSyncNames } from './choose-sync-names.ts';
import { renderSyncNames } from './sync-names.ts';

const quorum: SynchronousPolicy = {
  mode: 'quorum',
  strict: false,
  count: 1,
  lagBytesMax: undefined,
};
const priority: SynchronousPolicy = { ...quorum, mode: 'on' };

const at = (name: string, changes: Partial<SyncCandidate> = {}): SyncCandidate => ({
  name: name as MemberName,
  flushedLsn: lsn(1_000),
  priority: 1,
  mayFailOver: true,
  ...changes,
});

const choose = (
  policy: SynchronousPolicy,
  candidates: readonly SyncCandidate[],
  more: { readonly current?: readonly string[]; readonly everybody?: readonly string[] } = {},
): string =>
  renderSyncNames(
    chooseSyncNames({
      policy,
      candidates,
      current: (more.current ?? []) as MemberName[],
      everybody: (more.everybody ?? []) as MemberName[],
    }),
  );

describe('in quorum mode', () => {
  it.each<[string, Partial<SynchronousPolicy>, readonly SyncCandidate[], string]>([
    ['any of all that are there', {}, [at('c'), at('b')], 'ANY 1 ("b","c")'],
    ['as many as are asked for', { count: 2 }, [at('b'), at('c'), at('d')], 'ANY 2 ("b","c","d")'],
    ['not more than there are', { count: 2 }, [at('b')], 'ANY 1 ("b")'],
    ['nobody, when nobody is there', {}, [], ''],
    [
      'not for one that can never be primary',
      {},
      [at('b'), at('c', { mayFailOver: false })],
      'ANY 1 ("b")',
    ],
    [
      'for such a one when there are not enough others',
      { count: 2 },
      [at('b'), at('c', { mayFailOver: false })],
      'ANY 2 ("b","c")',
    ],
    [
      'not for one that is too far behind',
      { lagBytesMax: 10n },
      [at('b'), at('c', { flushedLsn: lsn(989) }), at('d', { flushedLsn: lsn(990) })],
      'ANY 1 ("b","d")',
    ],
    [
      'one that is away for a moment, and not less for the others because of that',
      { lagBytesMax: 10n },
      [at('b'), at('c', { flushedLsn: undefined }), at('d', { flushedLsn: lsn(990) })],
      'ANY 1 ("b","c","d")',
    ],
  ])('commits wait for %s', (...row) => {
    const [, changes, candidates, names] = row;
    expect(choose({ ...quorum, ...changes }, candidates)).toBe(names);
  });
});

describe('in priority mode', () => {
  it.each<[string, readonly SyncCandidate[], readonly string[], string]>([
    ['the first by name among equals', [at('c'), at('b')], [], '"b"'],
    ['whoever is chosen already', [at('b'), at('c')], ['c'], '"c"'],
    ['the higher sync_priority all the same', [at('b', { priority: 2 }), at('c')], ['c'], '"b"'],
    ['one that is away for a moment', [at('b'), at('c', { flushedLsn: undefined })], [], '"c"'],
    ['the one with more WAL', [at('b'), at('c', { flushedLsn: lsn(1_001) })], [], '"c"'],
    ['one that can be primary', [at('b', { mayFailOver: false }), at('c')], ['b'], '"c"'],
  ])('commits wait for %s', (...row) => {
    const [, candidates, current, names] = row;
    expect(choose(priority, candidates, { current })).toBe(names);
  });

  it('commits wait for as many as are asked for, and each must have it', () => {
    const candidates = [at('b'), at('c'), at('d')];
    expect(choose({ ...priority, count: 2 }, candidates)).toBe('2 ("b","c")');
  });
});

describe('in strict mode, with nobody there', () => {
  const strict = { ...quorum, strict: true };

  it('commits wait for whoever comes first', () => {
    expect(choose(strict, [], { current: ['b'], everybody: ['b', 'c'] })).toBe('ANY 1 ("b","c")');
  });

  it('they wait for the last ones known, when no member is known any more', () => {
    expect(choose(strict, [], { current: ['b'] })).toBe('ANY 1 ("b")');
  });
});

it('switched off, commits wait for nobody', () => {
  expect(choose({ ...quorum, mode: 'off', strict: true }, [at('b')], { everybody: ['b'] })).toBe(
    '',
  );
});

it('a new primary waits for the first of all others that come', () => {
  const others = ['c', 'b'] as MemberName[];
  expect(renderSyncNames(firstSyncNames(quorum, others))).toBe('ANY 1 ("b","c")');
  expect(renderSyncNames(firstSyncNames({ ...quorum, count: 3 }, others))).toBe('ANY 2 ("b","c")');
  expect(renderSyncNames(firstSyncNames(quorum, []))).toBe('');
});

it('names with quotes are quoted', () => {
  const names = ['a"b', 'c,d'] as MemberName[];
  expect(renderSyncNames({ method: 'any', count: 1, names })).toBe('ANY 1 ("a""b","c,d")');
});
