import {
  type FailoverDocument,
  type Instant,
  type JsonObject,
  type MemberDocument,
  type MemberName,
  type MemberState,
  type Revision,
  type Schedule,
  type ServerAnswer,
  type StoreDocuments,
  type StoreSnapshot,
  type SyncDocument,
  type Timeline,
  type Versioned,
  createMember,
  defaultPolicy,
  defaultTags,
  knownPosition,
  lsn,
  wallTime,
} from '@matriarch/core';

/** The moment of all built states. */
export const NOW = 1_000_000 as Instant;
export const SYSTEM_IDENTIFIER = '7711278875043525676';
const REVISION = 40 as Revision;

/** A moment on the wall clock, years from now. */
export const SCHEDULE: Schedule = {
  text: '2030-01-01T00:00:00+00:00',
  at: wallTime(Date.UTC(2030, 0, 1)),
};

const at = <T>(value: T): { readonly value: T; readonly at: Instant } => ({ value, at: NOW });

/** A server that answers as the primary of timeline 5. */
export const primaryAnswer = (changes: Partial<ServerAnswer> = {}): ServerAnswer => ({
  kind: 'answers',
  systemIdentifier: SYSTEM_IDENTIFIER,
  serverVersion: 150018,
  inRecovery: false,
  lineage: {
    timeline: 5 as Timeline,
    ancestors: [
      { timeline: 1 as Timeline, switchLsn: lsn(67_112_072) },
      { timeline: 2 as Timeline, switchLsn: lsn(67_112_744) },
    ],
  },
  position: knownPosition({ timeline: 5 as Timeline, lsn: lsn(117_441_856) }),
  receivedLsn: undefined,
  replayedLsn: undefined,
  replayedAt: undefined,
  replayPaused: false,
  streaming: false,
  receiving: false,
  upstream: undefined,
  standbys: [],
  slots: [],
  startedAt: '2026-11-23 08:25:19.152235+00:00',
  pendingRestart: false,
  ...changes,
});

/** A standby that streams and has everything. */
export const standbyAnswer = (changes: Partial<ServerAnswer> = {}): ServerAnswer => ({
  ...primaryAnswer(),
  inRecovery: true,
  receivedLsn: lsn(117_441_856),
  replayedLsn: lsn(117_441_856),
  streaming: true,
  upstream: '127.0.0.1:55431',
  ...changes,
});

export const memberDocument = (
  number: number,
  changes: Partial<MemberDocument> = {},
): MemberDocument => ({
  connUrl: `postgres://127.0.0.1:5543${number}/postgres`,
  apiUrl: `http://127.0.0.1:5800${number}/patroni`,
  state: 'running',
  role: 'replica',
  tags: defaultTags,
  timeline: 5 as Timeline,
  xlogLocation: lsn(117_441_856),
  receiveLsn: lsn(117_441_856),
  replayLsn: lsn(117_441_856),
  replicationState: 'streaming',
  ours: true,
  ...changes,
});

export interface SnapshotChanges {
  readonly leader?: string | undefined;
  readonly members?: Readonly<Record<string, MemberDocument>> | undefined;
  readonly config?: JsonObject | undefined;
  readonly sync?: SyncDocument | undefined;
  readonly failover?: FailoverDocument | undefined;
  readonly optime?: number | bigint | undefined;
  readonly history?: StoreDocuments['history'] | undefined;
  readonly revision?: number | undefined;
}

const versioned = <T>(value: T): Versioned<T> => ({
  value,
  createRevision: REVISION,
  modRevision: REVISION,
});

/** A cluster of pg1, which leads, pg2 and pg3. `leader: undefined`: nobody holds the lease. */
export const buildSnapshot = (changes: SnapshotChanges = {}): StoreSnapshot => {
  const members = changes.members ?? {
    pg1: memberDocument(1, {
      role: 'primary',
      receiveLsn: undefined,
      replayLsn: undefined,
      replicationState: undefined,
    }),
    pg2: memberDocument(2),
    pg3: memberDocument(3),
  };
  const leader = 'leader' in changes ? changes.leader : 'pg1';
  const { failover, sync, history } = changes;
  return {
    revision: (changes.revision ?? REVISION) as Revision,
    members: Object.fromEntries(
      Object.entries(members).map(([name, document]) => [name, versioned(document)]),
    ),
    initialize: versioned(SYSTEM_IDENTIFIER),
    config: versioned(changes.config ?? { ttl: 30, loop_wait: 10 }),
    status: versioned({ optime: lsn(changes.optime ?? 117_441_856) }),
    ...(leader === undefined ? {} : { leader: versioned(leader as MemberName) }),
    ...(failover === undefined ? {} : { failover: versioned(failover) }),
    ...(sync === undefined ? {} : { sync: versioned(sync) }),
    ...(history === undefined ? {} : { history: versioned(history) }),
  };
};

export interface StateChanges extends SnapshotChanges {
  readonly name?: string | undefined;
  readonly state?: Partial<MemberState> | undefined;
}

/** A member that has started, knows the store, and whose server does not run. */
export const buildState = ({
  name = 'pg1',
  state,
  ...snapshot
}: StateChanges = {}): MemberState => ({
  ...createMember(
    {
      name: name as MemberName,
      address: '127.0.0.1:55431',
      connUrl: 'postgres://127.0.0.1:55431/postgres',
      apiUrl: 'http://127.0.0.1:58001/patroni',
      tags: defaultTags,
      life: { host: 'host', run: 'run' },
      bootstrapConfig: undefined,
      mayTakeOverData: false,
    },
    defaultPolicy,
  ),
  now: NOW,
  startedAt: (NOW - 60_000) as Instant,
  snapshot: at(buildSnapshot(snapshot)),
  snapshotStale: false,
  process: { kind: 'none', silent: true },
  ...state,
});

/** pg1, the lease holder, with its server out of recovery. */
export const primaryState = (
  server: Partial<ServerAnswer> = {},
  changes: StateChanges = {},
): MemberState =>
  buildState({
    ...changes,
    name: changes.name ?? 'pg1',
    state: {
      tenure: { term: 30 as never, deadline: (NOW + 20_000) as Instant },
      process: { kind: 'running', pid: 4711, startedAs: 'primary', promoted: false },
      probe: at(primaryAnswer(server)),
      ...changes.state,
    },
  });

/** pg2, a standby of pg1. */
export const replicaState = (
  server: Partial<ServerAnswer> = {},
  changes: StateChanges = {},
): MemberState =>
  buildState({
    ...changes,
    name: changes.name ?? 'pg2',
    state: {
      process: { kind: 'running', pid: 4712, startedAs: 'standby', promoted: false },
      probe: at(standbyAnswer(server)),
      ...changes.state,
    },
  });
