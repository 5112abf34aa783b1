/** How many commits a server left behind that too few standbys had, and that are visible again. */
import { formatLsn, type Lsn, parseLsn, type Timeline, type WalRange } from '@matriarch/core';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { type Answer, attempt, describeEnd, failed } from './answer.ts';
import { type PostgresContext, toolEnvironment } from './context.ts';
import { readControlData } from './control-data.ts';
import { parseSegmentName, segmentName, segmentStart, type WalGeometry } from './wal-files.ts';
import { parseRecordLine, type WalRecordLine } from './wal-records.ts';

/** Some gigabytes at the slowest speed measured. */
const LIMIT_MS = 60_000;
/** A record may begin before the range: its commit was not held in full. */
const LOOK_BACK_BYTES = 65_536n;

/** Names of the first and the last file of WAL to read, and where in the first one. */
interface Files {
  readonly directory: string;
  readonly start: Lsn;
  readonly first: string;
  readonly last: string;
}

/**
 * Counts commits that end in the range. It ends where the server that wrote it ended: the next one
 * begins with a checkpoint, and a server that is stopped in good order ends with one.
 */
export const countExposed = (
  context: PostgresContext,
  range: WalRange,
): Promise<Answer<{ readonly commits: number; readonly to: Lsn }>> =>
  attempt('count the commits in WAL', async () => {
    const { dataDirectory } = context.config.postgresql;
    const answer = await readControlData(context, dataDirectory);
    if (answer.kind !== 'done') return answer;
    const wal = answer.control;
    const directory = join(dataDirectory, 'pg_wal');
    const names = await readdir(directory);
    const files = findFiles({ names, directory, wal }, range);
    if (files === undefined) {
      const where = `${formatLsn(range.from)} to ${formatLsn(range.to)}`;
      return failed(
        `WAL of timeline ${range.timeline} from ${where} is not in ${directory} any more`,
      );
    }
    const isEnd = ({ description, end }: WalRecordLine): boolean =>
      description.startsWith('CHECKPOINT_SHUTDOWN ') && end >= range.from;
    let to = range.to;
    const stop = new AbortController();
    const ended = await dump(context, files, {
      rmgr: 'XLOG',
      end: to,
      signal: stop.signal,
      onLine: (line) => {
        const record = parseRecordLine(line, wal);
        if (record === undefined || stop.signal.aborted || !isEnd(record)) return;
        to = record.start;
        stop.abort();
      },
    });
    if (ended !== undefined && !stop.signal.aborted) return failed(ended);
    if (to <= range.from) return { kind: 'done', commits: 0, to };
    let commits = 0;
    const cause = await dump(context, files, {
      rmgr: 'Transaction',
      end: to,
      onLine: (line) => {
        const record = parseRecordLine(line, wal);
        if (record !== undefined && isCommit(record) && record.end > range.from) commits += 1;
      },
    });
    return cause === undefined ? { kind: 'done', commits, to } : failed(cause);
  });

const isCommit = ({ description }: WalRecordLine): boolean =>
  /^COMMIT(_PREPARED)?\b/.test(description);

interface WalDirectory {
  readonly directory: string;
  readonly names: readonly string[];
  readonly wal: WalGeometry;
}

/**
 * The files that hold a range. A promoted server may have renamed the last one of the timeline it
 * left: the first one of its own begins with the same WAL.
 */
const findFiles = (
  { directory, names, wal }: WalDirectory,
  { timeline, from, to }: WalRange,
): Files | undefined => {
  const size = wal.walSegmentBytes;
  const there = new Set(names);
  const has = (of: Timeline, start: Lsn): boolean => {
    const last = segmentStart((to - 1n) as Lsn, size);
    for (let at: bigint = segmentStart(start, size); at <= last; at += BigInt(size))
      if (!there.has(segmentName(of, at as Lsn, size))) return false;
    return true;
  };
  const before = from > LOOK_BACK_BYTES ? from - LOOK_BACK_BYTES : 0n;
  const later = names.flatMap((name) => parseSegmentName(name, size)?.timeline ?? []);
  const timelines = [...new Set([timeline, ...later.filter((one) => one > timeline)])];
  for (const of of timelines.sort((a, b) => a - b))
    for (const start of [before as Lsn, from])
      if (has(of, start))
        return {
          directory,
          start,
          first: segmentName(of, start, size),
          last: segmentName(of, (to - 1n) as Lsn, size),
        };
  return undefined;
};

const NO_RECORD = /could not find a valid record after/;
const BAD_RECORD = /error in WAL record at [^:]+: .* at ([0-9A-F]+\/[0-9A-F]+)/;
/** A server says that it has flushed the header of a page in which there is no record yet. */
const PAGE_HEADER_BYTES = 40n;

/** All there is up to the end that was asked for has been read. */
const isRead = (stderr: string, end: Lsn): boolean => {
  const stoppedAt = parseLsn(BAD_RECORD.exec(stderr)?.[1] ?? '');
  return (
    NO_RECORD.test(stderr) || (stoppedAt !== undefined && stoppedAt + PAGE_HEADER_BYTES >= end)
  );
};

interface Dump {
  readonly rmgr: 'XLOG' | 'Transaction';
  readonly end: Lsn;
  readonly signal?: AbortSignal;
  readonly onLine: (line: string) => void;
}

/** Prints the records of one kind; answers why it could not, undefined when it could. */
const dump = async (
  { run, binaries }: PostgresContext,
  { directory, start, first, last }: Files,
  { rmgr, end, signal, onLine }: Dump,
): Promise<string | undefined> => {
  const result = await run({
    command: binaries.pg_waldump,
    args: [
      `--rmgr=${rmgr}`,
      `--path=${directory}`,
      `--start=${formatLsn(start)}`,
      `--end=${formatLsn(end)}`,
      first,
      last,
    ],
    env: toolEnvironment(),
    limitMs: LIMIT_MS,
    onStdoutLine: onLine,
    ...(signal === undefined ? {} : { signal }),
  });
  if (result.kind === 'exited' && (result.code === 0 || isRead(result.stderr, end)))
    return undefined;
  return describeEnd('pg_waldump', result);
};
