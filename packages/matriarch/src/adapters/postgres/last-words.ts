import { open } from 'node:fs/promises';
import { join } from 'node:path';
import type { LastWords } from '@matriarch/core';
import { codeOf } from './answer.ts';
import { readTextIfThere } from './atomic-file.ts';

/** How much of a log's end is looked at: a PANIC is followed by a few lines, never by many. */
const TAIL_BYTES = 65_536;

/** What no other data directory would mend. */
const OF_THE_HOST = new RegExp(
  [
    'could not create any (TCP/IP|Unix-domain) sockets',
    'could not bind ',
    'could not create shared memory',
    'configuration file .* contains errors',
    'lock file .* already exists',
    'could not access (private key|server certificate) file',
    'could not load server certificate file',
  ].join('|'),
);

const START = /LOG: {2}starting PostgreSQL /;

/**
 * What the end of a server's log says of why it died, where that would follow the data or the host
 * to the next primary (rule S13). Only the last run counts. In a language other than English
 * nothing is recognised: then a crash is a crash.
 */
export const parseLastWords = (log: string): LastWords | undefined => {
  const lines = log.split('\n');
  const start = lines.findLastIndex((line) => START.test(line));
  const lastRun = lines.slice(start + 1);
  const says = (pattern: RegExp): boolean => lastRun.some((line) => pattern.test(line));
  if (says(/(PANIC|FATAL): .*No space left on device/)) return 'disk-full';
  if (says(/PANIC: {2}/)) return 'panic';
  return says(OF_THE_HOST) ? 'host' : undefined;
};

/**
 * Reads the end of the log: the file that the postmaster's output goes to, and the one it names in
 * `current_logfiles` when it collects its log itself.
 */
export const readLastWords = async (
  dataDirectory: string,
  logFile: string,
): Promise<LastWords | undefined> => {
  const collected = await readTextIfThere(join(dataDirectory, 'current_logfiles')).catch(
    () => undefined,
  );
  const named = /^stderr (.+)$/m.exec(collected ?? '')?.[1];
  const files = named === undefined ? [logFile] : [join(dataDirectory, named), logFile];
  for (const file of files) {
    const words = parseLastWords(await readTail(file));
    if (words !== undefined) return words;
  }
  return undefined;
};

const TOLD_LINES = 4;

/** The last complaints of a server's log, as people want them when it did not start. */
export const readLastComplaints = async (logFile: string): Promise<readonly string[]> =>
  (await readTail(logFile))
    .split('\n')
    .filter((line) => /(PANIC|FATAL|ERROR|HINT|WARNING): {2}|could not /.test(line))
    .slice(-TOLD_LINES);

/** The end of a file; of one that cannot be read, nothing. */
const readTail = async (path: string): Promise<string> => {
  try {
    const handle = await open(path, 'r');
    try {
      const { size } = await handle.stat();
      const from = Math.max(0, size - TAIL_BYTES);
      const { buffer, bytesRead } = await handle.read(
        Buffer.alloc(TAIL_BYTES),
        0,
        TAIL_BYTES,
        from,
      );
      return buffer.subarray(0, bytesRead).toString('utf8');
    } finally {
      await handle.close();
    }
  } catch (error) {
    if (codeOf(error) === undefined) throw error;
    return '';
  }
};
