/** What a cluster on this machine is made of: the programs, PostgreSQL and its user, etcd. */
import { join } from 'node:path';
import type { ClusterConfig } from '@matriarch/protocol';
import { renderEtcdArguments } from '../../adapters/etcd/member-arguments.ts';
import { findBinaries } from '../../adapters/postgres/binaries.ts';
import { findProgram, resolveUser } from '../../adapters/process/run-as.ts';
import { createRunCommand } from '../../adapters/process/run-command.ts';
import type { Account } from '../secrets.ts';

/** Programs we start ourselves or through our children, and the Debian package each comes in. */
const PROGRAMS: Readonly<Record<string, string>> = {
  etcd: 'etcd-server',
  haproxy: 'haproxy',
  pgbouncer: 'pgbouncer',
  setpriv: 'util-linux',
};

/** Servers lie where the PATH of an ordinary user does not lead. */
export const findOnMachine = (program: string): string | undefined =>
  findProgram(program, `${process.env['PATH'] ?? ''}:/usr/local/sbin:/usr/sbin:/sbin`);

/** Sentences; none when all of these programs, each with its Debian package, are there. */
export const findMissing = (programs: Readonly<Record<string, string>>): string[] =>
  Object.entries(programs).flatMap(([program, debianPackage]) =>
    findOnMachine(program) === undefined
      ? [`${program} is not installed: apt-get install ${debianPackage}`]
      : [],
  );

const isNeeded = (
  program: string,
  { runsEtcd, pgbouncer }: Pick<ClusterConfig, 'pgbouncer'> & { readonly runsEtcd: boolean },
): boolean =>
  (program !== 'etcd' || runsEtcd) && (program !== 'pgbouncer' || pgbouncer !== undefined);

const DEFAULT_USER = 'postgres';

/** As root, PostgreSQL's user owns what PostgreSQL writes. */
const findAccount = (config: ClusterConfig): Account | string | undefined => {
  if (process.geteuid?.() !== 0) return undefined;
  const name = config.postgresql.user ?? DEFAULT_USER;
  const lookup = resolveUser(name);
  return lookup.kind === 'found'
    ? lookup.user
    : `there is no user ${name} to run PostgreSQL as: create it, or set postgresql.user`;
};

/** What is wrong with PostgreSQL itself, as each member would say it. */
const findServerProblems = async (
  { postgresql }: ClusterConfig,
  dataDirectory: string,
  owner: Account | undefined,
): Promise<readonly string[]> => {
  const found = await findBinaries({
    binDirectory: postgresql.binDirectory,
    dataDirectory,
    run: createRunCommand(owner),
  });
  return found.kind === 'missing' ? found.problems : [];
};

export type Equipment =
  /** `owner`: the user PostgreSQL runs as when we are root. */
  | { readonly kind: 'found'; readonly owner: Account | undefined }
  | { readonly kind: 'missing'; readonly messages: readonly string[] };

/** Everything that is missing, at once. `dataDirectory`: of a member, or where it will be. */
export const findEquipment = async (
  config: ClusterConfig,
  { runsEtcd, dataDirectory }: { readonly runsEtcd: boolean; readonly dataDirectory: string },
): Promise<Equipment> => {
  const { pgbouncer } = config;
  const needed = Object.entries(PROGRAMS).filter(([program]) =>
    isNeeded(program, { runsEtcd, pgbouncer }),
  );
  const owner = findAccount(config);
  const messages = [
    ...findMissing(Object.fromEntries(needed)),
    ...(typeof owner === 'string'
      ? [owner]
      : await findServerProblems(config, dataDirectory, owner)),
  ];
  return messages.length > 0 || typeof owner === 'string'
    ? { kind: 'missing', messages }
    : { kind: 'found', owner };
};

export interface EtcdUrls {
  /** `http://host:port` each. */
  readonly client: string;
  readonly peer: string;
}

/** The command line of each member of an etcd of ours. `state`: where each has its directory. */
export const etcdCommands = (
  members: readonly EtcdUrls[],
  { state, token }: { readonly state: string; readonly token: string },
): readonly (readonly string[])[] => {
  const named = members.map((urls, index) => ({ ...urls, name: `etcd${index + 1}` }));
  return named.map(({ name, client, peer }) => [
    findOnMachine('etcd') ?? 'etcd',
    ...renderEtcdArguments({
      name,
      dataDirectory: join(state, name),
      clientUrl: client,
      peerUrl: peer,
      cluster: named.map(({ name: other, peer: peerUrl }) => ({ name: other, peerUrl })),
      clusterToken: token,
    }),
  ]);
};
