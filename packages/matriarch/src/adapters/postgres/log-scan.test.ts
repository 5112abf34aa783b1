/** What lines as PostgreSQL writes them, in each of its three formats, say of waits that ended. */
import { describe, expect, it } from 'vitest';
import { type LogFormat, nothingScanned, scanLog } from './log-scan.ts';

const CANCELLED = 'canceling wait for synchronous replication due to user request';
const TERMINATED =
  'canceling the wait for synchronous replication and terminating connection ' +
  'due to administrator command';
const DETAIL =
  'The transaction has already committed locally, but might not have been replicated to the standby.';

const PREFIX = '2026-11-28 06:50:07.115 UTC [4711] billing@ledger ';

const scan = (lines: readonly string[], format: LogFormat = 'stderr', scanned = nothingScanned) =>
  scanLog(scanned, Buffer.from(`${lines.join('\n')}\n`), format);

/** One message as each format has it. */
const written: Readonly<Record<LogFormat, (severity: string, message: string) => string>> = {
  stderr: (severity, message) => `${PREFIX}${severity}:  ${message}`,
  csvlog: (severity, message) =>
    '2026-11-28 06:50:07.115 UTC,"billing","ledger",4711,"127.0.0.1:51334",67481cbf.1267,2,' +
    `"COMMIT",2026-11-28 06:50:05 UTC,3/7,742,${severity},01000,"${message}","${DETAIL}",,,,,` +
    '"insert into t values (1)",,,"psql","client backend",,0',
  jsonlog: (severity, message) =>
    `{"timestamp":"2026-11-28 06:50:07.115 UTC","user":"billing","pid":4711,"error_severity":` +
    `"${severity}","state_code":"01000","message":"${message}","detail":"${DETAIL}",` +
    '"statement":"insert into t values (1)","backend_type":"client backend"}',
};

const formats = Object.keys(written) as LogFormat[];

describe.each(formats)('a log in the format %s', (format) => {
  const line = written[format];

  it('tells of waits that were cancelled and of sessions that were terminated', () => {
    const lines = [
      line('LOG', 'checkpoint starting: time'),
      line('WARNING', CANCELLED),
      line('WARNING', TERMINATED),
      line('WARNING', CANCELLED),
      line('WARNING', 'there is no transaction in progress'),
    ];
    expect(scan(lines, format)).toEqual({ cancelled: 2, terminated: 1, isStopping: false });
  });

  it('tells nothing of sessions that a stop has terminated, until the next start', () => {
    const stopped = scan(
      [
        line('WARNING', TERMINATED),
        line('LOG', 'received fast shutdown request'),
        line('WARNING', TERMINATED),
        line('WARNING', CANCELLED),
      ],
      format,
    );
    expect(stopped).toEqual({ cancelled: 1, terminated: 1, isStopping: true });
    const lines = [
      line('WARNING', TERMINATED),
      line('LOG', 'starting PostgreSQL 15.8 (Debian 15.8-0+deb12u1) on x86_64-pc-linux-gnu'),
      line('WARNING', TERMINATED),
    ];
    expect(scan(lines, format, stopped)).toEqual({
      cancelled: 1,
      terminated: 2,
      isStopping: false,
    });
  });

  it('is not believed where it repeats what somebody has sent', () => {
    const quoted: Readonly<Record<LogFormat, readonly string[]>> = {
      stderr: [
        `${PREFIX}LOG:  statement: select 'WARNING:  ${CANCELLED}`,
        `\tWARNING:  ${CANCELLED}`,
        `${PREFIX}STATEMENT:  select '${PREFIX}WARNING:  ${CANCELLED}`,
        `${PREFIX}ERROR:  ${CANCELLED}`,
        `${PREFIX}WARNING:  ${CANCELLED} or not`,
      ],
      csvlog: [
        line('LOG', `statement: select ',WARNING,01000,""${CANCELLED}"",'`),
        `WARNING:  ${CANCELLED}`,
        line('ERROR', CANCELLED),
        line('WARNING', `${CANCELLED} or not`),
      ],
      jsonlog: [
        line('LOG', `select \\"error_severity\\":\\"WARNING\\" \\"message\\":\\"${CANCELLED}\\"`),
        line('ERROR', CANCELLED),
        line('WARNING', `${CANCELLED} or not`),
      ],
    };
    expect(scan(quoted[format], format)).toEqual(nothingScanned);
  });
});

describe('a log on standard error', () => {
  it('is read with any prefix, and with error codes', () => {
    const lines = [
      `WARNING:  ${CANCELLED}`,
      `app=LOG: user=x WARNING:  01000: ${CANCELLED}`,
      `${PREFIX}WARNING:  57P01: ${TERMINATED}`,
    ];
    expect(scan(lines)).toEqual({ cancelled: 2, terminated: 1, isStopping: false });
  });
});
