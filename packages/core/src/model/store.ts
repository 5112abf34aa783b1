import type { Brand } from './brand.ts';
import type { JournalDocument } from './journal.ts';
import type { Lsn } from './lsn.ts';
import type { MemberName, MemberTags } from './member.ts';
import type { Schedule, ScheduledRestart } from './schedule.ts';
import type { Lineage, Timeline } from './timeline.ts';
import type { WaiterReport } from './waiting.ts';
import type { KnownPosition, WalPosition } from './wal-position.ts';

/** A store-wide counter that grows with every change (etcd's revision). */
export type Revision = Brand<number, 'Revision'>;

/**
 * The fencing number of one reign: the revision at which the leader key was written. Renewals never
 * rewrite the key, so the same term means the same holder, the same lease, the same acquisition.
 */
export type LeaseTerm = Brand<number, 'LeaseTerm'>;

/** A lease of the store, in decimal; its 63 bits do not fit a number. */
export type LeaseId = Brand<string, 'LeaseId'>;

/**
 * One run of one guard on one host: boot id, process-id namespace and a random part. Two processes
 * with the same host part can see each other's processes; with another one they cannot.
 */
export interface Life {
  readonly host: string;
  readonly run: string;
}

export type Json = null | boolean | number | string | readonly Json[] | JsonObject;
export interface JsonObject {
  readonly [key: string]: Json;
}

/** `members/<name>`: what a member says of itself, with its lease. */
export interface MemberDocument {
  readonly connUrl: string;
  readonly apiUrl: string;
  /** Patroni's words: `running`, `starting`, `stopped`, `creating replica`, `crashed`, … */
  readonly state: string;
  /** `primary`, `promoted`, `replica`, `demoted`, `uninitialized`. */
  readonly role: string;
  readonly tags: MemberTags;
  readonly timeline?: Timeline | undefined;
  readonly xlogLocation?: Lsn | undefined;
  readonly receiveLsn?: Lsn | undefined;
  readonly replayLsn?: Lsn | undefined;
  readonly replicationState?: string | undefined;
  readonly pendingRestart?: boolean | undefined;
  readonly scheduledRestart?: ScheduledRestart | undefined;
  /** True once the member has seen that the cluster is paused; absent otherwise. */
  readonly pause?: boolean | undefined;
  /** False from a promotion until its checkpoint is done; absent otherwise. */
  readonly checkpointAfterPromote?: boolean | undefined;
  /** True for our own members. Members without it are Patroni's (rule S12). */
  readonly ours: boolean;
  /** It has stopped receiving from the holder of this term, and never will again (rule S6). */
  readonly vote?: LeaseTerm | undefined;
  /** A dead server's last WAL, for one standby that lacks it (rule S11). */
  readonly offer?: WalOffer | undefined;
  readonly job?: JobProgress | undefined;
  /** Whose commits wait for a standby; absent: nobody's are said to, or it is not known. */
  readonly waiting?: readonly WaiterReport[] | undefined;
}

/**
 * The WAL of a server that is silent, up to its end: nothing is added to it as long as this stands.
 */
export interface WalOffer {
  readonly to: MemberName;
  readonly end: WalPosition;
}

/** How far a long piece of work (clone, rewind, initialise) has come. */
export interface JobProgress {
  readonly kind: 'initialise' | 'clone' | 'rewind';
  readonly doneBytes?: number | undefined;
  readonly totalBytes?: number | undefined;
}

/** `status`: what the holder last said of its WAL and slots. */
export interface StatusDocument {
  readonly optime: Lsn;
  readonly slots?: Readonly<Record<string, Lsn>> | undefined;
  readonly retainSlots?: readonly string[] | undefined;
}

/** `failover`: a request for a switchover (with `leader`) or failover. `{}` is none. */
export interface FailoverDocument {
  readonly leader?: MemberName | undefined;
  readonly member?: MemberName | undefined;
  /** Not before this time; absent: now. */
  readonly scheduledAt?: Schedule | undefined;
}

/** One row of `history`. */
export interface HistoryEntry {
  readonly timeline: Timeline;
  readonly switchLsn: Lsn;
  readonly reason: string;
  readonly at?: string | undefined;
  readonly leader?: MemberName | undefined;
}

/** One promotion that happened: its number, where it left its parent and who did it (rule S5). */
export interface Promotion {
  readonly timeline: Timeline;
  readonly parent: Timeline;
  readonly switchLsn: Lsn;
  readonly member: MemberName;
  readonly term: LeaseTerm;
}

/** `matriarch/timelines`: every number up to `issued` has been given out, each once. */
export interface TimelinesDocument {
  readonly issued: Timeline;
  readonly promotions: readonly Promotion[];
}

/** `matriarch/holder`: written with each acquisition, kept when the leader key is gone. */
export interface HolderDocument {
  readonly member: MemberName;
  readonly life: Life;
  /**
   * The term this reign began with, when its leader key was written anew since without the server
   * having stopped in between; absent otherwise.
   */
  readonly since?: LeaseTerm | undefined;
}

export type HandoverCause = 'crash' | 'cannot-start' | 'switchover' | 'shutdown';

/** `matriarch/handover`: why the last holder released its lease; gone with the next acquisition. */
export interface HandoverDocument {
  readonly from: MemberName;
  readonly term: LeaseTerm;
  readonly cause: HandoverCause;
  /** Everything the released server holds. It is silent: nothing is added any more. */
  readonly end: KnownPosition;
  /**
   * What a successor must hold where that is less: the rest was never acknowledged, as the votes
   * showed (rule S6). Absent: all of it.
   */
  readonly needed?: WalPosition | undefined;
  /** Who should take over; others leave it a head start. */
  readonly heir?: MemberName | undefined;
  /** What is left of the time in which another crash must not hand over again (rule S13). */
  readonly quietMs: number;
}

/** `matriarch/bootstrap`, with a lease: who is initialising the cluster right now. */
export interface BootstrapDocument {
  readonly member: MemberName;
  readonly life: Life;
}

/** `matriarch/quiet`: there while another crash must not hand over (rule S13). */
export interface QuietDocument {
  /** How long from the acquisition it was written with. A holder that is new to it counts anew. */
  readonly ms: number;
}

/**
 * `matriarch/suspension`: whose server goes on without a lease while the cluster is paused. There
 * from before its guard is told until after that was taken back, or its server is silent (rule S1).
 */
export interface SuspensionDocument {
  readonly member: MemberName;
  readonly life: Life;
}

/**
 * `sync`: who may be elected without losing a commit that was acknowledged synchronously (rule S6).
 * Absent: replication is asynchronous, and anybody may.
 */
export interface SyncDocument {
  /** The primary it was written by: it has every commit, and needs no vote. */
  readonly leader?: MemberName | undefined;
  /** Votes a winner needs besides one, of members that hold no more than it does. */
  readonly quorum: number;
  /** Patroni's `sync_standby`. */
  readonly voters: readonly MemberName[];
}

/** `failsafe` has the API's address of each member by its name (rule S9). */
export interface StoreDocuments {
  readonly initialize: string;
  readonly config: JsonObject;
  readonly leader: MemberName;
  readonly status: StatusDocument;
  readonly failover: FailoverDocument;
  readonly history: readonly HistoryEntry[];
  readonly sync: SyncDocument;
  readonly failsafe: JsonObject;
  readonly timelines: TimelinesDocument;
  readonly holder: HolderDocument;
  readonly handover: HandoverDocument;
  readonly bootstrap: BootstrapDocument;
  readonly quiet: QuietDocument;
  readonly suspension: SuspensionDocument;
  readonly journal: JournalDocument;
}

export type DocumentKey = keyof StoreDocuments;

export interface Versioned<T> {
  readonly value: T;
  readonly createRevision: Revision;
  readonly modRevision: Revision;
  readonly leaseId?: LeaseId | undefined;
}

/** All documents of one cluster as they were at one revision. Missing keys are absent. */
export type StoreSnapshot = {
  readonly revision: Revision;
  readonly members: Readonly<Record<string, Versioned<MemberDocument>>>;
} & { readonly [K in DocumentKey]?: Versioned<StoreDocuments[K]> | undefined };

/** A condition of a transaction. `modRevision` 0 means the key must be absent. */
export interface StoreCompare {
  readonly key: DocumentKey;
  readonly modRevision: Revision | 0;
}

export type StoreWrite =
  | {
      readonly [K in DocumentKey]: {
        readonly key: K;
        readonly put: StoreDocuments[K];
        readonly leaseId?: LeaseId | undefined;
      };
    }[DocumentKey]
  | { readonly key: DocumentKey; readonly remove: true }
  | { readonly member: MemberName; readonly put: MemberDocument; readonly leaseId: LeaseId };

/** All writes happen if all conditions hold, else none; both answers bring a fresh snapshot. */
export interface StoreTransaction {
  readonly compares: readonly StoreCompare[];
  readonly writes: readonly StoreWrite[];
}

/**
 * The lineage of a timeline as the store's promotions tell it; undefined when the store does not
 * know the timeline.
 */
export const lineageOf = (
  timeline: Timeline,
  promotions: readonly Promotion[],
): Lineage | undefined => {
  const ancestors: { timeline: Timeline; switchLsn: Lsn }[] = [];
  let current = timeline;
  while (current !== 1) {
    const promotion = promotions.find((candidate) => candidate.timeline === current);
    if (promotion === undefined || promotion.parent >= current) return undefined;
    ancestors.unshift({ timeline: promotion.parent, switchLsn: promotion.switchLsn });
    current = promotion.parent;
  }
  return { timeline, ancestors };
};
