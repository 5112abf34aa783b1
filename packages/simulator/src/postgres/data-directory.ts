import { type ControlState, type Lineage, type Upstream, firstLineage } from '@matriarch/core';
import { SEGMENT_BYTES, Wal, segmentStart } from './wal.ts';

export interface Slot {
  /** Oldest WAL the slot's owner still needs; undefined: it has not been used yet. */
  restartLsn: number;
}

export interface RetentionSettings {
  /** WAL that is kept in any case. */
  readonly keepBytes: number;
  /** WAL that is kept at most because a slot wants it. */
  readonly slotKeepBytes: number;
}

/** A PostgreSQL data directory: what is on the disk, whether or not a server runs in it. */
export class DataDirectory {
  readonly systemIdentifier: string;
  control: ControlState = 'shut-down';
  lineage: Lineage = firstLineage;
  wal = new Wal();
  standbySignal = false;
  upstream: Upstream | undefined;
  /** Value of `synchronous_standby_names` in its files. */
  syncNames = '';
  /** Timeline of the last checkpoint: what `pg_rewind` reads from the control file. */
  checkpointTimeline = 1;
  /** History files that are empty: placed so that PostgreSQL skips the numbers. */
  readonly emptyHistory = new Set<number>();
  /** History files with content, beside those of our own lineage. */
  readonly otherHistory = new Set<number>();
  readonly slots = new Map<string, Slot>();
  oldestLsn = segmentStart(this.wal.end);
  /** Marker of a rewind that was begun and has not ended. */
  rewinding = false;
  /** A rewind has begun to write here: until it has ended, this is no copy of anything. */
  overwritten = false;
  hasUsers = false;
  /** Roles whose commits wait. They come with a copy, and not with WAL: each primary sets them. */
  readonly markedRoles = new Set<string>();

  constructor(systemIdentifier: string) {
    this.systemIdentifier = systemIdentifier;
  }

  /** What a base backup or a rewind brings: everything but slots, signals and markers. */
  copy(now: number): DataDirectory {
    const copy = new DataDirectory(this.systemIdentifier);
    copy.control = 'in-production';
    copy.lineage = this.lineage;
    copy.wal = this.wal.copy(this.wal.count, now);
    copy.checkpointTimeline = this.checkpointTimeline;
    copy.oldestLsn = this.oldestLsn;
    copy.hasUsers = this.hasUsers;
    for (const name of this.markedRoles) copy.markedRoles.add(name);
    for (const number of this.emptyHistory) copy.emptyHistory.add(number);
    for (const number of this.otherHistory) copy.otherHistory.add(number);
    return copy;
  }

  /** Files of numbers after our own timeline would keep a standby from following another one. */
  forgetHistoryAhead(): void {
    for (const files of [this.emptyHistory, this.otherHistory])
      for (const number of files) if (number > this.lineage.timeline) files.delete(number);
  }

  /** A clone came without the empty files of the numbers before its own that were skipped. */
  completeHistory(): void {
    for (let number = 2; number < this.lineage.timeline; number += 1)
      if (!this.hasHistoryFile(number)) this.emptyHistory.add(number);
  }

  hasHistoryFile(number: number): boolean {
    return (
      this.emptyHistory.has(number) ||
      this.otherHistory.has(number) ||
      this.lineage.timeline === number ||
      this.lineage.ancestors.some(({ timeline }) => timeline === number)
    );
  }

  /** Removes WAL that nobody may ask for any more, as a checkpoint does. */
  recycle({ keepBytes, slotKeepBytes }: RetentionSettings): void {
    const { end } = this.wal;
    let wanted = end - keepBytes;
    for (const { restartLsn } of this.slots.values())
      wanted = Math.min(wanted, Math.max(restartLsn, end - slotKeepBytes));
    this.oldestLsn = Math.max(this.oldestLsn, segmentStart(Math.max(0, wanted)));
  }

  isSlotLost(slot: Slot): boolean {
    return slot.restartLsn + SEGMENT_BYTES <= this.oldestLsn;
  }
}
