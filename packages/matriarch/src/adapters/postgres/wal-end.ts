import { type Lineage, formatLsn, type Lsn, parseLsn } from '@matriarch/core';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { CommandResult } from '../../agent/ports/run-command.ts';
import { type Answer, attempt, describeEnd, failed } from './answer.ts';
import { exists } from './atomic-file.ts';
import { type PostgresContext, toolEnvironment } from './context.ts';
import { readControlData } from './control-data.ts';
import { lineageOnDisk } from './history-files.ts';
import { segmentName, segmentStart, type WalGeometry } from './wal-files.ts';
import { parseRecordLine } from './wal-records.ts';

/** Reading back from the newest checkpoint: 16 GB of WAL at the slowest speed measured. */
const LIMIT_MS = 120_000;

/**
 * How far before the position asked for reading begins, so that there is a record to be found also
 * when nothing came after it. A record may be longer: then reading begins at the checkpoint.
 */
const LOOK_BACK_BYTES = 65_536n;

interface Wal extends WalGeometry {
  readonly directory: string;
  readonly lineage: Lineage;
  /** Every file in it. */
  readonly names: ReadonlySet<string>;
}

/**
 * Finds where the WAL of a silent server ends: behind its last valid record, where recovery would
 * end too. Reads from `from` when that is given and there, else from the newest checkpoint, and
 * only WAL of the newest timeline: what came before was complete when the server switched to it.
 */
export const measureWalEnd = (
  context: PostgresContext,
  ask: { readonly from: Lsn | undefined },
): Promise<Answer<{ readonly end: Lsn }>> =>
  attempt('find the end of WAL', async () => {
    const { dataDirectory } = context.config.postgresql;
    const answer = await readControlData(context, dataDirectory);
    if (answer.kind !== 'done') return answer;
    const { control } = answer;
    const directory = join(dataDirectory, 'pg_wal');
    const names = new Set(await readdir(directory));
    const standby = await exists(join(dataDirectory, 'standby.signal'));
    const lineage = await lineageOnDisk({ walDirectory: directory, control, standby });
    const wal: Wal = { ...control, directory, lineage, names };

    const isOnCheckpoint = control.checkpointTimeline === lineage.timeline;
    const lowest = isOnCheckpoint ? control.redoLsn : lineage.ancestors.at(-1)?.switchLsn;
    if (lowest === undefined)
      return failed(
        `pg_wal has no history of timeline ${lineage.timeline}, ` +
          `which follows timeline ${control.checkpointTimeline} of the latest checkpoint`,
      );
    if (ask.from !== undefined && ask.from - LOOK_BACK_BYTES > lowest) {
      const near = await readOn(context, wal, (ask.from - LOOK_BACK_BYTES) as Lsn);
      if (near.kind !== 'nothing') return near;
    }
    const all = await readOn(context, wal, lowest);
    if (all.kind !== 'nothing') return all;
    // Nothing was written on the new timeline yet: everything is what led up to it.
    if (!isOnCheckpoint) return { kind: 'done', end: lowest };
    return failed(`there is no valid WAL at the checkpoint's ${formatLsn(lowest)}`);
  });

type Read = Answer<{ readonly end: Lsn }> | { readonly kind: 'nothing' };

interface Range {
  /** Where reading begins: the first record found from there on. */
  readonly from: Lsn;
  /** The start of the last segment there is without a gap from `from` on. */
  readonly lastSegment: Lsn;
}

/**
 * The segments to read, up to the first that is missing; undefined when the first one is. Servers
 * keep files ready for segments to come: those hold zeros or old WAL, and reading ends in them.
 */
const rangeFrom = (wal: Wal, from: Lsn): Range | undefined => {
  const size = BigInt(wal.walSegmentBytes);
  const isThere = (start: bigint): boolean =>
    wal.names.has(segmentName(wal.lineage.timeline, start as Lsn, wal.walSegmentBytes));
  let start: bigint = segmentStart(from, wal.walSegmentBytes);
  if (!isThere(start)) return undefined;
  while (isThere(start + size)) start += size;
  return { from, lastSegment: start as Lsn };
};

const dump = (
  { run, binaries }: PostgresContext,
  wal: Wal,
  { from, lastSegment, options }: Range & { readonly options: readonly string[] },
): Promise<CommandResult> => {
  const nameOf = (position: Lsn): string =>
    segmentName(wal.lineage.timeline, position, wal.walSegmentBytes);
  return run({
    command: binaries.pg_waldump,
    // Unless files are named, it learns the segment size from any of them, also from one of zeros.
    args: [
      ...options,
      `--path=${wal.directory}`,
      `--start=${formatLsn(from)}`,
      nameOf(from),
      nameOf(lastSegment),
    ],
    env: toolEnvironment(),
    limitMs: LIMIT_MS,
  });
};

const LAST_RECORD = /error in WAL record at ([0-9A-F]+\/[0-9A-F]+):/;
const NO_RECORD = /could not find a valid record after/;

/**
 * Reads on from a position without printing, which is ten times faster, then prints the last
 * record. What pg_waldump says at its end names that record's start. It says nothing when the last
 * segment is full, and in other words in other versions: then the last segment is printed, or all.
 */
const readOn = async (context: PostgresContext, wal: Wal, from: Lsn): Promise<Read> => {
  const range = rangeFrom(wal, from);
  if (range === undefined) return { kind: 'nothing' };
  const quiet = await dump(context, wal, { ...range, options: ['--quiet'] });
  if (quiet.kind !== 'exited') return failed(describeEnd('pg_waldump', quiet));
  if (NO_RECORD.test(quiet.stderr)) return { kind: 'nothing' };

  const last = parseLsn(LAST_RECORD.exec(quiet.stderr)?.[1] ?? '');
  if (last !== undefined) {
    const printed = await dump(context, wal, { ...range, from: last, options: ['--limit=1'] });
    const end = endOfLastRecord(printed, wal);
    if (end !== undefined) return { kind: 'done', end };
  }
  if (quiet.code === 0 && range.lastSegment > from) {
    const read = await readPrinting(context, wal, { ...range, from: range.lastSegment });
    // One record may fill that segment from its start to its end, and more.
    if (read.kind !== 'nothing') return read;
  }
  return readPrinting(context, wal, range);
};

const readPrinting = async (context: PostgresContext, wal: Wal, range: Range): Promise<Read> => {
  const printed = await dump(context, wal, { ...range, options: [] });
  if (printed.kind !== 'exited') return failed(describeEnd('pg_waldump', printed));
  const end = endOfLastRecord(printed, wal);
  return end === undefined ? { kind: 'nothing' } : { kind: 'done', end };
};

/** The end of the last record in what pg_waldump printed; undefined when there is none. */
export const parseLastRecordEnd = (printed: string, wal: WalGeometry): Lsn | undefined => {
  for (const line of printed.split('\n').reverse()) {
    const record = parseRecordLine(line, wal);
    if (record !== undefined) return record.end;
  }
  return undefined;
};

const endOfLastRecord = (result: CommandResult, wal: Wal): Lsn | undefined =>
  result.kind === 'exited' ? parseLastRecordEnd(result.stdout, wal) : undefined;
