/** Each action of the server's lanes is one call of the PostgreSQL port, with the action's values. */
import { type ActionKind, type JobProgress, type Timeline, lsn, memberName } from '@matriarch/core';
import { describe, expect, it } from 'vitest';
import type { Postgres } from '../ports/postgres.ts';
import { type PostgresPerformers, createPostgresPerformers } from './postgres-performers.ts';

const upstream = { member: memberName('pg1'), address: '10.0.0.1:5432' };
const range = { timeline: 1 as Timeline, from: lsn(1), to: lsn(9) };
const fork = { timeline: 1 as Timeline, switchLsn: lsn(1) };

const open = () => {
  const called: unknown[][] = [];
  const progress: JobProgress[] = [];
  const onProgress = (one: JobProgress) => progress.push(one);
  const postgres = new Proxy(
    {},
    {
      get:
        (_, name) =>
        (...args: unknown[]) => {
          called.push([name, ...args]);
          return Promise.resolve({ kind: 'done', by: name });
        },
    },
  ) as Postgres;
  return {
    called,
    progress,
    onProgress,
    performers: createPostgresPerformers(postgres, onProgress),
  };
};

type Call = readonly [
  ActionKind,
  (performers: PostgresPerformers) => Promise<unknown>,
  readonly unknown[],
];

const calls: readonly Call[] = [
  ['show-sync-names', (p) => p['show-sync-names']({ kind: 'show-sync-names' }), ['showSyncNames']],
  ['inspect-disk', (p) => p['inspect-disk']({ kind: 'inspect-disk' }), ['inspectDisk']],
  [
    'measure-wal-end',
    (p) => p['measure-wal-end']({ kind: 'measure-wal-end', from: lsn(7) }),
    ['measureWalEnd', 7n],
  ],
  [
    'prepare-server',
    (p) => p['prepare-server']({ kind: 'prepare-server', as: 'standby', upstream, syncNames: '' }),
    ['prepareServer', { as: 'standby', upstream, syncNames: '' }],
  ],
  [
    'place-history',
    (p) => p['place-history']({ kind: 'place-history', timelines: [3 as Timeline] }),
    ['placeHistory', [3]],
  ],
  ['initialise', (p) => p.initialise({ kind: 'initialise' }), ['initialise']],
  ['create-users', (p) => p['create-users']({ kind: 'create-users' }), ['createUsers']],
  [
    'keep-fork',
    (p) => p['keep-fork']({ kind: 'keep-fork', fork, end: lsn(9) }),
    ['keepFork', { fork, end: 9n }],
  ],
  ['install-data', (p) => p['install-data']({ kind: 'install-data' }), ['installData']],
  ['discard-aside', (p) => p['discard-aside']({ kind: 'discard-aside' }), ['discardAside']],
  [
    'discard-unfinished',
    (p) => p['discard-unfinished']({ kind: 'discard-unfinished' }),
    ['discardUnfinished'],
  ],
  [
    'inspect-upstream',
    (p) => p['inspect-upstream']({ kind: 'inspect-upstream', upstream }),
    ['inspectUpstream', upstream],
  ],
  [
    'count-cancelled',
    (p) => p['count-cancelled']({ kind: 'count-cancelled', pid: 7 }),
    ['countCancelled', 7],
  ],
  [
    'count-exposed',
    (p) => p['count-exposed']({ kind: 'count-exposed', range }),
    ['countExposed', range],
  ],
  [
    'checkpoint',
    (p) => p.checkpoint({ kind: 'checkpoint', limitMs: 9_000 }),
    ['checkpoint', 9_000],
  ],
  [
    'change-slots',
    (p) =>
      p['change-slots']({
        kind: 'change-slots',
        create: ['a'],
        drop: ['b'],
        advance: { c: lsn(1) },
      }),
    ['changeSlots', { create: ['a'], drop: ['b'], advance: { c: 1n } }],
  ],
  [
    'show-waiting',
    (p) => p['show-waiting']({ kind: 'show-waiting', roles: ['a'], databases: ['b'] }),
    ['showWaiting', { roles: ['a'], databases: ['b'] }],
  ],
  [
    'manage-waiting',
    (p) =>
      p['manage-waiting']({
        kind: 'manage-waiting',
        set: [{ kind: 'role', name: 'a' }],
        reset: [{ kind: 'database', name: 'b' }],
      }),
    [
      'manageWaiting',
      { set: [{ kind: 'role', name: 'a' }], reset: [{ kind: 'database', name: 'b' }] },
    ],
  ],
];

describe('a performer', () => {
  it.each(calls)('%s is one call', async (_, perform, call) => {
    const { called, performers } = open();
    expect(await perform(performers)).toEqual({ kind: 'done', by: call[0] });
    expect(called).toEqual([call]);
  });

  it('of a clone or a rewind tells how it comes along', async () => {
    const { called, performers, onProgress } = open();
    await performers.clone({ kind: 'clone', from: upstream });
    await performers.rewind({ kind: 'rewind', to: upstream });
    expect(called).toEqual([
      ['clone', upstream, onProgress],
      ['rewind', upstream, onProgress],
    ]);
  });

  it('of an initialisation says that it has begun', async () => {
    const { progress, performers } = open();
    await performers.initialise({ kind: 'initialise' });
    expect(progress).toEqual([{ kind: 'initialise' }]);
  });

  it('of a probe always has an answer', async () => {
    const { called, performers } = open();
    expect(await performers['probe-server']({ kind: 'probe-server' })).toEqual({
      kind: 'done',
      probe: { kind: 'done', by: 'probe' },
    });
    expect(called[0]?.[0]).toBe('probe');
    expect(called[0]?.[1]).toBeLessThanOrEqual(2_000);
  });
});
