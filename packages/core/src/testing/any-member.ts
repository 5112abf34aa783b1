/**
 * Any state a member could be in, and many it never is: each part is drawn by itself, from few
 * values that lie just below, on and just above the limits that are compared.
 */
import * as fc from 'fast-check';
import type { Failsafe } from '../model/failsafe.ts';
import { type Instant, after } from '../model/instant.ts';
import type { JournalRow } from '../model/journal.ts';
import { type Lsn, lsn } from '../model/lsn.ts';
import { type MemberName, defaultTags } from '../model/member.ts';
import type { Operating } from '../model/operating.ts';
import { type Rejoin, freshRejoin } from '../model/rejoin.ts';
import type { PeerAnswer } from '../model/peer.ts';
import { type Policy, defaultPolicy } from '../model/policy.ts';
import type { DiskFacts, ServerAnswer, ServerProbe, ServerProcess } from '../model/server.ts';
import type {
  DocumentKey,
  LeaseId,
  LeaseTerm,
  MemberDocument,
  Revision,
  StoreDocuments,
  StoreSnapshot,
  Versioned,
} from '../model/store.ts';
import { type Lineage, type Timeline, timeline } from '../model/timeline.ts';
import type { WaitingPolicy } from '../model/waiting.ts';
import { noSyncNames, renderSyncNames, standbySyncNames } from '../replication/sync-names.ts';
import type { SyncState } from '../replication/sync-state.ts';
import type { WaitingState } from '../replication/waiting.ts';
import { type KnownPosition, knownPosition, unknownPosition } from '../model/wal-position.ts';
import {
  type BootstrapStage,
  type MemberState,
  type PendingPromotion,
  type Vacating,
  beginVacating,
  createMember,
} from '../state.ts';

export const NOW = 3_600_000 as Instant;

const NAMES = ['alpha', 'bravo', 'charlie'] as const;
const anyName = fc.constantFrom(...NAMES).map((name) => name as MemberName);
const CLUSTER = '7001';

/** Moments around now: limits of a millisecond, of seconds, of minutes. */
const OFFSETS = [-70_000, -20_000, -5_000, -1_000, -51, -1, 0, 1, 299, 300, 5_000, 26_000];
const anyTime: fc.Arbitrary<Instant> = fc.constantFrom(...OFFSETS).map((ms) => after(NOW, ms));
const anyPast: fc.Arbitrary<Instant> = fc
  .constantFrom(...OFFSETS.filter((ms) => ms <= 0))
  .map((ms) => after(NOW, ms));

const maybe = <T>(arbitrary: fc.Arbitrary<T>): fc.Arbitrary<T | undefined> =>
  fc.option(arbitrary, { nil: undefined });

const anyLsn: fc.Arbitrary<Lsn> = fc.constantFrom(0x4ffffffn, 0x5000000n, 0x5000001n).map(lsn);
const anyTimeline: fc.Arbitrary<Timeline> = fc.constantFrom(1, 2, 3).map(timeline);

const anyLineage: fc.Arbitrary<Lineage> = fc
  .tuple(anyTimeline, anyLsn)
  .map(([number, switchLsn]) => ({
    timeline: number,
    ancestors: number === 1 ? [] : [{ timeline: timeline(number - 1), switchLsn }],
  }));

const anyPosition: fc.Arbitrary<KnownPosition> = fc.oneof(
  fc.constant(unknownPosition),
  fc.record({ timeline: anyTimeline, lsn: anyLsn }).map(knownPosition),
);

const anyTags = fc.record({
  nofailover: fc.constantFrom(false, false, true),
  failoverPriority: fc.constantFrom(1, 1, 0, 2),
});

const anyProcess: fc.Arbitrary<ServerProcess> = fc.oneof(
  fc.constant({ kind: 'unknown' as const }),
  fc.record({ kind: fc.constant('none' as const), silent: fc.constantFrom(true, true, false) }),
  fc.record({
    kind: fc.constant('running' as const),
    pid: fc.constant(100),
    startedAs: fc.constantFrom(
      'primary' as const,
      'standby' as const,
      'private' as const,
      'adopted' as const,
    ),
    promoted: fc.boolean(),
  }),
);

const anyAnswer: fc.Arbitrary<ServerAnswer> = fc.record({
  kind: fc.constant('answers' as const),
  systemIdentifier: fc.constantFrom(CLUSTER, CLUSTER, '6999'),
  serverVersion: fc.constant(150_008),
  inRecovery: fc.boolean(),
  lineage: anyLineage,
  position: anyPosition,
  receivedLsn: maybe(anyLsn),
  replayedLsn: maybe(anyLsn),
  replayedAt: fc.constant(undefined),
  replayPaused: fc.constant(false),
  streaming: fc.boolean(),
  receiving: fc.boolean(),
  upstream: maybe(fc.constantFrom('bravo:5432', 'charlie:5432')),
  standbys: fc.array(
    fc
      .record({ pid: fc.constantFrom(201, 202), applicationName: anyName, flushLsn: anyLsn })
      .map((row) => ({
        ...row,
        replyTime: undefined,
        state: 'streaming',
        sentLsn: row.flushLsn,
        replayLsn: row.flushLsn,
        syncState: 'async',
        clientAddress: '',
      })),
    { maxLength: 2 },
  ),
  slots: fc.array(
    fc.record({
      name: fc.constantFrom('bravo', 'charlie', 'delta'),
      active: fc.boolean(),
      restartLsn: maybe(anyLsn),
      walStatus: fc.constant('reserved'),
    }),
    { maxLength: 2 },
  ),
  startedAt: fc.constant(''),
  pendingRestart: fc.boolean(),
});

const anyProbe: fc.Arbitrary<ServerProbe> = fc.oneof(
  { weight: 4, arbitrary: anyAnswer },
  fc.constantFrom(
    { kind: 'none' as const },
    { kind: 'starting' as const },
    { kind: 'no-answer' as const, cause: '' },
  ),
);

const anyDisk: fc.Arbitrary<DiskFacts> = fc.record({
  content: fc.oneof(
    fc.constantFrom(
      { kind: 'empty' as const },
      { kind: 'not-ours' as const, detail: 'photos' },
      { kind: 'unreadable' as const, detail: 'no permission' },
    ),
    {
      weight: 4,
      arbitrary: fc.record({
        kind: fc.constant('data' as const),
        systemIdentifier: fc.constantFrom(CLUSTER, CLUSTER, '6999'),
        control: fc.constantFrom(
          'shut-down' as const,
          'in-production' as const,
          'in-recovery' as const,
        ),
        lineage: anyLineage,
        standbySignal: fc.boolean(),
        end: maybe(anyLsn),
        rewindable: fc.boolean(),
      }),
    },
  ),
  rewindUnfinished: fc.constantFrom(false, false, true),
  bootstrapUnfinished: fc.constantFrom(false, false, true),
  asideKept: fc.boolean(),
  newReady: fc.boolean(),
  lastWords: fc.constantFrom(undefined, undefined, 'panic' as const),
});

const anyPeer: fc.Arbitrary<PeerAnswer> = fc.oneof(
  fc.constant({ kind: 'no-answer' as const, cause: '' }),
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constant('answers' as const),
      running: fc.boolean(),
      primary: fc.constantFrom(false, false, true),
      position: anyPosition,
      lineage: maybe(anyLineage),
      tags: anyTags.map((tags) => ({ ...defaultTags, ...tags })),
      electable: fc.constantFrom(true, true, false),
      streaming: fc.boolean(),
      promisedTo: maybe(anyName),
    }),
  },
);

const anyDocument: fc.Arbitrary<MemberDocument> = fc.record({
  connUrl: fc.constantFrom('postgres://bravo:5432/postgres', 'nonsense'),
  apiUrl: fc.constant(''),
  state: fc.constantFrom('running', 'stopped', 'starting'),
  role: fc.constantFrom('primary', 'replica'),
  tags: fc.constant(defaultTags),
  ours: fc.boolean(),
});

const anyLife = fc.record({
  host: fc.constantFrom('host-1', 'host-2'),
  run: fc.constantFrom('run-1', 'run-2'),
});

const LEASES = ['6', '7'].map((id) => id as LeaseId);
const anyLeaseId = fc.constantFrom(...LEASES);
const NEXT_LEASE = '8' as LeaseId;

const versioned = <T>(value: fc.Arbitrary<T>): fc.Arbitrary<Versioned<T> | undefined> =>
  maybe(
    fc
      .tuple(value, fc.constantFrom(39, 40, 41), anyLeaseId)
      .map(([content, revision, leaseId]) => ({
        value: content,
        createRevision: revision as Revision,
        modRevision: revision as Revision,
        leaseId,
      })),
  );

const anyRow: fc.Arbitrary<JournalRow> = fc.record({
  member: anyName,
  clock: anyPast,
  revision: fc.constant(50 as Revision),
  event: fc.constantFrom('server.exited', undefined),
  level: fc.constant('info'),
  details: fc.constantFrom({}, { pid: 100 }),
});

const anyNamed = fc
  .subarray([...NAMES])
  .map((names) => Object.fromEntries(names.map((name) => [name, ''])));

const documents: { [K in DocumentKey]: fc.Arbitrary<StoreDocuments[K]> } = {
  initialize: fc.constantFrom(CLUSTER, CLUSTER, CLUSTER, ''),
  config: fc.constantFrom({}, {}, { pause: true }, { failsafe_mode: true }),
  leader: anyName,
  status: fc.record({ optime: anyLsn, retainSlots: fc.constantFrom(undefined, ['delta']) }),
  failover: fc.record({ leader: maybe(anyName), member: maybe(anyName) }),
  history: fc.constantFrom([], [{ timeline: timeline(1), switchLsn: lsn(0x5000000n), reason: '' }]),
  sync: fc.record({
    leader: maybe(anyName),
    voters: fc.subarray([...NAMES]).map((names) => names as unknown as MemberName[]),
    quorum: fc.constantFrom(0, 1),
  }),
  failsafe: anyNamed,
  timelines: fc.record({
    issued: anyTimeline,
    promotions: fc.constantFrom(
      [],
      [
        {
          timeline: timeline(2),
          parent: timeline(1),
          switchLsn: lsn(0x5000000n),
          member: 'bravo' as MemberName,
          term: 30 as LeaseTerm,
        },
      ],
    ),
  }),
  holder: fc.record({ member: anyName, life: anyLife }),
  handover: fc.record({
    from: anyName,
    term: fc.constant(30 as LeaseTerm),
    cause: fc.constantFrom('crash' as const, 'switchover' as const),
    end: anyPosition,
    heir: maybe(anyName),
    quietMs: fc.constantFrom(0, 30_000),
  }),
  quiet: fc.record({ ms: fc.constantFrom(0, 30_000) }),
  bootstrap: fc.record({ member: anyName, life: anyLife }),
  suspension: fc.record({ member: anyName, life: anyLife }),
  journal: fc.record({ rows: fc.array(anyRow, { maxLength: 2 }) }),
};

const anySnapshot: fc.Arbitrary<StoreSnapshot> = fc
  .record({
    members: fc.dictionary(fc.constantFrom(...NAMES), versioned(anyDocument), { maxKeys: 3 }),
    documents: fc.record(
      Object.fromEntries(
        Object.entries(documents).map(([key, value]) => [key, versioned<unknown>(value)]),
      ),
    ),
  })
  .map(({ members, documents: contents }) => {
    const present = Object.entries(members).filter(([, document]) => document !== undefined);
    const revision = 50 as Revision;
    return { revision, members: Object.fromEntries(present), ...contents } as StoreSnapshot;
  });

const anyWaitingPolicy: fc.Arbitrary<WaitingPolicy> = fc.record({
  roles: fc.constantFrom([], [], ['billing'], ['billing', 'reports']),
  databases: fc.constantFrom([], [], ['ledger']),
});

const anyWaiting: fc.Arbitrary<WaitingState> = fc.record({
  asked: maybe(anyWaitingPolicy),
  settings: fc.uniqueArray(
    fc.record({
      kind: fc.constantFrom('role' as const, 'database' as const),
      name: fc.constantFrom('billing', 'reports', 'ledger'),
      value: fc.constantFrom(undefined, 'on', 'local'),
      marked: fc.boolean(),
      canConnect: fc.boolean(),
    }),
    { maxLength: 2, selector: ({ kind, name }) => `${kind} ${name}` },
  ),
  lookAt: anyTime,
  changedAt: maybe(anyPast),
});

const anyPolicy: fc.Arbitrary<Policy> = fc
  .record({
    fastLease: fc.boolean(),
    primaryStartTimeoutMs: fc.constantFrom(0, 20_000),
    usePgRewind: fc.boolean(),
    useSlots: fc.boolean(),
    failsafe: fc.boolean(),
    serverConfigVersion: fc.constantFrom('v1', 'v2'),
    waiting: anyWaitingPolicy,
    synchronous: fc.record({
      mode: fc.constantFrom('off' as const, 'on' as const, 'quorum' as const),
      strict: fc.boolean(),
      count: fc.constantFrom(1, 2),
      lagBytesMax: fc.constantFrom(undefined, 0n),
    }),
  })
  .map((parts) => ({ ...defaultPolicy, ...parts }));

const anyVacating: fc.Arbitrary<Vacating> = fc
  .record({
    cause: fc.constantFrom('crash' as const, 'switchover' as const, 'shutdown' as const),
    begunAt: anyPast,
    since: anyPast,
    heir: maybe(anyName),
    checkpointed: fc.boolean(),
    end: maybe(fc.record({ timeline: anyTimeline, lsn: anyLsn })),
    endAt: maybe(anyPast),
    givenUp: fc.boolean(),
    rescue: maybe(fc.record({ to: anyName, since: anyPast })),
    counted: fc.boolean(),
  })
  .map((parts) => ({ ...beginVacating(parts.cause, parts.since), ...parts }));

const anyPromotion: fc.Arbitrary<PendingPromotion> = fc.record({
  timeline: anyTimeline,
  term: fc.constantFrom(39, 40).map((term) => term as LeaseTerm),
  stage: fc.constantFrom('issued' as const, 'placed' as const, 'signalled' as const),
  since: anyPast,
});

const anyOperating: fc.Arbitrary<Operating> = fc.record({
  suspended: fc.constantFrom('no' as const, 'no' as const, 'yes' as const, 'unknown' as const),
  announced: fc.constantFrom(undefined, undefined, 40 as Revision),
  mayStart: fc.constantFrom('never' as const, 'if-shut-down' as const, 'always' as const),
  operation: fc.oneof(
    { weight: 3, arbitrary: fc.constant(undefined) },
    fc.record({
      request: fc.constantFrom(
        { kind: 'restart' as const, id: '1', limitMs: undefined },
        { kind: 'restart' as const, id: '1', limitMs: 1_000 },
        { kind: 'reinitialize' as const, id: '1' },
      ),
      stage: fc.constantFrom('asked' as const, 'prepared' as const, 'stopping' as const),
      since: anyPast,
      pid: fc.constantFrom(undefined, 99, 100),
      failedStarts: fc.constantFrom(0, 2),
    }),
  ),
  answers: fc.constant([]),
});

const anyFailsafe: fc.Arbitrary<Failsafe> = fc.record({
  named: maybe(fc.subarray([...NAMES]).map((names) => names as unknown as MemberName[])),
  missingSince: fc.dictionary(fc.constantFrom(...NAMES), anyPast, { maxKeys: 1 }),
  promised: fc.dictionary(fc.constantFrom(...NAMES), anyTime, { maxKeys: 2 }),
  refusals: fc.constantFrom({}, { bravo: 'no' }),
  askedAt: maybe(anyPast),
  until: maybe(anyTime),
  promise: maybe(
    fc.record({
      to: maybe(anyName),
      term: fc.constantFrom(undefined, 30, 40).map((term) => term as LeaseTerm | undefined),
      ttlMs: fc.constantFrom(5_000, 30_000),
      until: anyTime,
    }),
  ),
  toAnswer: fc.constantFrom([], ['1']),
  votedBefore: maybe(fc.constantFrom(30, 40).map((term) => term as LeaseTerm)),
});

const anyRejoin: fc.Arbitrary<Rejoin> = fc
  .record({
    method: fc.constantFrom('follow' as const, 'rewind' as const, 'clone' as const),
    failedStarts: fc.constantFrom(0, 2, 3),
    failedRewinds: fc.constantFrom(0, 1, 2),
    failedMeasures: fc.constantFrom(0, 2),
    notBefore: anyTime,
    forkKept: fc.boolean(),
    cloned: fc.boolean(),
    asked: fc.constantFrom(false, false, true),
  })
  .map((parts) => ({ ...freshRejoin(NOW), ...parts }));

const seen = <T>(value: fc.Arbitrary<T>) => maybe(fc.record({ value, at: anyPast }));

const anyFacts = fc.record({
  policy: anyPolicy,
  startedAt: anyPast,
  guardDeadline: maybe(anyTime),
  guardLeaseId: maybe(fc.constantFrom(...LEASES, NEXT_LEASE)),
  process: anyProcess,
  processSince: anyPast,
  fenceFailures: fc.constantFrom(0, 1),
  lease: maybe(
    fc.record({
      id: anyLeaseId,
      ttlMs: fc.constantFrom(5_000, 30_000),
      renewedAt: anyPast,
    }),
  ),
  tenure: maybe(
    fc.record({
      term: fc.constantFrom(40, 41).map((term) => term as LeaseTerm),
      deadline: anyTime,
    }),
  ),
  nextLease: maybe(
    fc.record({
      id: fc.constant(NEXT_LEASE),
      ttlMs: fc.constantFrom(5_000, 30_000),
      renewedAt: anyPast,
    }),
  ),
  doubtfulTerm: maybe(fc.constant(40 as LeaseTerm)),
  unsettledSync: maybe(
    fc.record({
      term: fc.constantFrom(40, 41).map((term) => term as LeaseTerm),
      revision: fc.constantFrom(0, 12).map((revision) => revision as Revision | 0),
    }),
  ),
  confirmFrom: maybe(anyPast),
  snapshot: seen(anySnapshot),
  snapshotStale: fc.boolean(),
  storeFailingSince: maybe(anyPast),
  vacantSince: maybe(anyPast),
});

const anySyncText = fc.constantFrom('', '"bravo"', renderSyncNames(standbySyncNames));

const anySync: fc.Arbitrary<SyncState> = fc.record({
  wanted: fc.constantFrom(
    undefined,
    noSyncNames,
    { method: 'any' as const, count: 1, names: ['bravo', 'charlie'] as MemberName[] },
    { method: 'first' as const, count: 1, names: ['bravo'] as MemberName[] },
  ),
  told: maybe(anySyncText),
  shown: maybe(fc.record({ names: anySyncText, at: anyPast, senders: fc.constant([]) })),
  armed: fc.boolean(),
  holdsFrom: maybe(anyLsn),
  proven: fc.boolean(),
  seenAt: fc.dictionary(fc.constantFrom(...NAMES), anyPast, { maxKeys: 2 }),
  primarySince: maybe(anyPast),
});

const anyPlans = fc.record({
  journal: fc.array(anyRow, { maxLength: 2 }),
  journalAt: maybe(anyPast),
  probe: seen(anyProbe),
  silentSince: maybe(anyPast),
  idleSince: maybe(anyPast),
  disk: seen(anyDisk),
  asideKept: fc.constantFrom(undefined, true, false),
  peers: seen(fc.dictionary(fc.constantFrom(...NAMES), anyPeer, { maxKeys: 3 })),
  upstream: seen(
    fc.record({
      member: anyName,
      systemIdentifier: fc.constantFrom(CLUSTER, '6999'),
      inRecovery: fc.constantFrom(false, false, true),
      timeline: anyTimeline,
      lineage: anyLineage,
      oldestLsn: anyLsn,
      currentLsn: anyLsn,
      checkpointed: fc.boolean(),
    }),
  ),
  vacating: maybe(anyVacating),
  promotion: maybe(anyPromotion),
  asideRetryAt: maybe(anyTime),
  checkpointDue: fc.boolean(),
  rejoin: anyRejoin,
  quietUntil: maybe(anyTime),
  quietCrashes: fc.constantFrom(0, 1, 2),
  failedBootstraps: fc.constantFrom(0, 1, 3),
  prepared: maybe(
    fc.record({
      as: fc.constantFrom('primary' as const, 'standby' as const, 'private' as const),
      upstream: maybe(fc.constantFrom('bravo:5432')),
      version: fc.constantFrom('v1', 'v2'),
      syncNames: fc.constantFrom(undefined, '', renderSyncNames(standbySyncNames)),
    }),
  ),
  appliedVersion: maybe(fc.constantFrom('v1', 'v2')),
  operating: anyOperating,
  failsafe: anyFailsafe,
  sync: anySync,
  waiting: anyWaiting,
  fetched: maybe(fc.record({ timeline: anyTimeline, lsn: anyLsn })),
  vote: maybe(fc.constantFrom(30, 40).map((term) => term as LeaseTerm)),
  told: seen(maybe(fc.constantFrom('bravo:5432'))),
  slotsAt: maybe(anyPast),
  publishedAt: maybe(anyPast),
  leaving: fc.oneof(
    { weight: 4, arbitrary: fc.constant(undefined) },
    fc.record({ since: anyPast }),
  ),
});

const anySelf = fc.record({ tags: anyTags, mayTakeOverData: fc.boolean(), life: anyLife });

/** While a bootstrap of ours is under way no server runs but the private one that it has started. */
const bootstrapOf = (process: ServerProcess, stage: BootstrapStage | undefined) => {
  if (process.kind !== 'running') return stage;
  return process.startedAs === 'private' && stage !== 'initialised' ? stage : undefined;
};

const PARTS = fc.record({ facts: anyFacts, plans: anyPlans, snapshot: anySnapshot });

/**
 * Members near those of the scenes: some of their parts, and some of the store's documents, are
 * drawn anew. Most rules answer in a few states only; these are where such states are.
 */
export const anyMemberNear = (scenes: readonly MemberState[]): fc.Arbitrary<MemberState> =>
  fc.tuple(fc.nat(scenes.length - 1), PARTS).chain(([index, { facts, plans, snapshot }]) => {
    const scene = scenes[index] ?? scenes[0];
    const parts: Partial<MemberState> = { ...facts, ...plans };
    const keys = Object.keys(parts) as (keyof MemberState)[];
    const documentKeys = Object.keys(documents) as DocumentKey[];
    return fc
      .tuple(fc.subarray(keys, { maxLength: 3 }), fc.subarray(documentKeys, { maxLength: 2 }))
      .map(([changed, written]) => {
        const drawn = Object.fromEntries(changed.map((key) => [key, parts[key]]));
        const member = { ...scene, ...drawn } as MemberState;
        return writeDocuments(member, { from: snapshot, keys: written });
      });
  });

const writeDocuments = (
  member: MemberState,
  { from, keys }: { readonly from: StoreSnapshot; readonly keys: readonly DocumentKey[] },
): MemberState => {
  if (member.snapshot === undefined) return member;
  const drawn = Object.fromEntries(keys.map((key) => [key, from[key]]));
  const value: StoreSnapshot = { ...member.snapshot.value, ...drawn };
  const bootstrap = bootstrapOf(member.process, member.bootstrap);
  return { ...member, bootstrap, snapshot: { ...member.snapshot, value } };
};

export const anyMember: fc.Arbitrary<MemberState> = fc
  .record({
    self: anySelf,
    facts: anyFacts,
    plans: anyPlans,
    bootstrap: fc.constantFrom(
      ...([undefined, undefined, undefined, 'initialised', 'installed', 'users-created'] as const),
    ),
  })
  .map(({ self, facts, plans, bootstrap }) => {
    const member = createMember(
      {
        name: 'alpha' as MemberName,
        address: 'alpha:5432',
        connUrl: 'postgres://alpha:5432/postgres',
        apiUrl: 'http://alpha:8008/patroni',
        bootstrapConfig: {},
        ...self,
        tags: { ...defaultTags, ...self.tags },
      },
      facts.policy,
    );
    const state: MemberState = { ...member, now: NOW, ...facts, ...plans };
    return { ...state, bootstrap: bootstrapOf(state.process, bootstrap) };
  });
