/** What pg_waldump prints of single records. */
import { type Lsn, parseLsn } from '@matriarch/core';
import { recordEnd, segmentStart, type WalGeometry } from './wal-files.ts';

export interface WalRecordLine {
  readonly start: Lsn;
  readonly end: Lsn;
  /** `COMMIT 2026-01-31 …`, `CHECKPOINT_SHUTDOWN redo …` */
  readonly description: string;
}

const RECORD = new RegExp(
  [
    /^rmgr: \S+ +len \(rec\/tot\): +\d+\/ *(\d+), /,
    /tx: .*? lsn: ([0-9A-F]+\/[0-9A-F]+), .*?desc: (.*)$/,
  ]
    .map(({ source }) => source)
    .join(''),
);

/** Undefined for every line that tells of no record. */
export const parseRecordLine = (line: string, wal: WalGeometry): WalRecordLine | undefined => {
  const [, bytes = '', position = '', description = ''] = RECORD.exec(line) ?? [];
  const start = parseLsn(position);
  if (start === undefined) return undefined;
  const end = recordEnd(start, Number(bytes), wal);
  if (!/^SWITCH\b/.test(description)) return { start, end, description };
  // The rest of its segment counts as part of a switch record.
  const size = wal.walSegmentBytes;
  const next = (segmentStart((end - 1n) as Lsn, size) + BigInt(size)) as Lsn;
  return { start, end: next, description };
};
