import { defaultPgbouncerLimits, haproxyDefaults, isPgbouncerDatabaseName } from '@matriarch/core';
import {
  parseBoolean,
  parseChoice,
  parseDurationMs,
  parseInteger,
  parsePort,
  parseText,
} from '../located/parsers.ts';
import type { Parser } from '../located/parsers.ts';
import type { Section } from '../located/section.ts';
import type { ClusterHaproxy, ClusterPgbouncer } from './cluster-config.ts';

const IDLE_TIMEOUT_MS = 30 * 60_000;
const SECOND_MS = 1_000;

/** Applications on this machine alone, or everybody: where a cluster lives tells whom it serves. */
const bindFor = (isLocal: boolean): string => (isLocal ? '127.0.0.1' : '0.0.0.0');

export const readHaproxy = (haproxy: Section, isLocal: boolean): ClusterHaproxy => {
  const config: ClusterHaproxy = {
    bind: haproxy.value('bind', parseText) ?? bindFor(isLocal),
    writePort: haproxy.value('write_port', parsePort) ?? 5432,
    readPort: haproxy.value('read_port', parsePort) ?? 5433,
    statsPort: haproxy.value('stats_port', parsePort) ?? 8404,
    idleTimeoutMs:
      haproxy.value('idle_timeout', parseDurationMs({ minimum: SECOND_MS })) ?? IDLE_TIMEOUT_MS,
    maxConnections:
      haproxy.value('max_connections', parseInteger({ minimum: 1 })) ??
      haproxyDefaults.maxConnections,
  };
  haproxy.finish();
  return config;
};

const parseDatabase: Parser<string> = (scalar) => {
  const parsed = parseText(scalar);
  if (!parsed.ok || isPgbouncerDatabaseName(parsed.value)) return parsed;
  return { ok: false, allowed: 'a database PgBouncer can name: letters, digits, "_", "." and "-"' };
};

/** `pgbouncer: off`, or its settings. Limits are those of the guide. */
export const readPgbouncer = (root: Section, isLocal: boolean): ClusterPgbouncer | undefined => {
  const entry = root.entry('pgbouncer');
  if (entry?.kind === 'scalar') {
    const isOn = root.value('pgbouncer', parseBoolean);
    if (isOn === false) return undefined;
  }
  const isSwitch = entry?.kind === 'scalar';
  const pgbouncer = isSwitch ? root.emptySection('pgbouncer') : root.section('pgbouncer');
  const size = (key: string, otherwise: number, minimum = 0): number =>
    pgbouncer.value(key, parseInteger({ minimum })) ?? otherwise;
  const limits = defaultPgbouncerLimits;
  const config: ClusterPgbouncer = {
    bind: pgbouncer.value('bind', parseText) ?? bindFor(isLocal),
    port: pgbouncer.value('port', parsePort) ?? 6432,
    databases: pgbouncer.values('databases', parseDatabase) ?? ['postgres'],
    poolMode:
      pgbouncer.value('pool_mode', parseChoice(['transaction', 'session', 'statement'])) ??
      limits.poolMode,
    maxClientConnections: size('max_client_conn', limits.maxClientConnections, 1),
    defaultPoolSize: size('default_pool_size', limits.defaultPoolSize, 1),
    minPoolSize: size('min_pool_size', limits.minPoolSize),
    reservePoolSize: size('reserve_pool_size', limits.reservePoolSize),
  };
  pgbouncer.finish();
  return config;
};

/** The doors stand on one machine, so no two of them may have one port. */
export const complainOfSharedPorts = (
  root: Section,
  haproxy: ClusterHaproxy,
  pgbouncer: ClusterPgbouncer | undefined,
): void => {
  const doors: readonly (readonly [path: string, port: number | undefined])[] = [
    ['haproxy.write_port', haproxy.writePort],
    ['haproxy.read_port', haproxy.readPort],
    ['haproxy.stats_port', haproxy.statsPort],
    ['pgbouncer.port', pgbouncer?.port],
  ];
  const taken = new Map<number, string>();
  for (const [path, port] of doors) {
    if (port === undefined) continue;
    const other = taken.get(port);
    if (other === undefined) taken.set(port, path);
    else {
      const [section = '', key = ''] = path.split('.');
      const message = `port ${port} is that of ${other} too`;
      root.section(section).mistake(key, { message, fix: 'give each door its own port' });
    }
  }
};
