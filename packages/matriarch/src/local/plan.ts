/** Which ports the parts of a local cluster have, and the configuration with them filled in. */
import { readFileSync } from 'node:fs';
import type { ClusterConfig, ClusterMemberConfig, SecretSource } from '@matriarch/protocol';
import { join } from 'node:path';
import type { LocalPaths } from './directories.ts';
import { memberPaths } from './directories.ts';
import { PortFinder, isFree } from './free-ports.ts';

const ETCD_CLIENT_PORT = 12_379;
const ETCD_PEER_PORT = 12_380;
/** Room between the ports of two etcd members. */
const ETCD_STEP = 10;

export interface EtcdPorts {
  readonly client: number;
  readonly peer: number;
}

export interface LocalPlan {
  readonly members: Readonly<
    Record<string, { readonly postgresql: number; readonly rest: number }>
  >;
  /** They are part of etcd's own membership: once chosen they stay. */
  readonly etcd: readonly EtcdPorts[];
  readonly haproxy: { readonly write: number; readonly read: number; readonly stats: number };
  readonly pgbouncer: number;
}

export const readPlan = (paths: LocalPaths): LocalPlan | undefined => {
  try {
    return JSON.parse(readFileSync(paths.plan, 'utf8')) as LocalPlan;
  } catch {
    return undefined;
  }
};

export type PlanOutcome =
  | { readonly kind: 'planned'; readonly plan: LocalPlan }
  | { readonly kind: 'taken'; readonly message: string };

/**
 * Chooses ports: those of the last time while they are free, else the configured ones, else the next
 * free ones above.
 */
export const choosePlan = async (
  config: ClusterConfig,
  previous: LocalPlan | undefined,
): Promise<PlanOutcome> => {
  const taken = await findTakenEtcdPort(previous);
  if (taken !== undefined)
    return {
      kind: 'taken',
      message:
        `port ${taken} is taken by another program, and etcd of this cluster cannot move: ` +
        'stop that program, or begin anew with `matriarch destroy --yes`',
    };
  const finder = new PortFinder();
  for (const { client, peer } of previous?.etcd ?? []) {
    finder.reserve(client);
    finder.reserve(peer);
  }
  const { haproxy, pgbouncer } = config;
  const find = async (before: number | undefined, wanted: number): Promise<number> =>
    before !== undefined && (await isFree(before)) ? finder.take(before) : finder.find(wanted);
  const doors = {
    write: await find(previous?.haproxy.write, haproxy.writePort),
    read: await find(previous?.haproxy.read, haproxy.readPort),
    stats: await find(previous?.haproxy.stats, haproxy.statsPort),
  };
  const pooler = await find(previous?.pgbouncer, pgbouncer?.port ?? DEFAULT_PGBOUNCER_PORT);
  const members: Record<string, { postgresql: number; rest: number }> = {};
  for (const { name, postgresqlPort, restPort } of config.members) {
    const before = previous?.members[name];
    members[name] = {
      postgresql: await find(before?.postgresql, postgresqlPort),
      rest: await find(before?.rest, restPort),
    };
  }
  const etcd = previous?.etcd ?? (await chooseEtcdPorts(config, finder));
  return { kind: 'planned', plan: { members, etcd, haproxy: doors, pgbouncer: pooler } };
};

const DEFAULT_PGBOUNCER_PORT = 6_432;

const findTakenEtcdPort = async (previous: LocalPlan | undefined): Promise<number | undefined> => {
  for (const { client, peer } of previous?.etcd ?? [])
    for (const port of [client, peer]) if (!(await isFree(port))) return port;
  return undefined;
};

const chooseEtcdPorts = async (config: ClusterConfig, finder: PortFinder): Promise<EtcdPorts[]> => {
  const count = config.etcd.kind === 'local' ? config.etcd.members : 0;
  const ports: EtcdPorts[] = [];
  for (let index = 0; index < count; index += 1)
    ports.push({
      client: await finder.find(ETCD_CLIENT_PORT + index * ETCD_STEP),
      peer: await finder.find(ETCD_PEER_PORT + index * ETCD_STEP),
    });
  return ports;
};

/** Which etcd member runs on the "host" of a member, if any. */
export const etcdOfMember = (index: number, plan: LocalPlan): EtcdPorts | undefined =>
  plan.etcd[index];

/**
 * The configuration as it really is on this machine: chosen ports, directories, the etcd that was
 * started, and secrets in files.
 */
export const applyPlan = (
  config: ClusterConfig,
  plan: LocalPlan,
  paths: LocalPaths,
): ClusterConfig => ({
  ...config,
  members: config.members.map((member) => placeMember(member, plan, paths)),
  etcd:
    config.etcd.kind === 'external'
      ? config.etcd
      : {
          kind: 'external',
          endpoints: plan.etcd.map(({ client }) => `http://127.0.0.1:${client}`),
          username: undefined,
          caFile: undefined,
          certFile: undefined,
          keyFile: undefined,
        },
  haproxy: {
    ...config.haproxy,
    writePort: plan.haproxy.write,
    readPort: plan.haproxy.read,
    statsPort: plan.haproxy.stats,
  },
  pgbouncer:
    config.pgbouncer === undefined ? undefined : { ...config.pgbouncer, port: plan.pgbouncer },
  secrets: {
    superuser: inFile(config.secrets.superuser, paths, 'superuser'),
    replication: inFile(config.secrets.replication, paths, 'replication'),
    rewind:
      config.secrets.rewind === undefined
        ? undefined
        : inFile(config.secrets.rewind, paths, 'rewind'),
    restapi:
      config.secrets.restapi === undefined
        ? undefined
        : inFile(config.secrets.restapi, paths, 'restapi'),
    etcd: config.secrets.etcd,
    applications: Object.fromEntries(
      Object.entries(config.secrets.applications).map(([name, source]) => [
        name,
        inFile(source, paths, `application-${name}`),
      ]),
    ),
  },
});

const placeMember = (
  member: ClusterMemberConfig,
  plan: LocalPlan,
  paths: LocalPaths,
): ClusterMemberConfig => {
  const ports = plan.members[member.name];
  return {
    ...member,
    postgresqlPort: ports?.postgresql ?? member.postgresqlPort,
    restPort: ports?.rest ?? member.restPort,
    dataDirectory: member.dataDirectory ?? memberPaths(paths.state, member.name).data,
  };
};

const inFile = (source: SecretSource, paths: LocalPaths, name: string): SecretSource =>
  source.kind === 'generated' ? { kind: 'file', path: join(paths.secrets, name) } : source;
