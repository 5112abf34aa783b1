/**
 * What is refused before anything is filed, with Patroni's status and sentence, and what becomes of
 * a request that was filed: tables over built snapshots.
 */
import { type MemberName, type Revision, type SyncDocument, defaultTags } from '@matriarch/core';
import { failoverRequest, switchoverRequest } from '@matriarch/protocol';
import { describe, expect, it } from 'vitest';
import { type SwitchoverWord, judgeProgress, judgeSwitchover } from './judge-switchover.ts';
import { type SnapshotChanges, buildSnapshot, memberDocument } from './testing/build-state.ts';

const NOW_MS = Date.UTC(2026, 10, 23, 8, 30);

const judge = (asked: SwitchoverWord, body: object, changes: SnapshotChanges = {}) => {
  const schema = asked === 'switchover' ? switchoverRequest : failoverRequest;
  return judgeSwitchover({
    asked,
    request: schema.parse(body),
    snapshot: buildSnapshot(changes),
    wallClockMs: NOW_MS,
  });
};

const paused = { config: { pause: true } };
const priority = {
  config: { synchronous_mode: true },
  sync: { leader: 'pg1', voters: ['pg3'], quorum: 0 } as unknown as SyncDocument,
};
const stopped = { state: 'stopped' };
const nofailover = { tags: { ...defaultTags, nofailover: true } };
const good = { leader: 'pg1', candidate: 'pg2' };
const tonight = { ...good, candidate: 'pg3', scheduled_at: '2026-11-24T03:00:00+01:00' };
const NOBODY = 'no good candidates have been found';

describe('a request is refused', () => {
  const cases: readonly (readonly [SwitchoverWord, object, SnapshotChanges, number, string])[] = [
    ['failover', {}, {}, 400, 'Failover could be performed only to a specific candidate'],
    [
      'failover',
      { leader: 'pg1' },
      {},
      400,
      'Failover could be performed only to a specific candidate',
    ],
    ['switchover', {}, {}, 400, 'Switchover could be performed only from a specific leader'],
    [
      'switchover',
      { candidate: 'pg2' },
      {},
      400,
      'Switchover could be performed only from a specific leader',
    ],
    [
      'switchover',
      { leader: '', candidate: 'pg2' },
      {},
      400,
      'Switchover could be performed only from a specific leader',
    ],
    [
      'failover',
      { candidate: 'pg2', scheduled_at: '2030-01-01T00:00:00Z' },
      {},
      400,
      "Failover can't be scheduled",
    ],
    [
      'switchover',
      { ...good, scheduled_at: '2030-01-01T00:00:00Z' },
      paused,
      400,
      "Can't schedule switchover in the paused state",
    ],
    [
      'switchover',
      { ...good, scheduled_at: '2030-01-01T00:00:00' },
      {},
      400,
      'Timezone information is mandatory for the scheduled switchover',
    ],
    [
      'switchover',
      { ...good, scheduled_at: '2026-11-23T08:29:59Z' },
      {},
      422,
      'Cannot schedule switchover in the past',
    ],
    [
      'switchover',
      { ...good, scheduled_at: 'soon' },
      {},
      422,
      'Unable to parse scheduled timestamp. It should be in an unambiguous format, e.g. ISO 8601',
    ],
    [
      'switchover',
      { leader: 'pg1' },
      paused,
      400,
      'Switchover is possible only to a specific candidate in a paused state',
    ],
    [
      'switchover',
      { leader: 'pg1', candidate: 'pg1' },
      {},
      400,
      'Switchover target and source are the same',
    ],
    ['switchover', { leader: 'pg2', candidate: 'pg3' }, {}, 412, 'leader name does not match'],
    ['switchover', { ...tonight, leader: 'pg2' }, {}, 412, 'leader name does not match'],
    ['switchover', { ...tonight, candidate: 'pg9' }, {}, 412, 'candidate does not exists'],
    ['switchover', { ...tonight, candidate: 'toString' }, {}, 412, 'candidate does not exists'],
    ['switchover', good, { leader: undefined }, 412, 'leader name does not match'],
    ['failover', { leader: 'pg2', candidate: 'pg3' }, {}, 412, 'leader name does not match'],
    ['switchover', { leader: 'pg1', candidate: 'pg9' }, {}, 412, 'candidate does not exists'],
    ['switchover', { leader: 'pg1', candidate: 'toString' }, {}, 412, 'candidate does not exists'],
    ['failover', { member: 'pg9' }, { leader: undefined }, 412, 'candidate does not exists'],
    ['switchover', good, priority, 412, 'candidate name does not match with sync_standby'],
    [
      'switchover',
      { leader: 'pg1' },
      { ...priority, sync: { leader: 'pg1', voters: [], quorum: 0 } as unknown as SyncDocument },
      412,
      'switchover is not possible: can not find sync_standby',
    ],
    [
      'switchover',
      { leader: 'pg1' },
      { members: { pg1: memberDocument(1) } },
      412,
      'switchover is not possible: cluster does not have members except leader',
    ],
    [
      'switchover',
      good,
      { members: { pg1: memberDocument(1), pg2: memberDocument(2, nofailover) } },
      412,
      `switchover is not possible: ${NOBODY} (pg2 is tagged nofailover)`,
    ],
    [
      'failover',
      { candidate: 'pg2' },
      { members: { pg1: memberDocument(1), pg2: memberDocument(2, { state: 'stopped' }) } },
      412,
      `failover is not possible: ${NOBODY} (pg2 is stopped)`,
    ],
    [
      'switchover',
      { leader: 'pg1' },
      {
        members: {
          pg1: memberDocument(1),
          pg2: memberDocument(2, nofailover),
          pg3: memberDocument(3, { state: '' }),
        },
      },
      412,
      `switchover is not possible: ${NOBODY} (pg2 is tagged nofailover, pg3 is not known to run)`,
    ],
    [
      'failover',
      { candidate: 'pg1' },
      {},
      412,
      `failover is not possible: ${NOBODY} (pg1 holds the lease already)`,
    ],
  ];
  it.each(cases)('%s %j', (...[asked, body, changes, status, text]) => {
    expect(judge(asked, body, changes)).toMatchObject({ status, body: text });
  });
});

describe('a request is filed', () => {
  it.each<readonly [SwitchoverWord, object, SnapshotChanges, object]>([
    [
      'switchover',
      good,
      {},
      {
        word: 'switchover',
        leader: 'pg1',
        document: { leader: 'pg1', member: 'pg2' },
        comparedRevision: 0,
      },
    ],
    ['switchover', { leader: 'pg1' }, {}, { document: { leader: 'pg1', member: undefined } }],
    [
      'switchover',
      tonight,
      {},
      {
        document: {
          leader: 'pg1',
          member: 'pg3',
          scheduledAt: {
            text: '2026-11-24T03:00:00+01:00',
            at: Date.UTC(2026, 10, 24, 2),
          },
        },
      },
    ],
    // Tonight it may be there again, and hold everything.
    [
      'switchover',
      tonight,
      { ...priority, members: { pg1: memberDocument(1), pg3: memberDocument(3, stopped) } },
      { document: { member: 'pg3' } },
    ],
    [
      'switchover',
      { leader: 'pg1', member: 'pg3', candidate: null },
      {},
      { document: { member: 'pg3' } },
    ],
    ['switchover', { leader: 'pg1' }, priority, { document: { leader: 'pg1' } }],
    ['switchover', good, paused, { document: { leader: 'pg1', member: 'pg2' } }],
    [
      'failover',
      { candidate: 'pg2' },
      {},
      { word: 'failover', document: { leader: undefined, member: 'pg2' } },
    ],
    ['failover', { candidate: 'pg2' }, priority, { word: 'failover' }],
    [
      'failover',
      { candidate: 'pg2' },
      { leader: undefined },
      { word: 'failover', leader: undefined },
    ],
    ['failover', good, {}, { word: 'switchover', document: { leader: 'pg1', member: 'pg2' } }],
    ['failover', { candidate: 'pg2' }, { failover: {} }, { comparedRevision: 40 }],
  ])('%s %j', (...[asked, body, changes, filing]) => {
    expect(judge(asked, body, changes)).toMatchObject(filing);
  });

  it('to somebody when one of the others is good', () => {
    const members = {
      pg1: memberDocument(1),
      pg2: memberDocument(2, nofailover),
      pg3: memberDocument(3),
    };
    expect(judge('switchover', { leader: 'pg1' }, { members })).toMatchObject({
      document: { leader: 'pg1' },
    });
  });
});

describe('what becomes of a request', () => {
  const filing = { leader: 'pg1' as MemberName };
  const filedAt = 50 as Revision;
  const pending = { leader: 'pg1' as MemberName, member: 'pg2' as MemberName };
  it.each<readonly [string, SnapshotChanges | undefined, object]>([
    ['nothing is seen yet', undefined, { kind: 'pending' }],
    ['the snapshot is from before', { revision: 49, failover: {} }, { kind: 'pending' }],
    [
      'the snapshot is from before, with another holder',
      { revision: 49, leader: 'pg3' },
      { kind: 'pending' },
    ],
    ['it is seen by the holder', { revision: 50, failover: pending }, { kind: 'pending' }],
    [
      'the lease is free',
      { revision: 51, failover: pending, leader: undefined },
      { kind: 'pending' },
    ],
    [
      'the lease is free and the key cleared',
      { revision: 51, failover: {}, leader: undefined },
      { kind: 'pending' },
    ],
    [
      'the lease has moved',
      { revision: 52, failover: {}, leader: 'pg2' },
      { kind: 'moved', to: 'pg2' },
    ],
    [
      'the lease has moved, the key not cleared yet',
      { revision: 52, failover: pending, leader: 'pg3' },
      { kind: 'moved', to: 'pg3' },
    ],
    ['the holder has taken it back', { revision: 51, failover: {} }, { kind: 'refused' }],
  ])('%s', (_name, changes, progress) => {
    const snapshot = changes === undefined ? undefined : buildSnapshot(changes);
    expect(judgeProgress(snapshot, filing, filedAt)).toEqual(progress);
  });

  it('is done when there was no holder and there is one now', () => {
    const snapshot = buildSnapshot({ revision: 51, failover: {}, leader: 'pg2' });
    expect(judgeProgress(snapshot, { leader: undefined }, filedAt)).toEqual({
      kind: 'moved',
      to: 'pg2',
    });
  });
});
