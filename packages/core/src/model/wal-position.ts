import { type Lsn, formatLsn } from './lsn.ts';
import type { Lineage, Timeline } from './timeline.ts';

/** A place in the WAL of one lineage. Timeline and LSN only mean something together. */
export interface WalPosition {
  readonly timeline: Timeline;
  readonly lsn: Lsn;
}

/** The WAL of one timeline behind `from`, up to `to`. */
export interface WalRange {
  readonly timeline: Timeline;
  readonly from: Lsn;
  readonly to: Lsn;
}

/**
 * How much WAL a server holds. `unknown` is not `behind` (rule S10): a standby that has just been
 * started does not know its end of WAL until it has read all of its local WAL.
 */
export type KnownPosition =
  | { readonly known: true; readonly position: WalPosition }
  | { readonly known: false };

export const unknownPosition: KnownPosition = { known: false };

export const knownPosition = (position: WalPosition): KnownPosition => ({ known: true, position });

export const formatPosition = ({ timeline, lsn }: WalPosition): string =>
  `${formatLsn(lsn)} on timeline ${timeline}`;

/** Where `position` lies seen from `lineage`. */
export type Placement =
  | { readonly kind: 'on-lineage' }
  /** The WAL after `forkLsn` of `timeline` is in no ancestor of the lineage. */
  | { readonly kind: 'forked'; readonly forkLsn: Lsn; readonly timeline: Timeline }
  /** The timeline is not in the lineage at all: nothing can be said of where they parted. */
  | { readonly kind: 'foreign' };

/**
 * Tells whether everything a server holds up to `position` is also part of `lineage`. A position
 * beyond the point where the lineage left that timeline is a fork.
 */
export const placeOnLineage = (position: WalPosition, lineage: Lineage): Placement => {
  if (position.timeline === lineage.timeline) return { kind: 'on-lineage' };
  const ancestor = lineage.ancestors.find(({ timeline }) => timeline === position.timeline);
  if (ancestor === undefined) return { kind: 'foreign' };
  if (position.lsn <= ancestor.switchLsn) return { kind: 'on-lineage' };
  return { kind: 'forked', forkLsn: ancestor.switchLsn, timeline: position.timeline };
};

/** The order of two positions of one lineage: negative when `a` holds less. */
export const comparePositions = (a: WalPosition, b: WalPosition): number => {
  if (a.lsn !== b.lsn) return a.lsn < b.lsn ? -1 : 1;
  return a.timeline - b.timeline;
};
