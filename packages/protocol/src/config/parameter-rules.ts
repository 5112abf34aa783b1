import { parseBoolean, parseChoice, parseInteger, parseSizeBytes } from '../located/parsers.ts';
import type { Parsed, Parser } from '../located/parsers.ts';

/**
 * A parameter that must be the same on every member, so only the cluster-wide configuration sets
 * it. `read` answers the value as PostgreSQL takes it.
 */
export interface ControlledParameter {
  readonly name: string;
  readonly otherwise: string;
  readonly read: Parser<string>;
}

const map =
  <T>(parser: Parser<T>, write: (value: T) => string): Parser<string> =>
  (scalar) => {
    const parsed: Parsed<T> = parser(scalar);
    return parsed.ok ? { ok: true, value: write(parsed.value) } : parsed;
  };

const from = (minimum: number): Parser<string> => map(parseInteger({ minimum }), String);
const switched: Parser<string> = map(parseBoolean, (on) => (on ? 'on' : 'off'));

const onlyOn: Parser<string> = (scalar) => {
  const parsed = switched(scalar);
  return parsed.ok && parsed.value === 'on' ? parsed : { ok: false, allowed: 'on' };
};

/** `hot_standby` and `archive` are how PostgreSQL before 9.6 wrote `replica`. */
const walLevel: Parser<string> = map(
  parseChoice(['replica', 'logical', 'hot_standby', 'archive']),
  (level) => (level === 'logical' ? level : 'replica'),
);

export const controlledParameters: readonly ControlledParameter[] = [
  { name: 'hot_standby', otherwise: 'on', read: onlyOn },
  { name: 'wal_level', otherwise: 'replica', read: walLevel },
  { name: 'max_connections', otherwise: '100', read: from(25) },
  { name: 'max_wal_senders', otherwise: '10', read: from(3) },
  { name: 'max_replication_slots', otherwise: '10', read: from(4) },
  { name: 'max_worker_processes', otherwise: '8', read: from(2) },
  { name: 'max_prepared_transactions', otherwise: '0', read: from(0) },
  { name: 'max_locks_per_transaction', otherwise: '64', read: from(32) },
  { name: 'track_commit_timestamp', otherwise: 'off', read: switched },
  { name: 'wal_log_hints', otherwise: 'on', read: switched },
];

/** The two spellings of how much WAL is kept; see `deriveServerParameters`. */
export const walKeepNames = ['wal_keep_size', 'wal_keep_segments'] as const;

export const isControlled = (name: string): boolean =>
  walKeepNames.some((walKeep) => walKeep === name) ||
  controlledParameters.some((parameter) => parameter.name === name);

/** What the agent sets from elsewhere, or must keep for itself. */
const reserved: ReadonlySet<string> = new Set([
  'listen_addresses',
  'port',
  'cluster_name',
  'data_directory',
  'config_file',
  'primary_conninfo',
  'primary_slot_name',
  'promote_trigger_file',
  'trigger_file',
  'standby_mode',
]);

export const isReserved = (name: string): boolean =>
  reserved.has(name) || name.startsWith('recovery_target');

/** PostgreSQL counts these in megabytes when no unit is given. */
const MEGABYTE = 1024n * 1024n;
const SEGMENT_MEGABYTES = 16;

/** The bytes of a size parameter whose bare numbers count megabytes; undefined when it is none. */
export const megabytesAsBytes = (text: string): bigint | undefined => {
  const isBare = /^\s*-?\d+\s*$/.test(text);
  const parsed = parseSizeBytes()({ value: text });
  if (!parsed.ok) return undefined;
  return isBare ? parsed.value * MEGABYTE : parsed.value;
};

export const readWalKeepSize: Parser<string> = (scalar) => {
  const text = String(scalar.value);
  const bytes = megabytesAsBytes(text);
  return bytes !== undefined && bytes >= BigInt(SEGMENT_MEGABYTES) * MEGABYTE
    ? { ok: true, value: text.trim() }
    : { ok: false, allowed: 'a size from 16MB' };
};

export const readWalKeepSegments: Parser<string> = map(
  parseInteger({ minimum: 1 }),
  (segments) => `${segments * SEGMENT_MEGABYTES}MB`,
);
