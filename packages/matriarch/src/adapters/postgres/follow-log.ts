/** Reads on in a log that grows, is begun anew, renamed or emptied, from where it was read last. */
import { constants, type FileHandle, open } from 'node:fs/promises';
import { codeOf } from './answer.ts';
import { type LogFormat, type LogScan, nothingScanned, scanLog } from './log-scan.ts';

const CHUNK_BYTES = 262_144;
/** Read at a time: a look must end, and the next one goes on. */
const LOOK_BYTES_MAX = 16 * 1024 * 1024;
/** Read at all of what has been written since the last look. */
export const BACKLOG_BYTES_MAX = 256 * 1024 * 1024;

/** A pipe in the place of a log, with nobody who writes, would hold us for ever. */
const READ = constants.O_RDONLY | constants.O_NONBLOCK;

/** A log file: by which name it is opened, and by which it is found again when that one is gone. */
export interface LogFile {
  readonly opened: string;
  readonly path: string;
  readonly format: LogFormat;
}

/** Up to where a log has been read. */
export interface LogPlace {
  /** Device and inode: what a file is, whatever its name is. */
  readonly file: string;
  readonly path: string;
  readonly format: LogFormat;
  readonly offset: number;
  readonly isStopping: boolean;
}

export interface Followed extends Pick<LogScan, 'cancelled' | 'terminated'> {
  readonly place: LogPlace;
  /** There is more. */
  readonly isBehind: boolean;
  /** Written since the last look and passed over, because it was too much. */
  readonly skippedBytes: number;
}

/** A log that was never read before is read from its present end on. */
export const followLog = async (log: LogFile, place: LogPlace | undefined): Promise<Followed> => {
  const handle = await open(log.opened, READ);
  try {
    const { file, size } = await look(handle);
    const begun: LogPlace = {
      file,
      path: log.path,
      format: log.format,
      offset: 0,
      isStopping: false,
    };
    if (place === undefined) return { ...found(nothingScanned), place: { ...begun, offset: size } };
    if (place.file === file) {
      const isEmptied = size < place.offset;
      return await readOn(handle, {
        ...place,
        path: log.path,
        offset: isEmptied ? 0 : place.offset,
      });
    }
    const rest = await readRest(place);
    if (rest.isBehind) return rest;
    const next = await readOn(handle, { ...begun, isStopping: rest.place.isStopping });
    return {
      ...next,
      cancelled: rest.cancelled + next.cancelled,
      terminated: rest.terminated + next.terminated,
      skippedBytes: rest.skippedBytes + next.skippedBytes,
    };
  } finally {
    await handle.close();
  }
};

const look = async (
  handle: FileHandle,
): Promise<{ readonly file: string; readonly size: number }> => {
  const { dev, ino, size } = await handle.stat();
  return { file: `${dev}:${ino}`, size };
};

const found = ({ cancelled, terminated }: LogScan): Omit<Followed, 'place'> => ({
  cancelled,
  terminated,
  isBehind: false,
  skippedBytes: 0,
});

/** What was written last to the file before this one, if it still has its name. */
const readRest = async (place: LogPlace): Promise<Followed> => {
  const nothing = { ...found(nothingScanned), place };
  const handle = await open(place.path, READ).catch((error: unknown) => {
    if (codeOf(error) === undefined) throw error;
  });
  if (handle === undefined) return nothing;
  try {
    return (await look(handle)).file === place.file ? await readOn(handle, place) : nothing;
  } finally {
    await handle.close();
  }
};

const readOn = async (handle: FileHandle, from: LogPlace): Promise<Followed> => {
  const { size } = await look(handle);
  const skippedBytes = Math.max(0, size - from.offset - BACKLOG_BYTES_MAX);
  const begin = from.offset + skippedBytes;
  let scan: LogScan = { ...nothingScanned, isStopping: from.isStopping };
  let offset = begin;
  const chunk = Buffer.alloc(CHUNK_BYTES);
  while (offset < size && offset - begin < LOOK_BYTES_MAX) {
    const { bytesRead } = await handle.read(chunk, 0, CHUNK_BYTES, offset);
    const length = wholeLines(chunk.subarray(0, bytesRead));
    if (length === 0) break;
    scan = scanLog(scan, chunk.subarray(0, length), from.format);
    offset += length;
  }
  return {
    ...found(scan),
    place: { ...from, offset, isStopping: scan.isStopping },
    isBehind: offset < size && offset - begin >= LOOK_BYTES_MAX,
    skippedBytes,
  };
};

/** Up to the end of the last whole line. One that fills all there is room for is taken in parts. */
const wholeLines = (chunk: Buffer): number => {
  const end = chunk.lastIndexOf('\n') + 1;
  return end === 0 && chunk.length === CHUNK_BYTES ? CHUNK_BYTES : end;
};
