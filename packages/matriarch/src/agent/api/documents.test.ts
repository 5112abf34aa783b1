/**
 * The status document and the cluster document. Their text is compared with what Patroni answers,
 * and what our own members read from it with what the core says of the same state.
 */
import {
  type Instant,
  type MemberState,
  type SyncDocument,
  type Timeline,
  assemblePeerAnswer,
  defaultPolicy,
  defaultTags,
  knownPosition,
  lsn,
  unknownPosition,
} from '@matriarch/core';
import {
  MATRIARCH_VERSION,
  clusterAnswer,
  encodeJson,
  memberStatusAnswer,
  parseAnswer,
  parseExactJson,
  parsePeerStatus,
} from '@matriarch/protocol';
import { describe, expect, it } from 'vitest';
import { assembleClusterDocument, assembleHistory } from './cluster-document.ts';
import { assembleMemberFacts } from './member-facts.ts';
import { assembleStatusDocument } from './status-document.ts';
import {
  NOW,
  SCHEDULE,
  buildSnapshot,
  buildState,
  memberDocument,
  primaryState,
  replicaState,
} from './testing/build-state.ts';

const statusText = (state: MemberState, now: Instant = NOW): string =>
  encodeJson(
    assembleStatusDocument(
      assembleMemberFacts({
        scope: 'demo',
        state,
        now,
        wallClockMs: 1_795_422_386_000 + (now - NOW),
        loopLastRan: now,
        primaryPid: undefined,
      }),
    ),
    { spaced: true },
  );

const status = (state: MemberState, now?: Instant): Record<string, unknown> =>
  JSON.parse(statusText(state, now)) as Record<string, unknown>;

const scheduledRestart = {
  schedule: SCHEDULE,
  conditions: { pendingOnly: true },
  limitMs: undefined,
  postmasterStartedAt: '2026-11-23 08:25:19.152235+00:00',
} as const;

describe('the status document', () => {
  it('of a primary is Patroni’s, and ours behind it', () => {
    const standby = {
      applicationName: 'pg2',
      state: 'streaming',
      pid: 7,
      replyTime: undefined,
      sentLsn: lsn(1),
      flushLsn: lsn(1),
      replayLsn: lsn(1),
      syncState: 'async',
      clientAddress: '127.0.0.1',
    };
    const text = statusText(
      primaryState({
        standbys: [standby, { ...standby, clientAddress: '' }],
        pendingRestart: true,
      }),
    );
    expect(text).toBe(
      '{"state": "running", "postmaster_start_time": "2026-11-23 08:25:19.152235+00:00", ' +
        '"role": "primary", "server_version": 150018, "xlog": {"location": 117441856}, ' +
        '"timeline": 5, "replication": [{"application_name": "pg2", "client_addr": "127.0.0.1", ' +
        '"state": "streaming", "sync_state": "async"}, {"application_name": "pg2", ' +
        '"client_addr": null, "state": "streaming", "sync_state": "async"}], ' +
        '"dcs_last_seen": 1795422386, ' +
        '"database_system_identifier": "7711278875043525676", "pending_restart": true, ' +
        '"patroni": {"version": "4.1.4", "scope": "demo", "name": "pg1"}, ' +
        `"matriarch": {"version": "${MATRIARCH_VERSION}", "running": true, "primary": true, ` +
        '"position_known": true, "lineage": [[1, 67112072], [2, 67112744]], "electable": false}}',
    );
  });

  it('of a standby', () => {
    const tags = { ...defaultTags, clonefrom: true, failoverPriority: 3, others: { foo: 'bär' } };
    const state = replicaState({ replayedAt: '2026-11-23 08:30:00.5+00:00' });
    expect(statusText({ ...state, self: { ...state.self, tags } })).toBe(
      '{"state": "running", "postmaster_start_time": "2026-11-23 08:25:19.152235+00:00", ' +
        '"role": "replica", "server_version": 150018, "xlog": {"received_location": 117441856, ' +
        '"replayed_location": 117441856, "replayed_timestamp": "2026-11-23 08:30:00.5+00:00", ' +
        '"paused": false}, "timeline": 5, "replication_state": "streaming", ' +
        '"dcs_last_seen": 1795422386, ' +
        '"tags": {"clonefrom": true, "failover_priority": 3, "foo": "b\\u00e4r"}, ' +
        '"database_system_identifier": "7711278875043525676", ' +
        '"patroni": {"version": "4.1.4", "scope": "demo", "name": "pg2"}, ' +
        `"matriarch": {"version": "${MATRIARCH_VERSION}", "running": true, "primary": false, ` +
        '"position_known": true, "lineage": [[1, 67112072], [2, 67112744]], "electable": true}}',
    );
  });

  it.each<readonly [string, MemberState]>([
    ['whose server is gone', buildState({ name: 'pg2' })],
    [
      'whose server starts',
      replicaState({}, { state: { probe: { value: { kind: 'starting' }, at: NOW } } }),
    ],
    [
      'whose server does not answer',
      replicaState({}, { state: { probe: { value: { kind: 'no-answer', cause: '' }, at: NOW } } }),
    ],
    [
      'whose server has just gone, with the last answer still there',
      replicaState({}, { state: { process: { kind: 'none', silent: false } } }),
    ],
  ])('of a member %s shows no position', (_name, state) => {
    const document = status(state);
    for (const key of ['xlog', 'timeline', 'server_version', 'postmaster_start_time'])
      expect(document).not.toHaveProperty(key);
    expect(document['state']).not.toBe('running');
    expect(document).toMatchObject({ matriarch: { position_known: false, electable: false } });
  });

  it('says what is special', () => {
    const job = { kind: 'clone', doneBytes: 10, totalBytes: 100 } as const;
    expect(status(buildState({ leader: undefined, state: { job } }))).toMatchObject({
      cluster_unlocked: true,
      matriarch: { job: { kind: 'clone', done_bytes: 10, total_bytes: 100 } },
    });
    expect(status(primaryState({}, { config: { pause: true } }))).toMatchObject({ pause: true });
    const waiting = { roles: ['billing'], databases: ['ledger'] };
    const looked = { asked: waiting, settings: [], lookAt: NOW, changedAt: undefined };
    const policy = { ...defaultPolicy, waiting };
    const told = status(primaryState({}, { state: { policy, waiting: looked } }));
    expect(told).toMatchObject({
      matriarch: {
        waiting: [
          { role: 'billing', state: 'missing' },
          { database: 'ledger', state: 'missing' },
        ],
      },
    });
    expect(parseAnswer(memberStatusAnswer, JSON.stringify(told))).toBeDefined();
    const named = {
      sync: { leader: 'pg1', voters: ['pg2'], quorum: 0 } as unknown as SyncDocument,
    };
    expect(
      status(replicaState({}, { ...named, config: { synchronous_mode: true } })),
    ).toMatchObject({ sync_standby: true });
    expect(
      status(replicaState({}, { ...named, config: { synchronous_mode: 'quorum' } })),
    ).toMatchObject({ quorum_standby: true });
  });

  it('takes a store that was last seen a ttl ago for one without a leader', () => {
    const state = replicaState();
    expect(status(state, (NOW + 30_000) as Instant)).not.toHaveProperty('cluster_unlocked');
    const later = status(state, (NOW + 30_001) as Instant);
    expect(later).toMatchObject({ cluster_unlocked: true, dcs_last_seen: 1_795_422_386 });
    expect(status({ ...state, snapshot: undefined })).toMatchObject({ dcs_last_seen: 0 });
  });

  it('writes a position beyond what a float holds exactly', () => {
    const far = lsn(9_223_372_036_854_775_807n);
    const text = statusText(
      primaryState({ position: knownPosition({ timeline: 5 as Timeline, lsn: far }) }),
    );
    expect(text).toContain('"location": 9223372036854775807}');
    expect(parseExactJson(text)).toMatchObject({ xlog: { location: far } });
  });
});

describe('what our members read from it', () => {
  const position = (bytes: number) => knownPosition({ timeline: 5 as Timeline, lsn: lsn(bytes) });
  const tagged = replicaState();
  const standbys: readonly (readonly [string, MemberState])[] = [
    ['streams', replicaState()],
    ['has received more than it has replayed', replicaState({ replayedLsn: lsn(117_000_000) })],
    ['does not know its end of WAL', replicaState({ position: unknownPosition })],
    [
      'knows it without a walreceiver',
      replicaState({ receivedLsn: undefined, streaming: false, position: position(117_441_900) }),
    ],
    [
      'is on its first timeline',
      replicaState({
        lineage: { timeline: 1 as Timeline, ancestors: [] },
        position: knownPosition({ timeline: 1 as Timeline, lsn: lsn(117_441_856) }),
      }),
    ],
    [
      'is tagged',
      {
        ...tagged,
        self: {
          ...tagged.self,
          tags: { ...defaultTags, nofailover: true, failoverPriority: 4, others: { a: 1, b: 'x' } },
        },
      },
    ],
    [
      'cannot reach the store',
      replicaState({}, { state: { storeFailingSince: (NOW - 20_000) as Instant } }),
    ],
    ['leaves', replicaState({}, { state: { leaving: { since: NOW } } })],
    ['has no server', buildState({ name: 'pg2' })],
  ];
  it.each(standbys)('of a standby that %s is what the core says', (_name, state) => {
    expect(parsePeerStatus(statusText(state))).toEqual(assemblePeerAnswer(state));
  });

  it.each<readonly [string, MemberState]>([
    ['a holder', primaryState()],
    ['a primary without the lease', primaryState({}, { state: { tenure: undefined } })],
    [
      'a primary that starts',
      primaryState({}, { state: { probe: { value: { kind: 'starting' }, at: NOW } } }),
    ],
  ])('of %s is that it is one, and not to be elected', (_name, state) => {
    expect(parsePeerStatus(statusText(state))).toMatchObject({ primary: true, electable: false });
  });

  it('is what the schema of the answer says', () => {
    for (const state of [primaryState(), ...standbys.map(([, standby]) => standby)])
      expect(parseAnswer(memberStatusAnswer, statusText(state))).toMatchObject({
        matriarch: { version: MATRIARCH_VERSION },
        patroni: { name: state.self.name },
      });
    const cluster = encodeJson(assembleClusterDocument(buildSnapshot(), 'demo'));
    expect(parseAnswer(clusterAnswer, cluster)?.members).toMatchObject([
      { name: 'pg1' },
      { name: 'pg2', lag: 0 },
      { name: 'pg3', lag: 0 },
    ]);
  });

  it('of a primary whose server is gone is that it is none', () => {
    const state = primaryState({}, { state: { process: { kind: 'none', silent: true } } });
    expect(parsePeerStatus(statusText(state))).toMatchObject({
      primary: false,
      running: false,
      position: { known: false },
    });
  });
});

describe('the cluster document', () => {
  it('is Patroni’s', () => {
    const replica = memberDocument(2, {
      receiveLsn: lsn(117_441_800),
      replayLsn: lsn(117_441_700),
      xlogLocation: lsn(117_441_800),
      tags: { ...defaultTags, clonefrom: true },
    });
    const leader = memberDocument(1, { role: 'primary', replicationState: undefined });
    const snapshot = buildSnapshot({ members: { pg2: replica, pg1: leader } });
    expect(encodeJson(assembleClusterDocument(snapshot, 'demo'), { spaced: true })).toBe(
      '{"members": [{"name": "pg1", "role": "leader", "state": "running", ' +
        '"api_url": "http://127.0.0.1:58001/patroni", "host": "127.0.0.1", "port": 55431, ' +
        '"timeline": 5}, {"name": "pg2", "role": "replica", "state": "streaming", ' +
        '"api_url": "http://127.0.0.1:58002/patroni", "host": "127.0.0.1", "port": 55432, ' +
        '"timeline": 5, "tags": {"clonefrom": true}, "receive_lag": 56, ' +
        '"receive_lsn": "0/7000508", "replay_lag": 156, "replay_lsn": "0/70004A4", "lag": 56, ' +
        '"lsn": "0/7000508"}], "scope": "demo"}',
    );
  });

  it('names roles, and says what is unknown and what waits for its time', () => {
    const unknown = { receiveLsn: undefined, replayLsn: undefined, xlogLocation: undefined };
    const waiting = [{ kind: 'role', name: 'billing', state: 'waits' }] as const;
    const snapshot = buildSnapshot({
      members: {
        pg1: memberDocument(1, { waiting }),
        // Of when it was the leader.
        pg2: memberDocument(2, { waiting, scheduledRestart }),
        pg3: memberDocument(3, {
          ...unknown,
          connUrl: '',
          state: 'creating replica',
          replicationState: undefined,
          job: { kind: 'clone', doneBytes: 1, totalBytes: 2 },
        }),
        pg4: memberDocument(4, { connUrl: 'postgres://[::1]:5432/postgres' }),
      },
      config: { pause: true, synchronous_mode: 'quorum' },
      sync: { leader: 'pg1', voters: ['pg2'], quorum: 1 } as unknown as SyncDocument,
      failover: { leader: 'pg1' as never, scheduledAt: SCHEDULE },
    });
    const document = JSON.parse(encodeJson(assembleClusterDocument(snapshot, 'demo'))) as {
      members: Record<string, unknown>[];
    };
    expect(document).toMatchObject({
      pause: true,
      scheduled_switchover: { at: '2030-01-01T00:00:00+00:00', from: 'pg1' },
    });
    expect(document.members).toMatchObject([
      {
        name: 'pg1',
        role: 'leader',
        state: 'running',
        matriarch: { waiting: [{ role: 'billing', state: 'waits' }] },
      },
      {
        name: 'pg2',
        role: 'quorum_standby',
        lag: 0,
        scheduled_restart: {
          schedule: SCHEDULE.text,
          restart_pending: true,
          postmaster_start_time: '2026-11-23 08:25:19.152235+00:00',
        },
      },
      {
        name: 'pg3',
        role: 'replica',
        state: 'creating replica',
        lag: 'unknown',
        lsn: 'unknown',
        matriarch: { job: { kind: 'clone', done_bytes: 1, total_bytes: 2 } },
      },
      { name: 'pg4', role: 'replica', host: '::1', port: 5432 },
    ]);
    expect(document.members[0]).not.toHaveProperty('lag');
    expect(document.members[1]).not.toHaveProperty('matriarch');
    expect(document.members[2]).not.toHaveProperty('host');
  });

  it('measures lag from the leader’s own word where the status key is older', () => {
    const members = {
      pg1: memberDocument(1, { xlogLocation: lsn(117_442_000) }),
      pg2: memberDocument(2),
      pg3: memberDocument(3, { xlogLocation: lsn(117_442_001) }),
    };
    const { members: rows } = assembleClusterDocument(buildSnapshot({ members }), 'demo');
    expect(rows).toMatchObject([{}, { name: 'pg2', lag: 144n }, { name: 'pg3', lag: 0n }]);
  });
});

describe('a restart that waits for its time', () => {
  it('is in the status document without the start of the postmaster', () => {
    const primary = primaryState();
    const restart = { ...scheduledRestart, limitMs: 5_000 };
    const scheduled = { ...primary, schedules: { ...primary.schedules, restart } };
    const text = statusText(scheduled);
    expect(text).toContain(
      '"scheduled_restart": {"schedule": "2030-01-01T00:00:00+00:00", ' +
        '"restart_pending": true, "timeout": 5}',
    );
    expect(statusText(primary)).not.toContain('scheduled_restart');
  });
});

describe('the history', () => {
  it('has a row of each promotion, as long as what is known of it', () => {
    const first = { timeline: 1 as Timeline, switchLsn: lsn(67_112_072), reason: 'none' };
    const second = { ...first, timeline: 2 as Timeline, at: '2026-11-23T08:21:46.623366+00:00' };
    const history = [first, second, { ...second, leader: 'pg2' as never }];
    expect(encodeJson(assembleHistory(history))).toBe(
      '[[1,67112072,"none"],[2,67112072,"none","2026-11-23T08:21:46.623366+00:00"],' +
        '[2,67112072,"none","2026-11-23T08:21:46.623366+00:00","pg2"]]',
    );
  });
});
