import { emptyLanes } from './lanes.ts';
import type { Action, ActionId, Dispatch, Lane } from './model/action.ts';
import { type Failsafe, freshFailsafe } from './model/failsafe.ts';
import type { Instant } from './model/instant.ts';
import type { JournalDetails, JournalRow } from './model/journal.ts';
import type { MemberName, MemberTags } from './model/member.ts';
import { type Rejoin, freshRejoin } from './model/rejoin.ts';
import { type Operating, idleOperating } from './model/operating.ts';
import type { PeerAnswer } from './model/peer.ts';
import type { Policy } from './model/policy.ts';
import type { Prepared } from './model/prepared.ts';
import { type Schedules, noSchedules } from './model/schedules.ts';
import type { DiskFacts, Seen, ServerExit, ServerProbe, ServerProcess } from './model/server.ts';
import type { UpstreamFacts } from './model/server.ts';
import type {
  JobProgress,
  JsonObject,
  LeaseId,
  LeaseTerm,
  Life,
  Revision,
  StoreSnapshot,
} from './model/store.ts';
import type { Timeline } from './model/timeline.ts';
import type { Vacating } from './model/vacating.ts';
import type { WalPosition } from './model/wal-position.ts';
import { type SyncState, freshSync } from './replication/sync-state.ts';
import { type Unpromised, freshUnpromised } from './replication/unpromised.ts';
import { type WaitingState, freshWaiting } from './replication/waiting.ts';

/** What a member is, as far as decisions and its own documents need it. */
export interface Self {
  readonly name: MemberName;
  /** `host:port` other members reach this member's PostgreSQL under. */
  readonly address: string;
  readonly connUrl: string;
  readonly apiUrl: string;
  readonly tags: MemberTags;
  readonly life: Life;
  /** The first content of `config`; undefined: this member may not bootstrap a cluster. */
  readonly bootstrapConfig: JsonObject | undefined;
  /** Whether data found here may become a cluster the store knows nothing of. */
  readonly mayTakeOverData: boolean;
}

/** Something that happened and is worth a line in the log, the journal and `explain`. */
export interface StepEvent {
  /** `noun.verb`, for example `server.fenced`. */
  readonly name: string;
  readonly level: 'debug' | 'info' | 'warn' | 'error';
  readonly details: JournalDetails;
  /** The rule that decided it, with its evidence; absent for what was only seen or done. */
  readonly rule?: string | undefined;
  readonly because?: string | undefined;
}

/** Our lease of the store, which carries the member key and, when we hold it, the leader key. */
export interface Lease {
  readonly id: LeaseId;
  /** What the store granted. */
  readonly ttlMs: number;
  /** Just before the last request was sent that the store answered with "alive". */
  readonly renewedAt: Instant;
  /** What we asked for: the store may grant more. Undefined: a loop before us asked. */
  readonly askedTtlMs?: number | undefined;
}

/** Holding the leader key. It counts only until the deadline (rule S2). */
export interface Tenure {
  readonly term: LeaseTerm;
  readonly deadline: Instant;
}

/** A promotion with the number the store issued for it (rule S5). */
export interface PendingPromotion {
  readonly timeline: Timeline;
  readonly term: LeaseTerm;
  readonly stage: 'issued' | 'placed' | 'signalled';
  readonly since: Instant;
}

export type BootstrapStage = 'initialised' | 'installed' | 'users-created';

/** Facts older than an event that made them doubtful are dropped by setting them undefined. */
export interface MemberState {
  readonly self: Self;
  readonly policy: Policy;
  readonly now: Instant;
  /** When this loop got its guard's hello; undefined before. */
  readonly startedAt: Instant | undefined;
  readonly nextId: ActionId;
  readonly lanes: { readonly [L in Lane]?: InFlight | undefined };
  /** No new action in a lane before this instant. */
  readonly restUntil: { readonly [L in Lane]?: Instant | undefined };

  /** The deadline the guard has confirmed, and the lease it was confirmed for. */
  readonly guardDeadline: Instant | undefined;
  readonly guardLeaseId: LeaseId | undefined;
  readonly process: ServerProcess;
  readonly processSince: Instant;
  readonly lastExit: Seen<ServerExit> | undefined;
  /** Fences that did not end in silence, in a row. */
  readonly fenceFailures: number;

  readonly lease: Lease | undefined;
  readonly tenure: Tenure | undefined;
  /** One with the ttl of today, to which the leader key may move: the earlier deadline counts. */
  readonly nextLease: Lease | undefined;
  /**
   * A term whose release may still be carried out: a write can lie in a frozen store member and
   * land after its thaw. Until the leader key is written anew this term is not to be trusted.
   */
  readonly doubtfulTerm: LeaseTerm | undefined;
  /**
   * An electorate without an answer, by the term it was written in and the revision of the one it
   * was to replace: as long as both are of today it may still take that one's place (rule S6).
   */
  readonly unsettledSync: { readonly term: LeaseTerm; readonly revision: Revision | 0 } | undefined;
  /** Sending time of the keep-alive that waits for the transaction which makes it count. */
  readonly confirmFrom: Instant | undefined;
  readonly snapshot: Seen<StoreSnapshot> | undefined;
  /** The watch has seen a change that the snapshot may not show. */
  readonly snapshotStale: boolean;
  readonly storeFailingSince: Instant | undefined;
  /** Since when the leader key has been seen absent without interruption. */
  readonly vacantSince: Instant | undefined;

  readonly probe: Seen<ServerProbe> | undefined;
  /** Since when the server has not answered, although it runs. */
  readonly silentSince: Instant | undefined;
  /** Whether it streamed when it was last asked. */
  readonly streaming: boolean;
  /** It has been seen out of recovery. */
  readonly accepting: boolean;
  /** Since when it has been a standby that does not stream. */
  readonly idleSince: Instant | undefined;
  readonly disk: Seen<DiskFacts> | undefined;
  /** A replaced or half-made data directory lies beside (rule S7); undefined: not looked yet. */
  readonly asideKept: boolean | undefined;
  /** It could not be removed: not again before this instant. */
  readonly asideRetryAt: Instant | undefined;
  readonly peers: Seen<Readonly<Record<string, PeerAnswer>>> | undefined;
  readonly upstream: Seen<UpstreamFacts> | undefined;
  readonly job: JobProgress | undefined;

  readonly vacating: Vacating | undefined;
  readonly promotion: PendingPromotion | undefined;
  /** The checkpoint after a promotion is still to be made. */
  readonly checkpointDue: boolean;
  readonly rejoin: Rejoin;
  /** Until then another crash does not hand over (rule S13). */
  readonly quietUntil: Instant | undefined;
  /** Crashes inside the quiet time, restarted in place. */
  readonly quietCrashes: number;
  /** How far our bootstrap of a new cluster has come; undefined: none of ours is under way. */
  readonly bootstrap: BootstrapStage | undefined;
  readonly failedBootstraps: number;
  /** What the files of the data directory were last prepared for. */
  readonly prepared: Prepared | undefined;
  /** Which upstream the running server was told of last, and when: it takes a moment to obey. */
  readonly told: Seen<string | undefined> | undefined;
  /** The version of the files that the running server has read. */
  readonly appliedVersion: string | undefined;
  readonly sync: SyncState;
  /** Roles and databases whose commits wait, as the running server has them. */
  readonly waiting: WaitingState;
  /** Commits that our server has and nobody can promise. */
  readonly unpromised: Unpromised;
  /** Up to where WAL has been fetched for our standby to read. */
  readonly fetched: WalPosition | undefined;
  /** We have stopped receiving from the holder of this term, for good (rule S6). */
  readonly vote: LeaseTerm | undefined;
  /** When each member slot was last wanted by a member that is present. */
  readonly slotsWantedAt: Readonly<Record<string, Instant>>;
  /** When slots were last looked after, and the member key last written. */
  readonly slotsAt: Instant | undefined;
  readonly publishedAt: Instant | undefined;
  /** What is told in the store next, and when that was last done. */
  readonly journal: readonly JournalRow[];
  readonly journalAt: Instant | undefined;
  readonly leaving: { readonly since: Instant } | undefined;
  readonly operating: Operating;
  readonly schedules: Schedules;
  readonly failsafe: Failsafe;
}

export interface InFlight extends Dispatch {
  readonly sentAt: Instant;
  readonly action: Action;
}

/** The state while one step builds its successor. */
export type Draft = { -readonly [K in keyof MemberState]: MemberState[K] };

/** The state of a loop that knows nothing yet. Its first input is the guard's hello. */
export const createMember = (self: Self, policy: Policy): MemberState => {
  const never = 0 as Instant;
  return {
    self,
    policy,
    now: never,
    startedAt: undefined,
    nextId: 1,
    lanes: emptyLanes,
    restUntil: emptyLanes,
    guardDeadline: undefined,
    guardLeaseId: undefined,
    process: { kind: 'unknown' },
    processSince: never,
    lastExit: undefined,
    fenceFailures: 0,
    lease: undefined,
    tenure: undefined,
    nextLease: undefined,
    doubtfulTerm: undefined,
    unsettledSync: undefined,
    confirmFrom: undefined,
    snapshot: undefined,
    snapshotStale: true,
    storeFailingSince: undefined,
    vacantSince: undefined,
    probe: undefined,
    silentSince: undefined,
    streaming: false,
    accepting: false,
    idleSince: undefined,
    disk: undefined,
    asideKept: undefined,
    asideRetryAt: undefined,
    peers: undefined,
    upstream: undefined,
    job: undefined,
    vacating: undefined,
    promotion: undefined,
    checkpointDue: false,
    rejoin: freshRejoin(never),
    quietUntil: undefined,
    quietCrashes: 0,
    bootstrap: undefined,
    failedBootstraps: 0,
    prepared: undefined,
    told: undefined,
    appliedVersion: undefined,
    sync: freshSync,
    waiting: freshWaiting,
    unpromised: freshUnpromised,
    fetched: undefined,
    vote: undefined,
    slotsWantedAt: {},
    slotsAt: undefined,
    publishedAt: undefined,
    journal: [],
    journalAt: undefined,
    leaving: undefined,
    operating: idleOperating,
    schedules: noSchedules,
    failsafe: freshFailsafe,
  };
};
