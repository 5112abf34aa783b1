/**
 * Which status a check gets in which state of the member: tables over built states, asked through
 * the same functions as the web server's.
 */
import {
  type Action,
  type InFlight,
  type Instant,
  type MemberState,
  type ServerProbe,
  type SyncDocument,
  defaultTags,
  lsn,
  unknownPosition,
} from '@matriarch/core';
import { describe, expect, it } from 'vitest';
import { type CheckKind, classifyCheck, isAlive, isReady, meetsCheck } from './health-check.ts';
import { type MemberFacts, assembleMemberFacts } from './member-facts.ts';
import {
  NOW,
  type StateChanges,
  buildSnapshot,
  buildState,
  primaryState,
  replicaState,
} from './testing/build-state.ts';

const factsOf = (
  state: MemberState,
  more: { readonly now?: Instant; readonly primaryPid?: number; readonly ranMsAgo?: number } = {},
): MemberFacts => {
  const now = more.now ?? NOW;
  return assembleMemberFacts({
    scope: 'demo',
    state,
    now,
    wallClockMs: 0,
    loopLastRan: (now - (more.ranMsAgo ?? 0)) as Instant,
    primaryPid: more.primaryPid,
  });
};

const check = (state: MemberState | MemberFacts, url: string): 200 | 503 => {
  const { pathname, searchParams } = new URL(url, 'http://member');
  const facts = 'view' in state ? state : factsOf(state);
  return meetsCheck(facts, pathname, searchParams) ? 200 : 503;
};

const acting = (action: Action): Pick<MemberState, 'lanes'> => {
  const flight: InFlight = { id: 1, lane: 'server', action, rule: 'any', sentAt: NOW };
  return { lanes: { server: flight } };
};

const stopping: Action = { kind: 'stop-server', mode: 'fast', limitMs: 1_000 };
const seen = (probe: ServerProbe): Pick<MemberState, 'probe'> => ({
  probe: { value: probe, at: NOW },
});
const silent: ServerProbe = { kind: 'no-answer', cause: 'timeout' };
const late = (ms: number): Instant => (NOW + ms) as Instant;

describe('what a path asks for', () => {
  it.each<readonly [string, CheckKind]>([
    ['/', 'primary'],
    ['/primary', 'primary'],
    ['/master', 'primary'],
    ['/read-write', 'primary'],
    ['/foo-primary-bar', 'primary'],
    ['/leader', 'leader'],
    ['/standby-leader', 'standby-leader'],
    ['/standby_leader', 'standby-leader'],
    ['/any/standby_leader/of', 'standby-leader'],
    ['/primary-leader', 'leader'],
    ['/replica', 'replica'],
    ['/replica/of/primary', 'primary'],
    ['/read-only', 'read-only'],
    ['/x-read-only-x', 'read-only'],
    ['/health', 'health'],
    ['/healthz', 'health'],
    ['/sync', 'sync'],
    ['/synchronous', 'sync'],
    ['/synchro', 'unknown'],
    ['/quorum', 'quorum'],
    ['/async', 'async'],
    ['/asynchronous', 'async'],
    ['/read-only-sync', 'read-only-sync'],
    ['/read-only-synchronous', 'read-only-sync'],
    ['/read-only-quorum', 'read-only-quorum'],
    ['/read-only-quorum-x', 'unknown'],
    ['/favicon.ico', 'unknown'],
    ['//', 'unknown'],
  ])('%s asks for %s', (path, kind) => {
    expect(classifyCheck(path)).toBe(kind);
  });
});

describe('the lease holder with its primary', () => {
  it.each([
    ['/', 200],
    ['/primary', 200],
    ['/master', 200],
    ['/read-write', 200],
    ['/leader', 200],
    ['/read-only', 200],
    ['/read-only-sync', 200],
    ['/read-only-quorum', 200],
    ['/health', 200],
    ['/standby-leader', 503],
    ['/replica', 503],
    ['/sync', 503],
    ['/async', 503],
    ['/quorum', 503],
    ['/nothing', 503],
    ['/primary?tag_zone=a', 200],
    ['/leader?tag_zone=a', 200],
    ['/read-only?tag_zone=a', 503],
    ['/primary?lag=0', 200],
  ])('%s is %i', (url, status) => {
    expect(check(primaryState(), url)).toBe(status);
  });
});

describe('when a primary stops being one to the outside', () => {
  const primary = { kind: 'running', pid: 4711, startedAs: 'primary', promoted: false } as const;
  const cases: readonly (readonly [string, MemberState | MemberFacts, number])[] = [
    ['its deadline has come', factsOf(primaryState(), { now: late(20_000) }), 503],
    ['its deadline is a moment away', factsOf(primaryState(), { now: late(19_999) }), 200],
    ['it has no lease', primaryState({}, { state: { tenure: undefined } }), 503],
    ['it is being stopped', primaryState({}, { state: acting(stopping) }), 503],
    [
      'it is being fenced',
      primaryState({}, { state: acting({ kind: 'fence', by: 'guard' }) }),
      503,
    ],
    ['it is only reloaded', primaryState({}, { state: acting({ kind: 'reload-server' }) }), 200],
    [
      'its server is gone',
      primaryState({}, { state: { process: { kind: 'none', silent: false } } }),
      503,
    ],
    ['its server starts', primaryState({}, { state: seen({ kind: 'starting' }) }), 503],
    [
      'it is silent, and never said it was a primary',
      primaryState({}, { state: seen(silent) }),
      503,
    ],
    [
      'it is silent for a moment',
      factsOf(primaryState({}, { state: seen(silent) }), { primaryPid: 4711 }),
      200,
    ],
    [
      'it is silent, and another postmaster than the one that was a primary',
      factsOf(primaryState({}, { state: seen(silent) }), { primaryPid: 4710 }),
      503,
    ],
    [
      'it is silent past its deadline',
      factsOf(primaryState({}, { state: seen(silent) }), { primaryPid: 4711, now: late(20_000) }),
      503,
    ],
    [
      'it holds the lease and is still in recovery',
      replicaState(
        {},
        { leader: 'pg2', state: { tenure: { term: 1 as never, deadline: late(9_000) } } },
      ),
      503,
    ],
    [
      'it was promoted by hand',
      primaryState({}, { state: { process: { ...primary, startedAs: 'standby' } } }),
      503,
    ],
    [
      'it was promoted by us',
      primaryState(
        {},
        { state: { process: { ...primary, startedAs: 'standby', promoted: true } } },
      ),
      200,
    ],
    [
      'it bootstraps on a private socket',
      primaryState({}, { state: { process: { ...primary, startedAs: 'private' } } }),
      503,
    ],
  ];
  it.each(cases)('%s', (_name, state, status) => {
    for (const path of ['/', '/primary', '/master', '/read-write', '/leader'])
      expect(check(state, path), path).toBe(status);
  });
});

describe('a standby', () => {
  const tagged = (tags: Partial<typeof defaultTags>): MemberState => {
    const state = replicaState();
    return { ...state, self: { ...state.self, tags: { ...defaultTags, ...tags } } };
  };
  const behind = replicaState({ replayedLsn: lsn(117_441_856 - 2_097_152) });
  const cases: readonly (readonly [string, MemberState, string, number])[] = [
    ['that streams', replicaState(), '/replica', 200],
    ['that streams', replicaState(), '/read-only', 200],
    ['that streams', replicaState(), '/async', 200],
    ['that streams', replicaState(), '/asynchronous', 200],
    ['that streams', replicaState(), '/health', 200],
    ['that streams', replicaState(), '/primary', 503],
    ['that streams', replicaState(), '/leader', 503],
    ['that streams', replicaState(), '/sync', 503],
    ['that streams', replicaState(), '/replica?replication_state=streaming', 200],
    ['that does not stream', replicaState({ streaming: false }), '/replica', 200],
    [
      'that does not stream',
      replicaState({ streaming: false }),
      '/replica?replication_state=streaming',
      503,
    ],
    ['that starts', replicaState({}, { state: seen({ kind: 'starting' }) }), '/replica', 503],
    ['that starts', replicaState({}, { state: seen({ kind: 'starting' }) }), '/health', 503],
    ['that is being stopped', replicaState({}, { state: acting(stopping) }), '/replica', 503],
    ['that is being stopped', replicaState({}, { state: acting(stopping) }), '/health', 503],
    [
      'whose agent leaves',
      replicaState({}, { state: { leaving: { since: NOW } } }),
      '/replica',
      503,
    ],
    ['without a server', buildState({ name: 'pg2' }), '/replica', 503],
    ['2 MiB behind', behind, '/replica', 200],
    ['2 MiB behind', behind, '/replica?lag=2097152', 200],
    ['2 MiB behind', behind, '/replica?lag=2097151', 503],
    ['2 MiB behind', behind, '/replica?lag=2MB', 200],
    ['2 MiB behind', behind, '/replica?lag=2047kB', 503],
    ['2 MiB behind', behind, '/replica?lag=1mb', 503],
    ['2 MiB behind', behind, '/replica?lag=1GB', 200],
    ['2 MiB behind, limit unreadable', behind, '/replica?lag=soon', 200],
    ['2 MiB behind', behind, '/read-only?lag=1MB', 503],
    ['2 MiB behind', behind, '/async?lag=1MB', 503],
    ['2 MiB behind', behind, '/health?lag=1MB', 200],
    [
      'behind what it has received itself',
      replicaState({ receivedLsn: lsn(300_000_000) }),
      '/replica?lag=1MB',
      503,
    ],
    [
      'that has replayed nothing',
      replicaState({ replayedLsn: undefined }),
      '/replica?lag=1MB',
      503,
    ],
    ['tagged noloadbalance', tagged({ noloadbalance: true }), '/replica', 503],
    ['tagged noloadbalance', tagged({ noloadbalance: true }), '/read-only', 503],
    ['tagged noloadbalance', tagged({ noloadbalance: true }), '/health', 200],
    ['of zone a', tagged({ others: { zone: 'a' } }), '/replica?tag_zone=a', 200],
    ['of zone a', tagged({ others: { zone: 'a' } }), '/replica?tag_zone=b', 503],
    ['of zone a', tagged({ others: { zone: 'a' } }), '/replica?tag_zone=a&tag_rack=1', 503],
    ['of zone a', tagged({ others: { zone: 'a', rack: 1 } }), '/health?tag_zone=a&tag_rack=1', 200],
    ['of no zone', replicaState(), '/replica?tag_zone=a', 503],
    ['tagged clonefrom', tagged({ clonefrom: true }), '/replica?tag_clonefrom=true', 200],
    ['tagged clonefrom', tagged({ clonefrom: true }), '/replica?tag_clonefrom=True', 503],
    ['not tagged clonefrom', replicaState(), '/replica?tag_clonefrom=false', 503],
  ];
  it.each(cases)('%s', (...[, state, url, status]) => {
    expect(check(state, url), url).toBe(status);
  });
});

describe('synchronous standbys', () => {
  const sync = { leader: 'pg1', voters: ['pg2', 'pg9'], quorum: 1 } as unknown as SyncDocument;
  const member = (mode: boolean | string, more: StateChanges = {}): MemberState =>
    replicaState({}, { config: { synchronous_mode: mode }, sync, ...more });
  const cases: readonly (readonly [string, MemberState, Readonly<Record<string, number>>])[] = [
    [
      'named, priority mode',
      member(true),
      {
        '/sync': 200,
        '/quorum': 503,
        '/async': 503,
        '/read-only-sync': 200,
        '/read-only-quorum': 503,
        '/replica': 200,
      },
    ],
    ['named, mode written as text', member('on'), { '/sync': 200, '/async': 503 }],
    [
      'named, quorum mode',
      member('quorum'),
      {
        '/sync': 503,
        '/quorum': 200,
        '/async': 503,
        '/read-only-sync': 503,
        '/read-only-quorum': 200,
      },
    ],
    ['named, but the mode is off', member(false), { '/sync': 503, '/quorum': 503, '/async': 200 }],
    [
      'not named',
      member(true, { sync: { leader: 'pg1', voters: [], quorum: 0 } as unknown as SyncDocument }),
      { '/sync': 503, '/async': 200, '/read-only-sync': 503 },
    ],
  ];
  it.each(cases)('%s', (_name, state, expected) => {
    const statuses = Object.keys(expected).map((path) => [path, check(state, path)]);
    expect(Object.fromEntries(statuses)).toEqual(expected);
  });

  it('are not told from what the store said longer than a ttl ago', () => {
    const facts = factsOf(member(true), { now: late(30_001) });
    expect(check(facts, '/sync')).toBe(503);
    expect(check(facts, '/replica')).toBe(200);
    const asynchronous = factsOf(replicaState(), { now: late(30_001) });
    expect(check(asynchronous, '/async')).toBe(503);
  });
});

describe('the holder of a standby cluster', () => {
  const config = { standby_cluster: { host: 'elsewhere' } };
  const state = replicaState(
    {},
    { config, leader: 'pg2', state: { tenure: { term: 1 as never, deadline: late(9_000) } } },
  );
  it.each([
    ['/standby-leader', 200],
    ['/standby_leader', 200],
    ['/leader', 200],
    ['/read-only', 200],
    ['/primary', 503],
    ['/replica', 503],
  ])('%s is %i', (path, status) => {
    expect(check(state, path)).toBe(status);
  });

  it('is none without the lease, and an empty standby_cluster is none at all', () => {
    expect(check(replicaState({}, { config }), '/standby-leader')).toBe(503);
    expect(check(replicaState({}, { config }), '/replica')).toBe(200);
    expect(check(primaryState({}, { config: { standby_cluster: {} } }), '/primary')).toBe(200);
  });
});

describe('readiness', () => {
  const ready = (state: MemberState, query = ''): boolean =>
    isReady(factsOf(state), new URLSearchParams(query));
  const behind = replicaState({ replayedLsn: lsn(117_441_856 - 2_097_152) });
  const cases: readonly (readonly [string, MemberState, string, boolean])[] = [
    ['a primary', primaryState(), '', true],
    [
      'a holder without a server',
      primaryState({}, { state: { process: { kind: 'none', silent: true } } }),
      '',
      false,
    ],
    ['a primary that is being stopped', primaryState({}, { state: acting(stopping) }), '', false],
    ['a streaming standby', replicaState(), '', true],
    ['a standby that does not stream', replicaState({ streaming: false }), '', false],
    ['further behind than maximum_lag_on_failover', behind, '', false],
    ['as far behind as the query allows', behind, 'lag=2MB', true],
    ['further behind than the query allows', behind, 'lag=1MB', false],
    ['having received it all', behind, 'mode=write', true],
    ['having to replay it', behind, 'mode=apply', false],
    ['an unreadable limit', behind, 'lag=much', false],
    ['a primary without the lease', primaryState({}, { state: { tenure: undefined } }), '', false],
  ];
  it.each(cases)('%s', (...[, state, query, expected]) => {
    expect(ready(state, query)).toBe(expected);
  });
});

describe('liveness', () => {
  it.each([
    ['primary', primaryState(), 30_000, true],
    ['primary', primaryState(), 30_001, false],
    ['standby', replicaState(), 60_000, true],
    ['standby', replicaState(), 60_001, false],
  ] as const)('a %s whose loop took its last step %#', (...[, state, ranMsAgo, alive]) => {
    expect(isAlive(factsOf(state, { ranMsAgo }))).toBe(alive);
  });
});

describe('a standby whose end of WAL is not known yet', () => {
  it('serves reads all the same', () => {
    const state = replicaState({ position: unknownPosition });
    expect(check(state, '/replica')).toBe(200);
  });

  it('has no lag where nothing is known of the lease holder', () => {
    const { status: _status, ...snapshot } = buildSnapshot();
    const state: MemberState = {
      ...replicaState({ receivedLsn: undefined, replayedLsn: undefined }),
      snapshot: { value: snapshot, at: NOW },
    };
    expect(check(state, '/replica?lag=1')).toBe(200);
  });
});
