import { type ControlState, type Lsn, parseLsn, type Timeline, timeline } from '@matriarch/core';
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { type Answer, describeEnd, failed, unknown } from './answer.ts';
import { type PostgresContext, toolEnvironment } from './context.ts';

/** What pg_control says of a data directory, as far as it is needed. */
export interface ControlData {
  readonly systemIdentifier: string;
  readonly state: ControlState;
  readonly checkpointLsn: Lsn;
  readonly redoLsn: Lsn;
  readonly checkpointTimeline: Timeline;
  /** 0/0 on a server that was in production for a checkpoint or longer. */
  readonly minRecoveryLsn: Lsn;
  /**
   * 0 when there is none. Just after a promotion it is already the new timeline, while the latest
   * checkpoint is still on the old one; PostgreSQL itself recovers along the higher of both.
   */
  readonly minRecoveryTimeline: Timeline;
  readonly walBlockBytes: number;
  readonly walSegmentBytes: number;
  readonly checksums: boolean;
  readonly walLogHints: boolean;
  /** A standby does not start with less of these than its primary had. */
  readonly minimums: Readonly<Record<string, number>>;
}

/** pg_control's states. A server killed in crash recovery or while stopping was in production. */
const STATES: Readonly<Record<string, ControlState>> = {
  'shut down': 'shut-down',
  'shut down in recovery': 'shut-down-in-recovery',
  'shutting down': 'in-production',
  'in crash recovery': 'in-production',
  'in archive recovery': 'in-recovery',
  'in production': 'in-production',
};

const MINIMUMS: Readonly<Record<string, string>> = {
  'max_connections setting': 'max_connections',
  'max_worker_processes setting': 'max_worker_processes',
  'max_wal_senders setting': 'max_wal_senders',
  'max_prepared_xacts setting': 'max_prepared_transactions',
  'max_locks_per_xact setting': 'max_locks_per_transaction',
};

/** Reads what pg_controldata prints under LC_ALL=C; undefined when something is missing. */
export const parseControlData = (text: string): ControlData | undefined => {
  const values = new Map<string, string>();
  for (const line of text.split('\n')) {
    const match = /^([^:]+):\s*(.*)$/.exec(line);
    if (match !== null) values.set(match[1] ?? '', (match[2] ?? '').trim());
  }
  const number = (key: string): number => Number(values.get(key) ?? Number.NaN);
  const position = (key: string): Lsn | undefined => parseLsn(values.get(key) ?? '');

  const systemIdentifier = values.get('Database system identifier');
  const checkpointLsn = position('Latest checkpoint location');
  const redoLsn = position("Latest checkpoint's REDO location");
  const minRecoveryLsn = position('Minimum recovery ending location');
  const numbers = {
    checkpointTimeline: timeline(number("Latest checkpoint's TimeLineID")),
    minRecoveryTimeline: timeline(number("Min recovery ending loc's timeline")),
    walBlockBytes: number('WAL block size'),
    walSegmentBytes: number('Bytes per WAL segment'),
  };
  if (systemIdentifier === undefined || checkpointLsn === undefined) return undefined;
  if (redoLsn === undefined || minRecoveryLsn === undefined) return undefined;
  if (!Object.values(numbers).every(Number.isInteger)) return undefined;
  return {
    systemIdentifier,
    state: STATES[values.get('Database cluster state') ?? ''] ?? 'other',
    checkpointLsn,
    redoLsn,
    minRecoveryLsn,
    ...numbers,
    checksums: number('Data page checksum version') > 0,
    walLogHints: values.get('wal_log_hints setting') === 'on',
    minimums: Object.fromEntries(
      Object.entries(MINIMUMS).flatMap(([key, name]) =>
        Number.isInteger(number(key)) ? [[name, number(key)]] : [],
      ),
    ),
  };
};

const LIMIT_MS = 10_000;
/** Time stamps of files step by a few milliseconds: two writes within one are one to them. */
const STAMP_SETTLES_MS = 100;

type Read = Answer<{ readonly control: ControlData }>;

/** What was read of each data directory last, and the file it was read of. */
const lastReads = new Map<string, { readonly stamp: string; readonly read: Read }>();

/** Which version of the control file this is; undefined: it may have been written just now. */
const stampOf = async (dataDirectory: string): Promise<string | undefined> => {
  const path = join(dataDirectory, 'global', 'pg_control');
  const stats = await stat(path, { bigint: true }).catch(() => undefined);
  if (stats === undefined || Date.now() - Number(stats.mtimeMs) < STAMP_SETTLES_MS)
    return undefined;
  const { dev, ino, size, mtimeNs, ctimeNs } = stats;
  return [dev, ino, size, mtimeNs, ctimeNs].join(' ');
};

/**
 * What pg_controldata says. `failed`: the control file is missing or damaged; `unknown`: the
 * program could not be run to its end, which says nothing of the file. It is not run again for a
 * file that has not been written since: a failover asks several times, and each run costs.
 */
export const readControlData = async (
  context: PostgresContext,
  dataDirectory: string,
): Promise<Read> => {
  const stamp = await stampOf(dataDirectory);
  const last = lastReads.get(dataDirectory);
  if (stamp !== undefined && last?.stamp === stamp) return last.read;
  const read = await runControlData(context, dataDirectory);
  if (stamp === undefined || read.kind !== 'done') lastReads.delete(dataDirectory);
  else lastReads.set(dataDirectory, { stamp, read });
  return read;
};

const runControlData = async (
  { run, binaries }: PostgresContext,
  dataDirectory: string,
): Promise<Read> => {
  const result = await run({
    command: binaries.pg_controldata,
    args: ['-D', dataDirectory],
    env: toolEnvironment(),
    limitMs: LIMIT_MS,
  });
  if (result.kind !== 'exited') return unknown(describeEnd('pg_controldata', result));
  if (result.code !== 0) return failed(describeEnd('pg_controldata', result));
  if (/WARNING/.test(result.stdout + result.stderr))
    return failed(`the control file of ${dataDirectory} is damaged, says pg_controldata`);
  const control = parseControlData(result.stdout);
  if (control === undefined)
    return failed(`pg_controldata says of ${dataDirectory} what cannot be understood`);
  return { kind: 'done', control };
};

/** The timeline PostgreSQL itself would recover along. */
export const controlTimeline = (control: ControlData): Timeline =>
  timeline(Math.max(control.checkpointTimeline, control.minRecoveryTimeline));
