/**
 * Where WAL lies that was fetched for our standby (rule S11), and what PostgreSQL does with it. It
 * is asked for before PostgreSQL's own files and takes their place, so that a file is given out
 * once: it is moved, not copied, and what is left is removed before the server is told to receive
 * again.
 */
import { chown, mkdir, open, readFile, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { type Lsn, lsn, type WalPosition } from '@matriarch/core';
import { type Answer, attempt, codeOf, failed } from './answer.ts';
import { syncDirectory } from './atomic-file.ts';
import type { PostgresContext } from './context.ts';
import { type ControlData, readControlData } from './control-data.ts';
import { segmentName, segmentStart } from './wal-files.ts';

const SPOOL = 'wal-spool';
/** Fields of the long header that each segment begins with (PostgreSQL's xlog_internal.h). */
const TIMELINE_AT = 4;
const SYSTEM_IDENTIFIER_AT = 24;
const LONG_HEADER_BYTES = 40;

const spoolPath = ({ config }: PostgresContext): string =>
  join(config.matriarch.stateDirectory, SPOOL);

const shellQuote = (text: string): string => `'${text.replaceAll("'", `'\\''`)}'`;

/**
 * A shell one-liner: starting a program of ours for every question would cost a fifth of a second.
 * A standby without a primary asks some twenty times a second, and nearly always for nothing: that
 * much the shell finds out by itself.
 */
export const restoreCommand = (context: PostgresContext, otherwise: string | undefined): string => {
  // In the parameter a percent sign begins a placeholder.
  const spool = shellQuote(spoolPath(context)).replaceAll('%', '%%');
  const own = `test -f ${spool}/%f && mv ${spool}/%f %p`;
  return otherwise === undefined || otherwise.trim() === '' ? own : `${own} || ${otherwise}`;
};

export const emptySpool = async (context: PostgresContext): Promise<void> => {
  await rm(spoolPath(context), { recursive: true, force: true });
};

/** The used part of one segment of another member's WAL. */
export type GetSegment = (
  name: string,
) => Promise<
  | { readonly kind: 'done'; readonly bytes: Buffer }
  | { readonly kind: 'failed'; readonly cause: string }
>;

export interface WalRange {
  readonly start: WalPosition;
  readonly end: WalPosition;
}

/**
 * Fetches what lies between two positions of one timeline. All of it is on our disk before
 * PostgreSQL sees the first file, and the bytes that we have already must be the same.
 */
export const fetchWal = (
  context: PostgresContext,
  { start, end }: WalRange,
  get: GetSegment,
): Promise<Answer<{ readonly bytes: number }>> =>
  attempt('fetch WAL', async () => {
    const { dataDirectory } = context.config.postgresql;
    const answer = await readControlData(context, dataDirectory);
    if (answer.kind !== 'done') return answer;
    const { control } = answer;
    if (start.timeline !== end.timeline || start.lsn >= end.lsn)
      return failed(`there is nothing between ${start.lsn} and ${end.lsn}`);
    const spool = spoolPath(context);
    const growing = `${spool}.new`;
    await rm(growing, { recursive: true, force: true });
    await mkdir(growing, { recursive: true, mode: 0o700 });
    for (const segment of segmentsOf({ start, end }, control)) {
      const got = await get(segment.name);
      if (got.kind === 'failed') return failed(`${segment.name}: ${got.cause}`);
      const flaw =
        findFlaw(got.bytes, segment, control) ??
        (await compareWithOwn(join(dataDirectory, 'pg_wal', segment.name), got.bytes, segment));
      if (flaw !== undefined) return failed(`${segment.name}: ${flaw}`);
      await writeSegment(join(growing, segment.name), got.bytes, { context, control });
    }
    await syncDirectory(growing);
    const { owner } = context;
    if (owner !== undefined) await chown(growing, owner.uid, owner.gid);
    await emptySpool(context);
    await rename(growing, spool);
    return { kind: 'done', bytes: Number(end.lsn - start.lsn) };
  });

interface Segment {
  readonly name: string;
  readonly timeline: number;
  /** Bytes of it that must come. */
  readonly used: number;
  /** Bytes of it that we hold already. */
  readonly held: number;
}

const segmentsOf = ({ start, end }: WalRange, { walSegmentBytes }: ControlData): Segment[] => {
  const size = BigInt(walSegmentBytes);
  const segments: Segment[] = [];
  let at: Lsn = segmentStart(start.lsn, walSegmentBytes);
  while (at < end.lsn) {
    const next = lsn(at + size);
    segments.push({
      name: segmentName(start.timeline, at, walSegmentBytes),
      timeline: start.timeline,
      used: Number((end.lsn < next ? end.lsn : next) - at),
      held: Number(start.lsn > at ? start.lsn - at : 0n),
    });
    at = next;
  }
  return segments;
};

/** Why these bytes are not that segment of our cluster's WAL; undefined: they are. */
const findFlaw = (bytes: Buffer, segment: Segment, control: ControlData): string | undefined => {
  if (bytes.length < Math.max(segment.used, LONG_HEADER_BYTES))
    return `${bytes.length} bytes came, ${segment.used} are needed`;
  if (bytes.length > control.walSegmentBytes) return `${bytes.length} bytes are too many`;
  const timeline = bytes.readUInt32LE(TIMELINE_AT);
  // The first page may be older than the timeline the segment is named for.
  if (timeline > segment.timeline) return `its first page is of timeline ${timeline}`;
  const identifier = String(bytes.readBigUInt64LE(SYSTEM_IDENTIFIER_AT));
  if (identifier !== control.systemIdentifier)
    return `it is of system identifier ${identifier}, not ${control.systemIdentifier}`;
  return undefined;
};

const compareWithOwn = async (
  path: string,
  bytes: Buffer,
  { held }: Segment,
): Promise<string | undefined> => {
  if (held === 0) return undefined;
  try {
    const own = (await readFile(path)).subarray(0, held);
    if (own.length === held && own.equals(bytes.subarray(0, held))) return undefined;
    return `it differs from our own within the first ${held} bytes`;
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined;
    throw error;
  }
};

const writeSegment = async (
  path: string,
  bytes: Buffer,
  { context, control }: { readonly context: PostgresContext; readonly control: ControlData },
): Promise<void> => {
  const handle = await open(path, 'wx', 0o600);
  try {
    await handle.writeFile(bytes);
    // What follows the end reads as zeros: no record begins there.
    await handle.truncate(control.walSegmentBytes);
    if (context.owner !== undefined) await handle.chown(context.owner.uid, context.owner.gid);
    await handle.sync();
  } finally {
    await handle.close();
  }
};

/**
 * Reads the used part of one segment of our own silent server's WAL, up to `end`. Names are looked
 * up in no other way than by what they mean, so that nothing but WAL can be asked for.
 */
export const readSegment = (
  context: PostgresContext,
  { name, end }: { readonly name: string; readonly end: WalPosition },
): Promise<Answer<{ readonly bytes: Buffer }>> =>
  attempt('read WAL', async () => {
    const { dataDirectory } = context.config.postgresql;
    const answer = await readControlData(context, dataDirectory);
    if (answer.kind !== 'done') return answer;
    const { walSegmentBytes } = answer.control;
    const start = findSegment(name, end, walSegmentBytes);
    if (start === undefined) return failed(`${name} is not a segment of what is offered`);
    const used = Math.min(walSegmentBytes, Number(end.lsn - start));
    const handle = await open(join(dataDirectory, 'pg_wal', name), 'r');
    try {
      const { buffer, bytesRead } = await handle.read(Buffer.alloc(used), 0, used, 0);
      if (bytesRead < used) return failed(`${name} ends after ${bytesRead} bytes`);
      return { kind: 'done', bytes: buffer };
    } finally {
      await handle.close();
    }
  });

/** How many segments before the end are given out. */
const SEGMENTS_MAX = 32;

const findSegment = (
  name: string,
  { timeline, lsn: end }: WalPosition,
  walSegmentBytes: number,
): Lsn | undefined => {
  let at = segmentStart(lsn(end - 1n), walSegmentBytes);
  for (let count = 0; count < SEGMENTS_MAX; count += 1) {
    if (segmentName(timeline, at, walSegmentBytes) === name) return at;
    if (at < BigInt(walSegmentBytes)) return undefined;
    at = lsn(at - BigInt(walSegmentBytes));
  }
  return undefined;
};
