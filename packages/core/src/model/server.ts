import type { Instant } from './instant.ts';
import type { Lsn } from './lsn.ts';
import type { MemberName } from './member.ts';
import type { Lineage, Timeline } from './timeline.ts';
import type { KnownPosition } from './wal-position.ts';

/**
 * How a server was started. `private` listens on a socket only we know, for bootstrapping.
 * `adopted` was started by another tool and found running.
 */
export type StartMode = 'primary' | 'standby' | 'private' | 'adopted';

/** What the guard knows of PostgreSQL's processes. First-hand, never inferred. */
export type ServerProcess =
  | { readonly kind: 'unknown' }
  /** No postmaster. `silent`: no other process of the data directory is left either (rule S4). */
  | { readonly kind: 'none'; readonly silent: boolean }
  | {
      readonly kind: 'running';
      readonly pid: number;
      readonly startedAs: StartMode;
      /** A promotion has been signalled to this postmaster, whatever came of it. */
      readonly promoted: boolean;
    };

/** How a postmaster ended. */
export interface ServerExit {
  readonly pid: number;
  readonly startedAs: StartMode;
  readonly promoted: boolean;
  readonly code: number | null;
  readonly signal: string | null;
}

/** One row of pg_stat_replication. */
export interface ConnectedStandby {
  /** The walsender's process. */
  readonly pid: number;
  /** When the standby sent its last answer, by its own clock: only whether it changes counts. */
  readonly replyTime: string | undefined;
  readonly applicationName: string;
  readonly state: string;
  readonly sentLsn: Lsn;
  readonly flushLsn: Lsn;
  readonly replayLsn: Lsn;
  readonly syncState: string;
  readonly clientAddress: string;
}

/** One row of pg_replication_slots, physical ones. */
export interface ReplicationSlot {
  readonly name: string;
  readonly active: boolean;
  readonly restartLsn: Lsn | undefined;
  /** `reserved`, `extended`, `unreserved`, `lost`. */
  readonly walStatus: string | undefined;
}

/** A server's answer to our query. */
export interface ServerAnswer {
  readonly kind: 'answers';
  readonly systemIdentifier: string;
  readonly serverVersion: number;
  readonly inRecovery: boolean;
  readonly lineage: Lineage;
  /** Primary: flushed. Standby: the higher of received and replayed, or unknown (rule S10). */
  readonly position: KnownPosition;
  readonly receivedLsn: Lsn | undefined;
  readonly replayedLsn: Lsn | undefined;
  readonly replayedAt: string | undefined;
  readonly replayPaused: boolean;
  /** A walreceiver is streaming. */
  readonly streaming: boolean;
  /** There is a walreceiver, whatever it does. */
  readonly receiving: boolean;
  /** `host:port` the standby is told to stream from; undefined for none. */
  readonly upstream: string | undefined;
  readonly standbys: readonly ConnectedStandby[];
  readonly slots: readonly ReplicationSlot[];
  readonly startedAt: string;
  readonly pendingRestart: boolean;
}

/** The last look at the server over SQL. */
export type ServerProbe =
  | { readonly kind: 'none' }
  | ServerAnswer
  /** It refuses connections because it is starting up or recovering. */
  | { readonly kind: 'starting' }
  /** It lives and answers, but does not let us in: a wrong password, no free connection. */
  | { readonly kind: 'refuses'; readonly cause: string }
  | { readonly kind: 'no-answer'; readonly cause: string };

/** pg_control's `Database cluster state`, shortened to what decisions need. */
export type ControlState =
  | 'shut-down'
  | 'shut-down-in-recovery'
  | 'in-production'
  | 'in-recovery'
  | 'other';

/** What lies in the data directory while no server runs in it. */
export type DiskContent =
  /** No directory, or an empty one. */
  | { readonly kind: 'empty' }
  /** Files, but no PostgreSQL data directory: never touched by us. */
  | { readonly kind: 'not-ours'; readonly detail: string }
  | { readonly kind: 'unreadable'; readonly detail: string }
  | {
      readonly kind: 'data';
      readonly systemIdentifier: string;
      readonly control: ControlState;
      readonly lineage: Lineage;
      /** standby.signal is present: it was last a standby. */
      readonly standbySignal: boolean;
      /** End of the WAL on disk; undefined until it has been measured. */
      readonly end: Lsn | undefined;
      /** pg_rewind can work here: checksums or wal_log_hints. */
      readonly rewindable: boolean;
    };

/**
 * What a server's log says of its end: `panic` and `disk-full` may travel with the data (rule S13);
 * `host` is about this host or its configuration, and no other data would mend it.
 */
export type LastWords = 'panic' | 'disk-full' | 'host';

/** A look at the disk. */
export interface DiskFacts {
  readonly content: DiskContent;
  /** A rewind was begun here and not finished: the data directory cannot be used. */
  readonly rewindUnfinished: boolean;
  /** A bootstrap of ours was begun here and not finished: it may be cleaned up. */
  readonly bootstrapUnfinished: boolean;
  /** Beside the data directory lies a replaced one (rule S7), or a half-made one. */
  readonly asideKept: boolean;
  /** A complete new data directory waits to be put in place (`install-data`). */
  readonly newReady: boolean;
  /** What the server's log says of its end, where that matters (rule S13). */
  readonly lastWords: LastWords | undefined;
}

/** Where a standby is to stream from. */
export interface Upstream {
  readonly member: MemberName;
  /** `host:port` */
  readonly address: string;
}

/** What a look at another server through SQL and the replication protocol tells. */
export interface UpstreamFacts {
  readonly member: MemberName;
  readonly systemIdentifier: string;
  readonly inRecovery: boolean;
  readonly timeline: Timeline;
  readonly lineage: Lineage;
  /** Start of the oldest WAL segment it still has. */
  readonly oldestLsn: Lsn;
  /** Up to where it has WAL: what it has written, or received. */
  readonly currentLsn: Lsn;
  /** Its control file is on its current timeline: a rewind against it finds the fork. */
  readonly checkpointed: boolean;
}

/** What a connection made just now shows: the postmaster has read it and told all processes. */
export interface ShownSyncNames {
  readonly names: string;
  /** Every walsender there is, by its process, with its standby's last answer. */
  readonly senders: Readonly<Record<string, string | undefined>>;
}

/** A fact and when it was learnt. */
export interface Seen<T> {
  readonly value: T;
  readonly at: Instant;
}
