import { defaultPolicy } from '@matriarch/core';
import { readHba } from '../config/read-access-lines.ts';
import { parseStoreHost, STORE_PORT } from '../config/read-etcd.ts';
import { readDynamicParameters, readParameterMap } from '../config/server-parameters.ts';
import { readWait } from '../config/read-waiting.ts';
import { readTiming } from '../config/timing.ts';
import { warnOfUnbuilt } from '../config/known-keys.ts';
import type { Mistake, Warning } from '../errors/mistake.ts';
import type { LocatedMap } from '../located/located.ts';
import { withEntry } from '../located/located.ts';
import { parseYaml } from '../located/parse-yaml.ts';
import {
  parseBoolean,
  parseChoice,
  parseInteger,
  parseSizeBytes,
  parseText,
} from '../located/parsers.ts';
import type { KnownKey } from '../located/section.ts';
import { Findings, Section } from '../located/section.ts';
import type { ClusterConfig, ClusterEtcd } from './cluster-config.ts';
import { complainOfSharedPorts, readHaproxy, readPgbouncer } from './read-doors.ts';
import { parseName, readMembers } from './read-members.ts';
import { readSecrets } from './read-secrets.ts';

export interface ClusterConfigSource {
  readonly text: string;
  /** How the file is called in messages. */
  readonly file: string;
  readonly environment: Readonly<Record<string, string | undefined>>;
}

export interface ParsedClusterConfig {
  /** Undefined when there are mistakes. */
  readonly config: ClusterConfig | undefined;
  readonly mistakes: readonly Mistake[];
  readonly warnings: readonly Warning[];
  /** Every key that cluster.yaml knows: `haproxy.write_port`, `members[].name`. */
  readonly keys: readonly string[];
}

const SCHEMA = 'cluster';

const later: readonly KnownKey[] = [
  { path: `${SCHEMA}.backup`, feature: 'backup' },
  { path: `${SCHEMA}.alerts`, feature: 'alerts' },
  { path: `${SCHEMA}.balancing`, feature: 'balancing' },
  { path: `${SCHEMA}.monitor`, feature: 'monitor' },
];

/** Variables that override the file, for settings that differ from machine to machine. */
export const clusterVariables: ReadonlyMap<string, readonly string[]> = new Map(
  [
    'cluster',
    'namespace',
    'postgresql.bin_dir',
    'postgresql.user',
    'haproxy.bind',
    'haproxy.write_port',
    'haproxy.read_port',
    'haproxy.stats_port',
    'pgbouncer.bind',
    'pgbouncer.port',
  ].map((path) => [`MATRIARCH_${path.replace('.', '_').toUpperCase()}`, path.split('.')]),
);

/** Reads a cluster.yaml. All mistakes come at once, with their places. Never throws. */
export const parseClusterConfig = (source: ClusterConfigSource): ParsedClusterConfig => {
  const findings = new Findings(later);
  const document = readDocument(source, findings);
  const config = document === undefined ? undefined : readCluster(document, findings);
  return {
    config: findings.mistakes.length === 0 ? config : undefined,
    mistakes: findings.sortedMistakes(),
    warnings: [...findings.sortedWarnings(), ...warnOfUnbuilt(findings)],
    keys: [...findings.keys].map((key) => key.slice(SCHEMA.length + 1)).sort(),
  };
};

const readDocument = (
  { text, file, environment }: ClusterConfigSource,
  findings: Findings,
): LocatedMap | undefined => {
  const { root, mistakes } = parseYaml(text, { file });
  findings.mistakes.push(...mistakes);
  if (root?.kind === 'map') return overlay(root, environment);
  if (mistakes.length === 0) {
    const message = 'holds no settings';
    const fix = 'write at least cluster: NAME';
    findings.mistakes.push({ file, line: 1, column: 1, path: '', message, fix });
  }
  return undefined;
};

const overlay = (root: LocatedMap, environment: ClusterConfigSource['environment']): LocatedMap => {
  let merged = root;
  for (const [variable, path] of clusterVariables) {
    const value = environment[variable];
    if (value === undefined || value === '') continue;
    merged = withEntry(merged, path, { kind: 'scalar', place: { variable }, value });
  }
  return merged;
};

const readCluster = (document: LocatedMap, findings: Findings): ClusterConfig => {
  const root = new Section(document, { path: '', schema: SCHEMA }, findings);
  const cluster = readName(root);
  const namespace = root.value('namespace', parseText) ?? 'service';
  const { isLocal, members } = readMembers(root);
  const haproxy = readHaproxy(root.section('haproxy'), isLocal);
  const pgbouncer = readPgbouncer(root, isLocal);
  complainOfSharedPorts(root, haproxy, pgbouncer);
  const config: ClusterConfig = {
    cluster,
    namespace:
      namespace
        .split('/')
        .filter((part) => part !== '')
        .join('/') || 'service',
    isLocal,
    members,
    etcd: readEtcd(root.section('etcd'), isLocal),
    postgresql: readPostgresql(root.section('postgresql')),
    timing: readClusterTiming(root.section('timing')),
    replication: readReplication(root.section('replication')),
    haproxy,
    pgbouncer,
    secrets: readSecrets(root.section('secrets'), isLocal),
    drills: { allowed: root.value('drills', parseChoice(DRILLS)) === 'allowed' },
  };
  root.finish();
  return config;
};

/** The two kinds of file are easily taken for each other. */
const readName = (root: Section): string => {
  if (!root.has('cluster') && root.names().includes('scope')) {
    root.mistake('cluster', {
      message: 'is missing: this is a patroni.yml, of one member',
      fix: 'start that with `matriarch agent`, or name a cluster.yaml',
    });
    return '';
  }
  return root.required('cluster', parseName, 'demo') ?? '';
};

const LOCAL_ETCD_MEMBERS = 3;
const LOCAL_ETCD_MEMBERS_MAX = 7;

const readEtcd = (etcd: Section, isLocal: boolean): ClusterEtcd => {
  const protocol = etcd.value('protocol', parseChoice(['http', 'https'])) ?? 'http';
  const endpoints = etcd.values('endpoints', parseStoreHost({ protocol, port: STORE_PORT }));
  const members = etcd.value(
    'members',
    parseInteger({ minimum: 1, maximum: LOCAL_ETCD_MEMBERS_MAX }),
  );
  const external = {
    username: etcd.value('username', parseText),
    caFile: etcd.value('cacert', parseText),
    certFile: etcd.value('cert', parseText),
    keyFile: etcd.value('key', parseText),
  };
  etcd.finish();
  if (members !== undefined && (endpoints !== undefined || !isLocal)) {
    const message = 'is for a cluster on one machine, whose etcd we start';
    etcd.mistake('members', { message, fix: 'name the etcd that runs under endpoints' });
  } else if (members !== undefined && members % 2 === 0) {
    etcd.warn('members', {
      message: `${members} etcd members survive no more failures than ${members - 1}`,
      fix: 'use an odd number',
    });
  }
  if (endpoints === undefined && isLocal) {
    return { kind: 'local', members: members ?? LOCAL_ETCD_MEMBERS };
  }
  if (endpoints === undefined || endpoints.length === 0) {
    const fix = 'write for example endpoints: [etcd1:2379, etcd2:2379, etcd3:2379]';
    if (!etcd.has('endpoints') || endpoints !== undefined) {
      etcd.mistake('endpoints', { message: 'is missing', fix });
    }
    return { kind: 'external', endpoints: [], ...external };
  }
  if (new Set(endpoints.map((url) => url.split(':')[0])).size > 1) {
    etcd.mistake('endpoints', { message: 'are partly http and partly https' });
  }
  return { kind: 'external', endpoints, ...external };
};

const readPostgresql = (postgresql: Section): ClusterConfig['postgresql'] => {
  const given = readParameterMap(postgresql, 'parameters');
  // Kept as written; read for what there is to say about the values.
  readDynamicParameters(postgresql, given);
  const parameters = Array.from(given, ([name, { value }]) => [name, String(value)] as const);
  const config = {
    binDirectory: postgresql.value('bin_dir', parseText),
    user: postgresql.value('user', parseText),
    parameters: Object.fromEntries(parameters),
    pgHba: readHba(postgresql, 'pg_hba'),
  };
  postgresql.finish();
  return config;
};

/** Our own lease mode, and handing over at once: what a new cluster should have. */
const FAST_TTL_SECONDS = 5;

const readClusterTiming = (timing: Section): ClusterConfig['timing'] => {
  const config: ClusterConfig['timing'] = {
    ...readTiming(timing, { fastLease: true, fastTtl: FAST_TTL_SECONDS }),
    maximumLagOnFailoverBytes:
      timing.value('maximum_lag_on_failover', parseSizeBytes({ minimum: 0 })) ??
      defaultPolicy.maximumLagOnFailoverBytes,
    onCrash: timing.value('on_crash', parseChoice(['hand_over', 'restart'])) ?? 'hand_over',
    failsafe: timing.value('failsafe', parseBoolean) ?? false,
  };
  timing.finish();
  return config;
};

const readReplication = (replication: Section): ClusterConfig['replication'] => {
  const modes = ['asynchronous', 'synchronous', 'quorum', 'hybrid'] as const;
  const mode = replication.value('mode', parseChoice(modes)) ?? 'asynchronous';
  const standbys = replication.value('standbys', parseInteger({ minimum: 1 })) ?? 1;
  const strict = replication.value('strict', parseBoolean) ?? false;
  const wait = readWait(replication, mode);
  replication.finish();
  return { mode, standbys, strict, wait };
};

/** Nobody's data is harmed for an exercise unless whoever owns it has said so. */
const DRILLS = ['allowed', 'refused'] as const;
