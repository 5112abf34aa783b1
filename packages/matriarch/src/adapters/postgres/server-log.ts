/** Where a running server writes its log, and whether that tells of waits that were cancelled. */
import { readlink, stat } from 'node:fs/promises';
import { isAbsolute, join } from 'node:path';
import { codeOf } from './answer.ts';
import { readTextIfThere } from './atomic-file.ts';
import type { PostgresContext } from './context.ts';
import type { LogFile } from './follow-log.ts';
import { LOG_FORMATS, type LogFormat } from './log-scan.ts';
import { ownServerTarget } from './own-server.ts';
import { querySql, type SqlRow, textOf } from './sql-session.ts';
import { serverLogPath } from './state-files.ts';

export type FoundLog =
  | { readonly kind: 'file'; readonly log: LogFile }
  | { readonly kind: 'none'; readonly cause: string };

/** The files a server collects its log in, by format: `current_logfiles` in its data directory. */
export const parseCollected = (text: string, dataDirectory: string): LogFile | undefined => {
  const files = new Map<string, string>();
  for (const line of text.split('\n')) {
    const [, format, path] = /^(\S+) (.+)$/.exec(line) ?? [];
    if (format !== undefined && path !== undefined) files.set(format, path);
  }
  // Each of them has all of it.
  const format = LOG_FORMATS.find((one): one is LogFormat => files.has(one));
  const name = format === undefined ? undefined : files.get(format);
  if (format === undefined || name === undefined) return undefined;
  const path = isAbsolute(name) ? name : join(dataDirectory, name);
  return { opened: path, path, format };
};

/**
 * The file that a server collects its log in, else the one that its standard error is, which stays
 * the same when it is renamed.
 */
export const findServerLog = async (context: PostgresContext, pid: number): Promise<FoundLog> => {
  const { dataDirectory } = context.config.postgresql;
  const text = (await readTextIfThere(join(dataDirectory, 'current_logfiles'))) ?? '';
  const collected = parseCollected(text, dataDirectory);
  if (collected !== undefined) return { kind: 'file', log: collected };
  const opened = `/proc/${pid}/fd/2`;
  try {
    const path = await readlink(opened);
    if ((await stat(opened)).isFile())
      return { kind: 'file', log: { opened, path, format: 'stderr' } };
    return { kind: 'none', cause: `the server writes its log to ${path}, which is no file` };
  } catch (error) {
    // It has just ended, or the kernel does not let us look: then it is where we have it written.
    if (codeOf(error) === undefined) throw error;
    const path = serverLogPath(context);
    return { kind: 'file', log: { opened: path, path, format: 'stderr' } };
  }
};

export interface LogSettings {
  readonly destination: string;
  readonly leastSeverity: string;
  readonly language: string;
}

const QUERY = `
select current_setting('log_destination') as destination,
  current_setting('log_min_messages') as least, current_setting('lc_messages') as language`;

const LIMIT_MS = 2_000;

/** Undefined: the server has not said so. */
export const askLogSettings = async (
  context: PostgresContext,
): Promise<LogSettings | undefined> => {
  const target = await ownServerTarget(context, {
    applicationName: 'matriarch log',
    statementLimitMs: LIMIT_MS,
  });
  if (target === undefined) return undefined;
  const answer = await querySql(target, { text: QUERY, limitMs: LIMIT_MS });
  return answer.kind === 'rows' ? readSettings(answer.rows[0]) : undefined;
};

const readSettings = (row: SqlRow | undefined): LogSettings | undefined =>
  row === undefined
    ? undefined
    : {
        destination: textOf(row['destination']),
        leastSeverity: textOf(row['least']),
        language: textOf(row['language']),
      };

/** With these no warning is written. */
const ABOVE_WARNING: ReadonlySet<string> = new Set(['error', 'log', 'fatal', 'panic']);
const ENGLISH = /^(C|POSIX|en)([_.@].*)?$/i;

/** Why a log with these settings does not tell of cancelled waits; undefined: it does. */
export const whyBlind = ({
  destination,
  leastSeverity,
  language,
}: LogSettings): string | undefined => {
  const written = destination.split(',').map((one) => one.trim());
  if (!written.some((one) => LOG_FORMATS.some((format) => format === one)))
    return `log_destination = ${destination}: the server writes no log file`;
  if (ABOVE_WARNING.has(leastSeverity))
    return `log_min_messages = ${leastSeverity} keeps warnings out of the server's log`;
  if (!ENGLISH.test(language))
    return `lc_messages = ${language}: only English messages are understood`;
  return undefined;
};
