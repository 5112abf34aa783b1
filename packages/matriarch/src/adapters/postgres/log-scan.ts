/** What the lines of a server's log say of commits that waited for standbys. */

/** PostgreSQL's names of the formats it writes its log in. */
export const LOG_FORMATS = ['stderr', 'csvlog', 'jsonlog'] as const;
export type LogFormat = (typeof LOG_FORMATS)[number];

export interface LogScan {
  /** Waits that a client, or a limit on its statements, has cancelled. */
  readonly cancelled: number;
  /** Sessions that were terminated while they waited, by something else than a stop. */
  readonly terminated: number;
  /** The server is being stopped, as far as the log has been read. */
  readonly isStopping: boolean;
}

export const nothingScanned: LogScan = { cancelled: 0, terminated: 0, isStopping: false };

interface LogLine {
  readonly severity: string;
  readonly message: string;
}

const WORDS = [
  'DEBUG[1-5]?',
  'INFO',
  'NOTICE',
  'WARNING',
  'ERROR',
  'LOG',
  'FATAL',
  'PANIC',
  'DETAIL',
  'HINT',
  'QUERY',
  'CONTEXT',
  'STATEMENT',
  'LOCATION',
  'BACKTRACE',
].join('|');
/**
 * The first word of these says what a line is: another one behind it is text of somebody's. A line
 * that begins with a tab goes on with the text of the one before it.
 */
const STDERR = new RegExp(`^(?!\\t).*?\\b(${WORDS}): {2}(?:[0-9A-Z]{5}: )?(.*)$`);
/** Inside of a text quotes are doubled, so that no text looks like this. */
const CSV = /,(WARNING|LOG),[0-9A-Z]{5},"((?:[^"]|"")*)"/;
/** Inside of a text quotes have a backslash before them. */
const JSON_LINE = /"error_severity":"(WARNING|LOG)".*?"message":"((?:[^"\\]|\\.)*)"/;

const PATTERNS: Readonly<Record<LogFormat, RegExp>> = {
  stderr: STDERR,
  csvlog: CSV,
  jsonlog: JSON_LINE,
};

const readLine = (line: string, format: LogFormat): LogLine | undefined => {
  const [, severity, message] = PATTERNS[format].exec(line) ?? [];
  return severity === undefined || message === undefined ? undefined : { severity, message };
};

const CANCELLED = 'canceling wait for synchronous replication due to user request';
const TERMINATED =
  'canceling the wait for synchronous replication and terminating connection ' +
  'due to administrator command';
const STOPPING = 'received fast shutdown request';
const STARTING = 'starting PostgreSQL ';

/** Whatever holds none of these holds nothing of interest. */
const NEEDLES = [' wait for synchronous replication', STOPPING, STARTING] as const;

const hasNeedle = (text: { includes(needle: string): boolean }): boolean =>
  NEEDLES.some((needle) => text.includes(needle));

/**
 * A server that is stopped terminates all sessions, those as well whose commits wait. It then sends
 * its standbys all it has: whether they got it is found out when it has ended, and not here.
 */
const scanLine = (scan: LogScan, { severity, message }: LogLine): LogScan => {
  if (severity === 'LOG' && message === STOPPING) return { ...scan, isStopping: true };
  if (severity === 'LOG' && message.startsWith(STARTING)) return { ...scan, isStopping: false };
  if (severity !== 'WARNING') return scan;
  if (message === CANCELLED) return { ...scan, cancelled: scan.cancelled + 1 };
  if (message !== TERMINATED || scan.isStopping) return scan;
  return { ...scan, terminated: scan.terminated + 1 };
};

/** Adds what whole lines say to what those before them said. In English only. */
export const scanLog = (scan: LogScan, lines: Buffer, format: LogFormat): LogScan => {
  if (!hasNeedle(lines)) return scan;
  let sum = scan;
  for (const line of lines.toString('latin1').split('\n')) {
    const read = hasNeedle(line) ? readLine(line, format) : undefined;
    if (read !== undefined) sum = scanLine(sum, read);
  }
  return sum;
};
