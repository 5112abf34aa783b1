import type { Instant } from '../model/instant.ts';
import type { Lsn } from '../model/lsn.ts';
import type { SyncNames } from './sync-names.ts';

/** A walsender that may still go by names of before. */
export interface WatchedSender {
  readonly pid: number;
  readonly replyTime: string | undefined;
  /** How many answers of its standby it has taken since it was signalled. */
  readonly replies: number;
}

/** What is known of the names commits wait for (rule S6). See `absorb/absorb-sync.ts`. */
export interface SyncState {
  /** What a primary's files are to say; undefined: this loop has not decided yet. */
  readonly wanted: SyncNames | undefined;
  /** What the running server was last told to read; undefined: by another loop, if at all. */
  readonly told: string | undefined;
  readonly shown:
    | { readonly names: string; readonly at: Instant; readonly senders: readonly WatchedSender[] }
    | undefined;
  /** Backends wait for standbys at all. */
  readonly armed: boolean;
  /** What was flushed later was acknowledged under these names only. */
  readonly holdsFrom: Lsn | undefined;
  readonly proven: boolean;
  /** When each standby was last seen streaming from us, by its name in lower case. */
  readonly seenAt: Readonly<Record<string, Instant>>;
  /** When our server was first seen out of recovery. */
  readonly primarySince: Instant | undefined;
}

export const freshSync: SyncState = {
  wanted: undefined,
  told: undefined,
  shown: undefined,
  armed: false,
  holdsFrom: undefined,
  proven: false,
  seenAt: {},
  primarySince: undefined,
};
