import { lsn, placeOnLineage } from '@matriarch/core';
import type { DataDirectory } from './data-directory.ts';
import { segmentStart } from './wal.ts';

export interface StreamRequest {
  readonly standby: DataDirectory;
  readonly upstream: DataDirectory;
  /** Undefined: no slot is used. */
  readonly slotName: string | undefined;
}

/** Why PostgreSQL cannot stream to this standby, as its log would say; undefined: it can. */
export const whyNotStream = (request: StreamRequest): string | undefined => {
  const { standby, upstream } = request;
  if (standby.systemIdentifier !== upstream.systemIdentifier)
    return 'the database system identifier differs';
  return whyNotSlot(request) ?? whyNotPosition(request) ?? whyNotHistory(request);
};

const whyNotSlot = ({ upstream, slotName }: StreamRequest): string | undefined => {
  if (slotName === undefined) return undefined;
  const slot = upstream.slots.get(slotName);
  if (slot === undefined) return `replication slot ${slotName} does not exist`;
  if (upstream.isSlotLost(slot)) return `replication slot ${slotName} has lost its WAL`;
  return undefined;
};

const whyNotPosition = ({ standby, upstream }: StreamRequest): string | undefined => {
  const end = standby.wal.end;
  const position = { timeline: standby.lineage.timeline, lsn: lsn(end) };
  const placement = placeOnLineage(position, upstream.lineage);
  if (placement.kind === 'foreign')
    return `timeline ${position.timeline} is not in this server's history`;
  if (placement.kind === 'forked') return 'the new timeline forked off before the recovery point';
  if (end > upstream.wal.end) return 'the requested starting point is ahead of the WAL here';
  if (segmentStart(end) < upstream.oldestLsn) return 'the requested WAL segment has been removed';
  return undefined;
};

/**
 * A walreceiver asks for every history file between its own timeline and that of the upstream which
 * it does not have, also for numbers that were never used; and PostgreSQL believes the one that it
 * has of the upstream's own timeline. Those of the numbers before are not read on the way there
 * (seen with PostgreSQL 15).
 */
const whyNotHistory = ({ standby, upstream }: StreamRequest): string | undefined => {
  for (const number of numbersToFetch(standby, upstream)) {
    if (number === upstream.lineage.timeline && standby.emptyHistory.has(number))
      return `the history file of timeline ${number} here is empty`;
    if (!standby.hasHistoryFile(number) && !upstream.hasHistoryFile(number))
      return `history file of timeline ${number} could not be opened`;
  }
  return undefined;
};

const numbersToFetch = (standby: DataDirectory, upstream: DataDirectory): number[] => {
  const numbers: number[] = [];
  for (let next = standby.lineage.timeline + 1; next <= upstream.lineage.timeline; next += 1)
    numbers.push(next);
  return numbers;
};

/** What the walreceiver has fetched once it streams. */
export const fetchHistory = (standby: DataDirectory, upstream: DataDirectory): void => {
  for (const number of numbersToFetch(standby, upstream)) {
    if (standby.hasHistoryFile(number)) continue;
    if (upstream.emptyHistory.has(number)) standby.emptyHistory.add(number);
    else standby.otherHistory.add(number);
  }
};
