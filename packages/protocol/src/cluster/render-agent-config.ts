import type { JsonObject, MemberTags } from '@matriarch/core';
import { RESTART_LIMIT_MS } from '@matriarch/core';
import { stringify } from 'yaml';
import { formatEndpoint } from '../located/endpoint-parsers.ts';
import type { ClusterConfig, ClusterMemberConfig } from './cluster-config.ts';
import { clusterRoles } from './cluster-config.ts';

/** What is known only where the member runs. */
export interface AgentPlacement {
  /** Passwords; without one the line is left out, and a PATRONI_* variable has to bring it. */
  readonly secrets?: {
    readonly superuser?: string | undefined;
    readonly replication?: string | undefined;
    readonly rewind?: string | undefined;
    readonly restapi?: string | undefined;
    readonly etcd?: string | undefined;
  };
  /** Wins over the member's own; a local member has none of its own. */
  readonly dataDirectory?: string | undefined;
  readonly stateDirectory?: string | undefined;
  /** For PostgreSQL's unix sockets; a short path. */
  readonly socketDirectory?: string | undefined;
  /** `http://host:port`, for a cluster whose etcd we start. */
  readonly etcdEndpoints?: readonly string[] | undefined;
}

const HEADER = '# Written by Matriarch from cluster.yaml. Changes are overwritten.\n';
const SECOND_MS = 1_000;

/** The cluster-wide configuration that follows from a cluster.yaml. */
export const renderDynamicConfig = ({
  timing,
  postgresql,
  replication,
}: ClusterConfig): JsonObject => ({
  ttl: timing.ttlMs / SECOND_MS,
  loop_wait: timing.loopWaitMs / SECOND_MS,
  retry_timeout: timing.retryTimeoutMs / SECOND_MS,
  ...(timing.fastLease ? { fast_lease: true } : {}),
  ...(timing.failsafe ? { failsafe_mode: true } : {}),
  maximum_lag_on_failover: Number(timing.maximumLagOnFailoverBytes),
  primary_start_timeout: timing.onCrash === 'hand_over' ? 0 : RESTART_LIMIT_MS / SECOND_MS,
  ...renderReplication(replication),
  postgresql: {
    use_pg_rewind: true,
    use_slots: true,
    parameters: {
      ...(replication.mode === 'hybrid' ? { synchronous_commit: 'local' } : {}),
      ...postgresql.parameters,
    },
  },
});

const renderReplication = ({
  mode,
  standbys,
  strict,
  wait,
}: ClusterConfig['replication']): JsonObject =>
  mode === 'asynchronous'
    ? {}
    : {
        synchronous_mode: mode === 'synchronous' ? true : 'quorum',
        synchronous_node_count: standbys,
        ...(strict ? { synchronous_mode_strict: true } : {}),
        ...(wait.roles.length === 0 ? {} : { synchronous_roles: wait.roles }),
        ...(wait.databases.length === 0 ? {} : { synchronous_databases: wait.databases }),
      };

/** The patroni.yml of one member; `parseAgentConfig` reads it without a mistake. */
export const renderAgentConfig = (
  cluster: ClusterConfig,
  member: ClusterMemberConfig,
  placement: AgentPlacement = {},
): string => {
  const { secrets = {} } = placement;
  const document = {
    scope: cluster.cluster,
    namespace: cluster.namespace,
    name: member.name,
    restapi: {
      listen: formatEndpoint({ host: member.listen, port: member.restPort }),
      connect_address: formatEndpoint({ host: member.host, port: member.restPort }),
      authentication:
        secrets.restapi === undefined
          ? undefined
          : { username: clusterRoles.restapi, password: secrets.restapi },
    },
    etcd3: renderEtcd(cluster, placement),
    bootstrap: {
      dcs: renderDynamicConfig(cluster),
      initdb: [{ encoding: 'UTF8' }, 'data-checksums'],
    },
    postgresql: {
      listen: formatEndpoint({ host: member.listen, port: member.postgresqlPort }),
      connect_address: formatEndpoint({ host: member.host, port: member.postgresqlPort }),
      data_dir: placement.dataDirectory ?? member.dataDirectory,
      bin_dir: cluster.postgresql.binDirectory,
      authentication: {
        superuser: { username: clusterRoles.superuser, password: secrets.superuser },
        replication: { username: clusterRoles.replication, password: secrets.replication },
        rewind:
          cluster.secrets.rewind === undefined
            ? undefined
            : { username: clusterRoles.rewind, password: secrets.rewind },
      },
      pg_hba: renderHba(cluster),
      parameters:
        placement.socketDirectory === undefined
          ? undefined
          : { unix_socket_directories: placement.socketDirectory },
    },
    tags: renderTags(member.tags),
    matriarch: { state_dir: placement.stateDirectory, user: cluster.postgresql.user },
  };
  // JSON drops what is undefined; YAML 1.1 puts quotes around text it would read otherwise.
  return HEADER + stringify(JSON.parse(JSON.stringify(document)), { version: '1.1', lineWidth: 0 });
};

const renderEtcd = (cluster: ClusterConfig, placement: AgentPlacement): object => {
  const external = cluster.etcd.kind === 'external' ? cluster.etcd : undefined;
  const endpoints = placement.etcdEndpoints ?? external?.endpoints ?? [];
  return {
    hosts: endpoints.map((url) => url.replace(/^https?:\/\//, '')),
    protocol: endpoints[0]?.startsWith('https:') === true ? 'https' : 'http',
    username: external?.username,
    password: placement.secrets?.etcd,
    cacert: external?.caFile,
    cert: external?.certFile,
    key: external?.keyFile,
  };
};

const isAddress = (host: string): boolean => /^[\d.]+$/.test(host) || host.includes(':');

/** What pg_hba.conf takes for one host: an address needs its mask, a name stands for itself. */
const hbaHost = (host: string): string => {
  if (!isAddress(host)) return host;
  return host.includes(':') ? `${host}/128` : `${host}/32`;
};

/**
 * Who may connect: the members with the roles they use, then the applications. With certificates
 * (`ssl` on) nobody comes in without TLS.
 */
export const renderHba = (cluster: ClusterConfig): readonly string[] => {
  const { superuser, replication, rewind } = clusterRoles;
  const isTls = ['on', 'true', 'yes', '1'].includes(cluster.postgresql.parameters['ssl'] ?? '');
  const type = isTls ? 'hostssl' : 'host';
  const line = (database: string, user: string, from: string): string =>
    `${type} ${database} ${user} ${from} scram-sha-256`;
  const hosts = [...new Set(cluster.members.map(({ host }) => hbaHost(host)))];
  const roles = cluster.secrets.rewind === undefined ? [superuser] : [superuser, rewind];
  const ofMembers = hosts.flatMap((host) => [
    line('replication', replication, host),
    line('all', replication, host),
    ...roles.map((role) => line('all', role, host)),
  ]);
  const ofApplications = cluster.isLocal
    ? [line('all', 'all', '127.0.0.1/32'), line('all', 'all', '::1/128')]
    : [line('all', 'all', 'all')];
  return [...ofMembers, ...(cluster.postgresql.pgHba ?? ofApplications)];
};

const renderTags = (tags: MemberTags): JsonObject | undefined => {
  const { others, failoverPriority, syncPriority, ...flags } = tags;
  const given = Object.entries(flags).filter(([, isSet]) => isSet);
  const rendered = {
    ...Object.fromEntries(given),
    ...(failoverPriority === 1 ? {} : { failover_priority: failoverPriority }),
    ...(syncPriority === 1 ? {} : { sync_priority: syncPriority }),
    ...others,
  };
  return Object.keys(rendered).length === 0 ? undefined : rendered;
};
