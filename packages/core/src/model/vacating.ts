import type { Instant } from './instant.ts';
import type { MemberName } from './member.ts';
import type { HandoverCause } from './store.ts';
import type { WalPosition } from './wal-position.ts';

/** A server of ours that goes or is gone while we hold the lease, and what becomes of both. */
export interface Vacating {
  readonly cause: HandoverCause;
  readonly begunAt: Instant;
  /** When the server ended last: answers of standbys count from there. */
  readonly since: Instant;
  readonly heir: MemberName | undefined;
  /** A checkpoint has been made so that the stop is short. */
  readonly checkpointed: boolean;
  /** The end of its WAL, once the server is silent, and when that became known. */
  readonly end: WalPosition | undefined;
  readonly endAt: Instant | undefined;
  /** No standby had everything in time: this server starts again in place. */
  readonly givenUp: boolean;
  /** A standby is given what it lacks (rule S11). */
  readonly rescue: Rescue | undefined;
  /** This crash has been counted among those in the quiet time (rule S13). */
  readonly counted: boolean;
}

export interface Rescue {
  readonly to: MemberName;
  readonly since: Instant;
}

/** The state of a hand-over, or of a crash, that begins now. */
export const beginVacating = (cause: HandoverCause, now: Instant): Vacating => ({
  cause,
  begunAt: now,
  since: now,
  heir: undefined,
  checkpointed: false,
  end: undefined,
  endAt: undefined,
  givenUp: false,
  rescue: undefined,
  counted: false,
});
