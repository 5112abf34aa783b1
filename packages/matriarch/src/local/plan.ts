/** Which ports the parts of a local cluster have, and the configuration with them filled in. */
import { join } from 'node:path';
import type { ClusterConfig, ClusterMemberConfig, SecretSource } from '@matriarch/protocol';
import { type LocalPaths, memberPaths } from './directories.ts';
import { PortFinder, isFree } from './free-ports.ts';
import { readJsonObject } from './read-json.ts';

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
  /** What the file asked for then, by the name of the port. */
  readonly wanted: Readonly<Record<string, number>>;
}

/** Undefined when there is none, or none that this version has written. */
export const readPlan = (paths: LocalPaths): LocalPlan | undefined => {
  const plan: Partial<LocalPlan> | undefined = readJsonObject(paths.plan);
  const { members, etcd, haproxy, pgbouncer, wanted = {} } = plan ?? {};
  return members === undefined ||
    !Array.isArray(etcd) ||
    haproxy === undefined ||
    pgbouncer === undefined
    ? undefined
    : { members, etcd, haproxy, pgbouncer, wanted };
};

export type PlanOutcome =
  | { readonly kind: 'planned'; readonly plan: LocalPlan }
  | { readonly kind: 'taken'; readonly message: string };

/**
 * Chooses ports: those of the last time while they are free and the file asks for the same, else
 * the configured ones, else the next free ones above.
 */
export const choosePlan = async (
  config: ClusterConfig,
  previous: LocalPlan | undefined,
): Promise<PlanOutcome> => {
  const kept = config.etcd.kind === 'local' ? (previous?.etcd ?? []) : [];
  const taken = await findTakenPort(kept.flatMap(({ client, peer }) => [client, peer]));
  if (taken !== undefined)
    return {
      kind: 'taken',
      message:
        `port ${taken} is taken by another program, and etcd of this cluster cannot move: ` +
        'stop that program, or begin anew with `matriarch destroy --yes`',
    };
  const finder = new PortFinder();
  for (const { client, peer } of kept) {
    finder.reserve(client);
    finder.reserve(peer);
  }
  const ports = await choosePorts(listWishes(config, previous), finder);
  const port = (name: string): number => ports.get(name) ?? 0;
  const etcd = kept.length > 0 ? kept : await chooseEtcdPorts(config, finder);
  const wanted = listWishes(config, previous).map((wish) => [wish.name, wish.wanted] as const);
  return {
    kind: 'planned',
    plan: {
      members: Object.fromEntries(
        config.members.map(({ name }) => [
          name,
          { postgresql: port(`${name}.postgresql`), rest: port(`${name}.rest`) },
        ]),
      ),
      etcd,
      haproxy: {
        write: port('haproxy.write'),
        read: port('haproxy.read'),
        stats: port('haproxy.stats'),
      },
      pgbouncer: port('pgbouncer'),
      wanted: Object.fromEntries(wanted),
    },
  };
};

const DEFAULT_PGBOUNCER_PORT = 6_432;

interface Wish {
  readonly name: string;
  readonly wanted: number;
  /** What it had the last time, if the file asked for the same port then. */
  readonly before: number | undefined;
}

const listWishes = (config: ClusterConfig, previous: LocalPlan | undefined): Wish[] => {
  const wish = (name: string, wanted: number, before: number | undefined): Wish => ({
    name,
    wanted,
    before: (previous?.wanted[name] ?? wanted) === wanted ? before : undefined,
  });
  const { haproxy, pgbouncer } = config;
  return [
    wish('haproxy.write', haproxy.writePort, previous?.haproxy.write),
    wish('haproxy.read', haproxy.readPort, previous?.haproxy.read),
    wish('haproxy.stats', haproxy.statsPort, previous?.haproxy.stats),
    wish('pgbouncer', pgbouncer?.port ?? DEFAULT_PGBOUNCER_PORT, previous?.pgbouncer),
    ...config.members.flatMap(({ name, postgresqlPort, restPort }) => {
      const before = previous?.members[name];
      return [
        wish(`${name}.postgresql`, postgresqlPort, before?.postgresql),
        wish(`${name}.rest`, restPort, before?.rest),
      ];
    }),
  ];
};

/** Whoever can keep its port comes first: nobody else is given it as the next free one. */
const choosePorts = async (
  wishes: readonly Wish[],
  finder: PortFinder,
): Promise<ReadonlyMap<string, number>> => {
  const ports = new Map<string, number>();
  for (const { name, before } of wishes)
    if (before !== undefined && (await finder.take(before))) ports.set(name, before);
  for (const { name, wanted } of wishes)
    if (!ports.has(name)) ports.set(name, await finder.find(wanted));
  return ports;
};

const findTakenPort = async (ports: readonly number[]): Promise<number | undefined> => {
  for (const port of ports) if (!(await isFree(port))) return port;
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
        inFile(source, paths, `application-${encodeURIComponent(name)}`),
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
