import { type Instant, after } from './instant.ts';
import { type WaitingPolicy, nobodyWaits } from './waiting.ts';

/**
 * What the operator wants: the effective timing and failover settings of this member, with every
 * correction already applied (see `protocol`). Durations in milliseconds, sizes in bytes.
 */
export interface Policy {
  /** Time after which the store forgets a lease that is not renewed. */
  readonly ttlMs: number;
  /** Longest time between two looks at the world when nothing wakes the loop. */
  readonly loopWaitMs: number;
  /** Time limit of one store operation with all its attempts. */
  readonly retryTimeoutMs: number;
  /** Our own lease mode: renewal every ttl/5 instead of every loop_wait. */
  readonly fastLease: boolean;
  /** A standby further behind than this is not promoted. */
  readonly maximumLagOnFailoverBytes: bigint;
  /** Time a crashed primary has to come back in place; 0: hand over when a standby has all. */
  readonly primaryStartTimeoutMs: number;
  readonly usePgRewind: boolean;
  readonly useSlots: boolean;
  /**
   * Changes whenever PostgreSQL's configuration files would be written differently: a hash of the
   * parameters and access rules, made by whoever derives the policy.
   */
  readonly serverConfigVersion: string;
  /** Longest clean stop of a server; then it is stopped immediately. */
  readonly stopTimeoutMs: number;
  readonly synchronous: SynchronousPolicy;
  /** A store outage may be bridged by promises of the members (rule S9). */
  readonly failsafe: boolean;
  /** Whose commits wait where `synchronous_commit` lets those of others go on. */
  readonly waiting: WaitingPolicy;
}

/** Whom commits wait for before they are acknowledged (rule S6). */
export interface SynchronousPolicy {
  /** `on`: each of `count` chosen standbys. `quorum`: any `count` of all that are there. */
  readonly mode: 'off' | 'on' | 'quorum';
  /** Commits wait also while there is no standby, instead of going on unprotected. */
  readonly strict: boolean;
  readonly count: number;
  /** A standby further behind the best is not waited for; undefined: however far behind it is. */
  readonly lagBytesMax: bigint | undefined;
}

/** After a crash hand-over a second crash within this time restarts in place (rule S13). */
export const QUIET_MS = 60_000;

/** How long a crashed primary may take to come back when the policy prefers handing over. */
export const RESTART_LIMIT_MS = 300_000;

/**
 * The part of the ttl we give away so that a primary is silent before its lease can expire:
 * 10 % of the ttl, at least a second.
 */
export const leaseMarginMs = (ttlMs: number): number => Math.max(1_000, ttlMs / 10);

/** The instant before which a primary must be silent when its lease was last alive at `sentAt`. */
export const deadlineOf = (sentAt: Instant, ttlMs: number): Instant =>
  after(sentAt, ttlMs - leaseMarginMs(ttlMs));

/** How often a lease is renewed. */
export const renewalIntervalMs = (policy: Policy): number =>
  policy.fastLease ? policy.ttlMs / 5 : policy.loopWaitMs;

export const defaultPolicy: Policy = {
  ttlMs: 30_000,
  loopWaitMs: 10_000,
  retryTimeoutMs: 10_000,
  fastLease: false,
  maximumLagOnFailoverBytes: 1_048_576n,
  primaryStartTimeoutMs: 300_000,
  usePgRewind: true,
  useSlots: true,
  serverConfigVersion: '',
  stopTimeoutMs: 60_000,
  synchronous: { mode: 'off', strict: false, count: 1, lagBytesMax: undefined },
  failsafe: false,
  waiting: nobodyWaits,
};
