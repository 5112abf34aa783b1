/**
 * What is known of commits that nobody can promise (rule S6): a server of ours has them, and nobody
 * knows whether a standby does. Either their wait was cancelled, or they were waiting when the
 * server ended, and are visible since the same data is a primary's again.
 */
import type { Instant } from '../model/instant.ts';
import { type Lsn, maxLsn } from '../model/lsn.ts';
import type { Seen } from '../model/server.ts';
import type { Timeline } from '../model/timeline.ts';
import type { WalPosition, WalRange } from '../model/wal-position.ts';
import { type SyncNames, isSameName } from './sync-names.ts';

/** A primary of ours that has ended, whose data has not been a primary's again since. */
export interface Interrupted {
  /** Whom its commits waited for; undefined: as the store says, which is still to be seen. */
  readonly names: SyncNames | undefined;
  readonly timeline: Timeline | undefined;
  /** Up to where enough of them are known to have had everything. */
  readonly held: WalPosition | undefined;
  /** It has ended as one that was stopped in good order and had enough standbys to send to. */
  readonly isDrained: boolean;
  /** When standbys were asked how much they hold of it. */
  readonly askedAt: Instant | undefined;
}

export const freshInterrupted: Interrupted = {
  names: undefined,
  timeline: undefined,
  held: undefined,
  isDrained: false,
  askedAt: undefined,
};

/** Commits that a restart has made visible, at the most, and where they are. */
export interface Exposed extends WalRange {
  readonly commits: number;
}

export interface Unpromised {
  /** Waits that were cancelled, and sessions that were terminated in one, since this loop began. */
  readonly cancelled: number;
  readonly terminated: number;
  /** The server whose log was looked at last, and when it is looked at again. */
  readonly lookedIn: number | undefined;
  readonly lookAt: Instant;
  /** Why its log may not tell of cancelled waits; undefined: it does, as far as is known. */
  readonly blind: string | undefined;

  /** The timeline of the running primary, as it was last seen. */
  readonly timeline: Timeline | undefined;
  /** Up to where enough standbys of the running primary are known to have had everything. */
  readonly held: WalPosition | undefined;
  /** Enough of its standbys were connected. */
  readonly isFed: boolean;
  readonly interrupted: Interrupted | undefined;
  /** Left behind by servers that have been started again: still to be counted, oldest first. */
  readonly ranges: readonly WalRange[];
  /** Commits that restarts have made visible, at the most, since this loop began. */
  readonly exposed: number;
  readonly lastExposed: Exposed | undefined;
  /** Why it is not known how many commits the last restart has made visible. */
  readonly uncounted: Seen<string> | undefined;
}

export const freshUnpromised: Unpromised = {
  cancelled: 0,
  terminated: 0,
  lookedIn: undefined,
  lookAt: 0 as Instant,
  blind: undefined,
  timeline: undefined,
  held: undefined,
  isFed: false,
  interrupted: undefined,
  ranges: [],
  exposed: 0,
  lastExposed: undefined,
  uncounted: undefined,
};

/** How far a standby has WAL on its disk. */
export interface Holding {
  readonly name: string;
  readonly lsn: Lsn;
}

/** Up to where `count` of the names have everything; undefined: of too few that is known. */
export const heldByEnough = (
  { names, count }: SyncNames,
  holdings: readonly Holding[],
): Lsn | undefined => {
  const reached = names.flatMap((name) => {
    const own = holdings.filter((holding) => isSameName(holding.name, name));
    const [first, ...others] = own.map(({ lsn }) => lsn);
    return first === undefined ? [] : [maxLsn(first, ...others)];
  });
  return count < 1 ? undefined : reached.toSorted((a, b) => (a < b ? 1 : -1))[count - 1];
};

/** The further one of two positions; of two timelines nobody can say, and the later word counts. */
export const furtherOf = (
  before: WalPosition | undefined,
  now: WalPosition | undefined,
): WalPosition | undefined => {
  if (before === undefined || now === undefined) return now ?? before;
  return before.timeline === now.timeline && before.lsn >= now.lsn ? before : now;
};
