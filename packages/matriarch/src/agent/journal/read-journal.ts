/** The last part of a journal, as it lies on the disk. */
import { type FileHandle, open } from 'node:fs/promises';

/** Some thousand lines: a few incidents, and no burden for whoever reads them. */
export const JOURNAL_READ_BYTES_MAX = 512 * 1024;

export interface RecentLines {
  /** Oldest first; a line that was cut off by a crash may be among them. */
  readonly lines: readonly string[];
  /** Nothing was left out. */
  readonly complete: boolean;
}

interface Tail {
  readonly text: string;
  readonly whole: boolean;
}

const NOTHING: Tail = { text: '', whole: true };

const readTail = async (file: string, limitBytes: number): Promise<Tail> => {
  let handle: FileHandle | undefined;
  try {
    handle = await open(file, 'r');
    const { size } = await handle.stat();
    const length = Math.min(size, limitBytes);
    const { buffer, bytesRead } = await handle.read({
      buffer: Buffer.alloc(length),
      position: size - length,
    });
    const text = buffer.toString('utf8', 0, bytesRead);
    if (length === size) return { text, whole: true };
    // It begins in the middle of a line.
    return { text: text.slice(text.indexOf('\n') + 1), whole: false };
  } catch {
    // A journal that is not there yet, or whose disk is broken: there is nothing to tell of.
    return NOTHING;
  } finally {
    await handle?.close().catch(() => undefined);
  }
};

const linesOf = ({ text }: Tail): readonly string[] =>
  text.split('\n').filter((line) => line.startsWith('{') && line.endsWith('}'));

/** The newest lines, as many as fit the limit. */
export const readJournal = async (
  file: string,
  limitBytes = JOURNAL_READ_BYTES_MAX,
): Promise<RecentLines> => {
  const newer = await readTail(file, limitBytes);
  const rest = limitBytes - Buffer.byteLength(newer.text);
  const older = newer.whole && rest > 0 ? await readTail(`${file}.1`, rest) : NOTHING;
  return {
    lines: [...linesOf(older), ...linesOf(newer)],
    complete: newer.whole && older.whole,
  };
};
