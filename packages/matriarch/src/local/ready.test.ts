/** When a cluster counts as ready, on snapshots of the store. */
import type { SyncDocument } from '@matriarch/core';
import { describe, expect, it } from 'vitest';
import { buildSnapshot, memberDocument } from '../agent/api/testing/build-state.ts';
import { isReady } from './ready.ts';

const primary = memberDocument(1, { role: 'primary', replicationState: undefined });

describe('isReady', () => {
  it('with a primary and everybody else streaming', () => {
    expect(isReady(buildSnapshot(), 3)).toBe(true);
  });

  it.each([
    ['without a lease holder', buildSnapshot({ leader: undefined })],
    ['while the holder is not promoted', buildSnapshot({ leader: 'pg2' })],
    [
      'while the primary does not run',
      buildSnapshot({
        members: {
          pg1: { ...primary, state: 'starting' },
          pg2: memberDocument(2),
          pg3: memberDocument(3),
        },
      }),
    ],
    [
      'while a replica does not stream',
      buildSnapshot({
        members: {
          pg1: primary,
          pg2: memberDocument(2),
          pg3: memberDocument(3, { replicationState: undefined }),
        },
      }),
    ],
    [
      'while a member is missing',
      buildSnapshot({ members: { pg1: primary, pg2: memberDocument(2) } }),
    ],
  ])('not %s', (_, snapshot) => {
    expect(isReady(snapshot, 3)).toBe(false);
  });

  it.each([
    ['quorum', { leader: 'pg1', quorum: 1, voters: ['pg2', 'pg3'] }, true],
    ['quorum', { leader: 'pg1', quorum: 0, voters: ['pg2'] }, false],
    ['quorum', { leader: 'pg1', quorum: 0, voters: [] }, false],
    ['quorum', { leader: 'pg2', quorum: 1, voters: ['pg2', 'pg3'] }, false],
    ['on', { leader: 'pg1', quorum: 0, voters: ['pg3'] }, true],
    ['on', { leader: 'pg1', quorum: 0, voters: [] }, false],
    ['off', undefined, true],
    ['off', { leader: 'pg1', quorum: 1, voters: ['pg2', 'pg3'] }, false],
  ])('in mode %s with the electorate %j: %s', (mode, sync, expected) => {
    const config = { synchronous_mode: mode };
    const snapshot = buildSnapshot({ config, sync: sync as SyncDocument | undefined });
    expect(isReady(snapshot, 3)).toBe(expected);
  });

  it('with a single member that is the primary', () => {
    expect(isReady(buildSnapshot({ members: { pg1: primary } }), 1)).toBe(true);
  });
});
