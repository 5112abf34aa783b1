/** What PostgreSQL of a member said last of why it could not go on, as the agent's log tells it. */
import { closeSync, fstatSync, openSync, readSync } from 'node:fs';

const TAIL_BYTES = 65_536;

const readTail = (file: string): string => {
  try {
    const descriptor = openSync(file, 'r');
    try {
      const { size } = fstatSync(descriptor);
      const bytes = Buffer.alloc(Math.min(size, TAIL_BYTES));
      readSync(descriptor, bytes, 0, bytes.length, size - bytes.length);
      return bytes.toString('utf8');
    } finally {
      closeSync(descriptor);
    }
  } catch {
    return '';
  }
};

/** When and by which process it was said is no news to whoever waits for it. */
const PREFIX = /^.*?\b(?=(?:LOG|HINT|DETAIL|WARNING|ERROR|FATAL|PANIC): )/;

const complaintsIn = (line: string): readonly string[] | undefined => {
  try {
    const { complaints } = (JSON.parse(line) ?? {}) as { complaints?: unknown };
    return Array.isArray(complaints) ? complaints.map(String) : undefined;
  } catch {
    // The first line of a tail is cut, and what is being written is not whole.
    return undefined;
  }
};

/** One line; undefined: it has not complained. */
export const readLastComplaint = (logFile: string): string | undefined => {
  const lines = readTail(logFile).split('\n').reverse();
  for (const line of lines) {
    const complaints = line.includes('"complaints"') ? complaintsIn(line) : undefined;
    if (complaints !== undefined)
      return complaints.map((one) => one.replace(PREFIX, '').replace(/\s+/g, ' ')).join('; ');
  }
  return undefined;
};
