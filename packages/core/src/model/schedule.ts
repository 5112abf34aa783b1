/** What is to happen at a time, as it is written down. */
import type { Brand } from './brand.ts';

/**
 * A moment on the wall clock of one host, in whole milliseconds since 1970. Wall clocks are set, by
 * people and by each other: what passes is measured with an `Instant`.
 */
export type WallTime = Brand<number, 'WallTime'>;

export const wallTime = (milliseconds: number): WallTime => milliseconds as WallTime;

/** When something is to happen: the words of whoever asked, and what they mean. */
export interface Schedule {
  /** ISO 8601, with a time zone. */
  readonly text: string;
  /** Undefined: the words cannot be read, or name no time zone. */
  readonly at: WallTime | undefined;
}

/** What must be so for a restart; looked at when it is to begin. */
export interface RestartConditions {
  /** As it stands in the document: we are never a `standby_leader`. */
  readonly role?: 'primary' | 'standby_leader' | 'replica' | undefined;
  /** Only a server older than this, `X.Y` or `X.Y.Z`. */
  readonly postgresVersion?: string | undefined;
  /** Only while settings wait for a restart. */
  readonly pendingOnly: boolean;
}

/** Patroni's `scheduled_restart`, in the member's key. */
export interface ScheduledRestart {
  readonly schedule: Schedule;
  readonly conditions: RestartConditions;
  /** How long the server may be away. */
  readonly limitMs: number | undefined;
  /** When the server was started that is meant, in its own words; undefined: not known yet. */
  readonly postmasterStartedAt: string | undefined;
}

/** As PostgreSQL counts: 15.8 is 150008, 9.6.24 is 90624; undefined: it is no version. */
export const parseServerVersion = (text: string): number | undefined => {
  const match = /^(\d{1,3})\.(\d{1,2})(?:\.(\d{1,2}))?$/.exec(text);
  if (match === null) return undefined;
  const [major, minor, patch] = match.slice(1).map((part) => Number(part ?? Number.NaN));
  if (major === undefined || minor === undefined) return undefined;
  if (patch === undefined || Number.isNaN(patch))
    return major >= 10 ? major * 10_000 + minor : undefined;
  return major * 10_000 + minor * 100 + patch;
};
