/**
 * Any state a member could be in, and many it never is: each part is drawn by itself, from few
 * values that lie just below, on and just above the limits that are compared.
 */
import * as fc from 'fast-check';
import type { Failsafe } from '../model/failsafe.ts';
import { type MemberName, defaultTags } from '../model/member.ts';
import type { Operating } from '../model/operating.ts';
import { type Rejoin, freshRejoin } from '../model/rejoin.ts';
import type { ServerProcess } from '../model/server.ts';
import type { DocumentKey, LeaseTerm, Revision, StoreSnapshot } from '../model/store.ts';
import { type Vacating, beginVacating } from '../model/vacating.ts';
import { noSyncNames, renderSyncNames, standbySyncNames } from '../replication/sync-names.ts';
import type { SyncState } from '../replication/sync-state.ts';
import {
  type BootstrapStage,
  type MemberState,
  type PendingPromotion,
  createMember,
} from '../state.ts';
import { anyPolicy, anyWaiting } from './any/policy.ts';
import { anySchedules } from './any/schedules.ts';
import { anyDisk, anyPeer, anyProbe, anyProcess } from './any/server.ts';
import { anyRow, anySnapshot, documents } from './any/store.ts';
import { anyUnpromised } from './any/unpromised.ts';
import {
  CLUSTER,
  LEASES,
  NAMES,
  NEXT_LEASE,
  NOW,
  anyLeaseId,
  anyLife,
  anyLineage,
  anyLsn,
  anyName,
  anyPast,
  anyTags,
  anyTime,
  anyTimeline,
  maybe,
  seen,
} from './any/values.ts';

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
  schedules: anySchedules,
  failsafe: anyFailsafe,
  sync: anySync,
  waiting: anyWaiting,
  unpromised: anyUnpromised,
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
