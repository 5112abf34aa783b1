import {
  type ConnectedStandby,
  conninfoTarget,
  type Lsn,
  lsn,
  parseLsn,
  type ReplicationSlot,
  type Timeline,
} from '@matriarch/core';
import { asRows, type SqlRow } from './sql-session.ts';

/**
 * Everything a look at a server needs, in one round trip. Works from PostgreSQL 13 on.
 *
 * The timeline: of a primary that of the segment it writes, of a standby that of the WAL its
 * walreceiver last flushed. With no walreceiver there is none here: the control file's lags behind
 * until the next restart point.
 *
 * What the startup process waits for tells whether all local WAL is consumed (rule S10): it asks
 * for a stream, or rests before it tries again, only when neither archive nor pg_wal has the next
 * record.
 */
export const PROBE_QUERY = `
select
  (select system_identifier::text from pg_control_system()) as system_identifier,
  current_setting('server_version_num')::int as server_version,
  recovery.active as in_recovery,
  case when recovery.active
    then (select received_tli from pg_stat_wal_receiver)
    else ('x' || substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8))::bit(32)::int
  end as timeline,
  case when not recovery.active then pg_current_wal_flush_lsn()::text end as flushed,
  case when recovery.active then pg_last_wal_receive_lsn()::text end as received,
  case when recovery.active then pg_last_wal_replay_lsn()::text end as replayed,
  case when recovery.active then
    to_char(pg_last_xact_replay_timestamp() at time zone 'UTC', 'YYYY-MM-DD HH24:MI:SS.US')
  end as replayed_at,
  case when recovery.active then pg_is_wal_replay_paused() else false end as replay_paused,
  case when recovery.active and pg_last_wal_receive_lsn() is null then
    (select wait_event from pg_stat_activity where backend_type = 'startup')
  end as startup_waits_for,
  exists (select from pg_stat_wal_receiver where status = 'streaming') as streaming,
  exists (select from pg_stat_wal_receiver) as receiving,
  case when recovery.active then current_setting('primary_conninfo') end as primary_conninfo,
  to_char(pg_postmaster_start_time() at time zone 'UTC', 'YYYY-MM-DD HH24:MI:SS.US') as started_at,
  exists (select from pg_settings where pending_restart) as pending_restart,
  (select coalesce(json_agg(json_build_object(
      'pid', pid, 'replyTime', reply_time::text,
      'applicationName', application_name, 'state', state, 'sentLsn', sent_lsn,
      'flushLsn', flush_lsn, 'replayLsn', replay_lsn, 'syncState', sync_state,
      'clientAddress', client_addr)), '[]')
    from pg_stat_replication where application_name <> current_setting('application_name')
  ) as standbys,
  (select coalesce(json_agg(json_build_object(
      'name', slot_name, 'active', active,
      'restartLsn', restart_lsn, 'walStatus', wal_status)), '[]')
    from pg_replication_slots where slot_type = 'physical'
  ) as slots
from (select pg_is_in_recovery() as active) as recovery`;

/** One answer to `PROBE_QUERY`. */
export interface ProbeRow {
  readonly systemIdentifier: string;
  readonly serverVersion: number;
  readonly inRecovery: boolean;
  /** Undefined for a standby without a walreceiver. */
  readonly timeline: Timeline | undefined;
  readonly flushedLsn: Lsn | undefined;
  readonly receivedLsn: Lsn | undefined;
  readonly replayedLsn: Lsn | undefined;
  readonly replayedAt: string | undefined;
  readonly replayPaused: boolean;
  readonly streaming: boolean;
  /** There is a walreceiver. */
  readonly receiving: boolean;
  /** The startup process has consumed all local WAL, and waits for more. */
  readonly waitsForMoreWal: boolean;
  readonly upstream: string | undefined;
  readonly startedAt: string;
  readonly pendingRestart: boolean;
  readonly standbys: readonly ConnectedStandby[];
  readonly slots: readonly ReplicationSlot[];
}

const WAITS_FOR_MORE: ReadonlySet<string> = new Set([
  'RecoveryWalStream',
  'RecoveryRetrieveRetryInterval',
]);

const NO_LSN = lsn(0n);

const text = (value: unknown): string | undefined =>
  typeof value === 'string' ? value : undefined;

const position = (value: unknown): Lsn | undefined => parseLsn(text(value) ?? '');

/** As in Patroni's API: a space between date and time, and the offset of UTC. */
const instantText = (value: unknown): string | undefined => {
  const time = text(value);
  return time === undefined ? undefined : `${time}+00:00`;
};

export const readProbeRow = (row: SqlRow): ProbeRow => ({
  systemIdentifier: text(row['system_identifier']) ?? '',
  serverVersion: Number(row['server_version']),
  inRecovery: row['in_recovery'] === true,
  timeline: row['timeline'] === null ? undefined : (Number(row['timeline']) as Timeline),
  flushedLsn: position(row['flushed']),
  receivedLsn: position(row['received']),
  replayedLsn: position(row['replayed']),
  replayedAt: instantText(row['replayed_at']),
  replayPaused: row['replay_paused'] === true,
  streaming: row['streaming'] === true,
  receiving: row['receiving'] === true,
  waitsForMoreWal: WAITS_FOR_MORE.has(text(row['startup_waits_for']) ?? ''),
  upstream: conninfoTarget(text(row['primary_conninfo']) ?? ''),
  startedAt: instantText(row['started_at']) ?? '',
  pendingRestart: row['pending_restart'] === true,
  standbys: asRows(row['standbys']).map(readStandby),
  slots: asRows(row['slots']).map(readSlot),
});

const readStandby = (row: SqlRow): ConnectedStandby => ({
  pid: Number(row['pid']),
  replyTime: text(row['replyTime']),
  applicationName: text(row['applicationName']) ?? '',
  state: text(row['state']) ?? '',
  sentLsn: position(row['sentLsn']) ?? NO_LSN,
  flushLsn: position(row['flushLsn']) ?? NO_LSN,
  replayLsn: position(row['replayLsn']) ?? NO_LSN,
  syncState: text(row['syncState']) ?? '',
  clientAddress: text(row['clientAddress']) ?? '',
});

const readSlot = (row: SqlRow): ReplicationSlot => ({
  name: text(row['name']) ?? '',
  active: row['active'] === true,
  restartLsn: position(row['restartLsn']),
  walStatus: text(row['walStatus']),
});
