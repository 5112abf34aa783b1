import type { FailsafePromise, PromiseAnswer } from './failsafe.ts';
import type { Instant } from './instant.ts';
import type { Lsn } from './lsn.ts';
import type { MemberName } from './member.ts';
import type { DiskFacts, ServerProbe, ShownSyncNames, Upstream, UpstreamFacts } from './server.ts';
import type { PeerAnswer } from './peer.ts';
import type { CancelledWaits } from './unpromised.ts';
import type { LeaseId, LeaseTerm, Revision, StoreSnapshot, StoreTransaction } from './store.ts';
import type { Ancestor, Timeline } from './timeline.ts';
import type { Waiter, WaitingSetting } from './waiting.ts';
import type { WalPosition, WalRange } from './wal-position.ts';

/**
 * Everything a member can do, each a single call to one port. Whatever takes two calls is two
 * actions with a state of its own between them. One action at a time is under way in each lane.
 *
 * lane       what goes there
 * lease      grant, keep alive, and every transaction on the leader key
 * publish    transactions that say something of this member or the cluster
 * read       reading the store
 * guard      extending the guard's deadline, and suspending it in a pause
 * server     whatever changes PostgreSQL or its data directory
 * probe      asking our own PostgreSQL
 * disk       looking at the data directory
 * peers      asking the other members
 * promises   asking the members to promise that they will not be elected
 * word       writing down what this member has promised
 * upstream   looking at the server to follow
 * sql        SQL that changes nothing about who is primary: slots, checkpoints, settings of roles
 * commits    counting the commits that nobody can promise
 */
export type Lane =
  | 'lease'
  | 'publish'
  | 'read'
  | 'guard'
  | 'server'
  | 'probe'
  | 'disk'
  | 'peers'
  | 'promises'
  | 'word'
  | 'upstream'
  | 'sql'
  | 'commits';

export type TransactionPurpose =
  | 'confirm'
  | 'acquire'
  | 'release'
  | 'issue-timeline'
  | 'claim-bootstrap'
  | 'finish-bootstrap'
  | 'abandon-bootstrap'
  | 'take-over-data'
  | 'reclaim'
  | 'exchange-lease'
  | 'publish-member'
  | 'record-promotion'
  | 'clear-failover'
  | 'file-failover'
  | 'suspend'
  | 'end-suspension'
  | 'write-sync'
  | 'write-failsafe'
  | 'publish-journal';

export type Action =
  /* ── the store ── */
  | { readonly kind: 'grant-lease'; readonly ttlMs: number }
  | { readonly kind: 'keep-alive'; readonly leaseId: LeaseId }
  | { readonly kind: 'read-store' }
  | {
      readonly kind: 'transact';
      readonly purpose: TransactionPurpose;
      readonly transaction: StoreTransaction;
    }
  /* ── the guard ── */
  | { readonly kind: 'extend-deadline'; readonly deadline: Instant; readonly leaseId: LeaseId }
  /** In a pause: the guard is to let the server go on beyond its deadline, or not any more. */
  | { readonly kind: 'suspend-deadline'; readonly on: boolean; readonly leaseId: LeaseId }
  /** SIGSTOP, list, SIGKILL, see the list empty (rule S4). By the guard, or by the loop itself. */
  | { readonly kind: 'fence'; readonly by: 'guard' | 'loop' }
  | { readonly kind: 'start-server'; readonly as: 'primary' | 'standby' | 'private' }
  /** `fast` waits for standbys to receive everything, then after the limit `immediate`. */
  | {
      readonly kind: 'stop-server';
      readonly mode: 'fast' | 'immediate';
      readonly limitMs: number;
    }
  | { readonly kind: 'reload-server' }
  /** Refused by the guard when its deadline has passed. */
  | { readonly kind: 'promote'; readonly timeline: Timeline }
  /* ── the data directory ── */
  | { readonly kind: 'inspect-disk' }
  /** Finds the end of WAL of a silent server, reading from `from` when that is known. */
  | { readonly kind: 'measure-wal-end'; readonly from: Lsn | undefined }
  /** Writes configuration, standby.signal and primary_conninfo; removes empty history files. */
  | {
      readonly kind: 'prepare-server';
      readonly as: 'primary' | 'standby' | 'private';
      readonly upstream: Upstream | undefined;
      /** Value of `synchronous_standby_names`; undefined: whatever the configuration says. */
      readonly syncNames: string | undefined;
    }
  /** Empty history files for numbers that were issued and are not in our lineage (rule S5). */
  | { readonly kind: 'place-history'; readonly timelines: readonly Timeline[] }
  | { readonly kind: 'initialise' }
  /** Users, passwords and extensions of a new cluster, over the private socket. */
  | { readonly kind: 'create-users' }
  | { readonly kind: 'clone'; readonly from: Upstream }
  /** Copies WAL from the fork to the end of the data directory's WAL to where it is kept. */
  | { readonly kind: 'keep-fork'; readonly fork: Ancestor; readonly end: Lsn }
  | { readonly kind: 'rewind'; readonly to: Upstream }
  /** Gets a dead server's WAL from its agent, for our standby to read (rule S11). */
  | {
      readonly kind: 'fetch-wal';
      readonly from: { readonly member: MemberName; readonly apiUrl: string };
      readonly start: WalPosition;
      readonly end: WalPosition;
    }
  /** Puts the new data directory in the place of the old one, which is kept aside (rule S7). */
  | { readonly kind: 'install-data' }
  | { readonly kind: 'discard-aside' }
  | { readonly kind: 'discard-unfinished' }
  /* ── looks ── */
  | { readonly kind: 'probe-server' }
  | {
      readonly kind: 'ask-peers';
      readonly members: readonly MemberName[];
      readonly limitMs: number;
    }
  /** The store is away: nobody is to be elected for a ttl (rule S9). */
  | {
      readonly kind: 'ask-promises';
      readonly members: readonly MemberName[];
      readonly term: LeaseTerm;
      readonly ttlMs: number;
      readonly limitMs: number;
    }
  /** Done when it is on disk. Then these requests are answered. */
  | {
      readonly kind: 'keep-promise';
      readonly promise: FailsafePromise;
      readonly ids: readonly string[];
    }
  | { readonly kind: 'inspect-upstream'; readonly upstream: Upstream }
  /** Which `synchronous_standby_names` a fresh connection shows, and who sends WAL (rule S6). */
  | { readonly kind: 'show-sync-names' }
  /** What is set for these roles and databases, and for whatever else carries our mark. */
  | {
      readonly kind: 'show-waiting';
      readonly roles: readonly string[];
      readonly databases: readonly string[];
    }
  /* ── commits that nobody can promise (rule S6) ── */
  /** What the log of the server with this postmaster says of waits since it was last looked at. */
  | { readonly kind: 'count-cancelled'; readonly pid: number }
  /** How much standbys hold of our server's WAL, while it is silent. */
  | {
      readonly kind: 'ask-held';
      readonly members: readonly MemberName[];
      readonly limitMs: number;
    }
  /** Commits in WAL that a server left behind, which may end before the range does. */
  | { readonly kind: 'count-exposed'; readonly range: WalRange }
  /* ── SQL that changes something ── */
  | { readonly kind: 'checkpoint'; readonly limitMs: number }
  | {
      readonly kind: 'change-slots';
      readonly create: readonly string[];
      readonly drop: readonly string[];
      readonly advance: Readonly<Record<string, Lsn>>;
    }
  /** New sessions of some are to wait for a standby, which is marked, and of others no longer. */
  | {
      readonly kind: 'manage-waiting';
      readonly set: readonly Waiter[];
      readonly reset: readonly Waiter[];
    }
  /* ── the process ── */
  | { readonly kind: 'exit'; readonly status: number; readonly reason: string };

export type ActionKind = Action['kind'];
export type ActionOf<K extends ActionKind> = Extract<Action, { readonly kind: K }>;

/**
 * `failed`: it had no effect, for a named reason. `unknown`: it may or may not have had its effect
 * (a store write that timed out, a guard that did not answer).
 */
export type Failure =
  | { readonly kind: 'failed'; readonly cause: string }
  | { readonly kind: 'unknown'; readonly cause: string };

/** What each action answers when it was done. */
export interface Results {
  readonly 'grant-lease': { readonly leaseId: LeaseId; readonly ttlMs: number };
  /** `ttlMs` 0: the store no longer knows the lease. */
  readonly 'keep-alive': { readonly ttlMs: number };
  readonly 'read-store': { readonly snapshot: StoreSnapshot };
  /** `applied` false: a condition did not hold; the snapshot shows what is there instead. */
  readonly transact: {
    readonly applied: boolean;
    readonly revision: Revision;
    readonly snapshot: StoreSnapshot;
  };
  /** The deadline the guard has now. Earlier than asked for: it refused. */
  readonly 'extend-deadline': { readonly deadline: Instant | undefined };
  /** What holds now. Not what was asked for: it was refused. */
  readonly 'suspend-deadline': { readonly on: boolean };
  readonly fence: { readonly silent: boolean };
  readonly 'start-server': { readonly pid: number };
  readonly 'stop-server': { readonly mode: 'fast' | 'immediate' };
  readonly 'reload-server': Record<never, never>;
  /** The signal was given; the probe tells what came of it. */
  readonly promote: Record<never, never>;
  readonly 'inspect-disk': { readonly disk: DiskFacts };
  readonly 'measure-wal-end': { readonly end: Lsn };
  readonly 'prepare-server': Record<never, never>;
  readonly 'place-history': Record<never, never>;
  readonly initialise: { readonly systemIdentifier: string };
  readonly 'create-users': Record<never, never>;
  readonly clone: Record<never, never>;
  readonly 'keep-fork': { readonly keptAt: string };
  readonly rewind: Record<never, never>;
  readonly 'fetch-wal': { readonly bytes: number };
  readonly 'install-data': Record<never, never>;
  readonly 'discard-aside': Record<never, never>;
  readonly 'discard-unfinished': Record<never, never>;
  readonly 'probe-server': { readonly probe: ServerProbe };
  readonly 'ask-peers': { readonly answers: Readonly<Record<string, PeerAnswer>> };
  readonly 'ask-promises': { readonly given: Readonly<Record<string, PromiseAnswer>> };
  readonly 'keep-promise': Record<never, never>;
  readonly 'inspect-upstream': { readonly facts: UpstreamFacts };
  readonly 'show-sync-names': { readonly shown: ShownSyncNames };
  readonly 'show-waiting': { readonly settings: readonly WaitingSetting[] };
  readonly 'count-cancelled': CancelledWaits;
  readonly 'ask-held': { readonly answers: Readonly<Record<string, PeerAnswer>> };
  /** `to`: where the server that left this WAL behind ended. */
  readonly 'count-exposed': { readonly commits: number; readonly to: Lsn };
  readonly checkpoint: Record<never, never>;
  readonly 'change-slots': Record<never, never>;
  readonly 'manage-waiting': Record<never, never>;
  readonly exit: Record<never, never>;
}

export type ActionId = number;

/** An action on its way, in its lane. */
export interface Dispatch {
  readonly id: ActionId;
  readonly lane: Lane;
  readonly action: Action;
  /** The rule that decided it; undefined for a chore. */
  readonly rule: string | undefined;
}

/** The answer to an action: its result, or why there is none. */
export type Outcome = {
  readonly [K in ActionKind]: {
    readonly id: ActionId;
    readonly kind: K;
    readonly result: ({ readonly kind: 'done' } & Results[K]) | Failure;
  };
}[ActionKind];
