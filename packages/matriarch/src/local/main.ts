/** `matriarch up`, put together: the only file of this folder that knows the adapters. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { StoreSnapshot } from '@matriarch/core';
import { type ClusterConfig, clusterPrefix, clusterRoles } from '@matriarch/protocol';
import { renderEtcdArguments } from '../adapters/etcd/member-arguments.ts';
import { type EtcdStore, createEtcdStore } from '../adapters/etcd/etcd-store.ts';
import { findProgram, resolveUser } from '../adapters/process/run-as.ts';
import { readDocuments } from '../agent/act/store-documents.ts';
import { formatMemberTable } from '../cli/output/member-table.ts';
import { type LocalPaths, localPaths, stateDirectoryOf } from './directories.ts';
import { LocalCluster } from './local-cluster.ts';
import { readClusterFile } from './open-cluster.ts';
import { isReady } from './ready.ts';
import type { RunningUp, StoreFacts } from './running-up.ts';
import { type LocalPlan, applyPlan, choosePlan, readPlan } from './plan.ts';
import { type Account, fetchSecrets, makeSecrets } from './secrets.ts';
import { findRunningUp, releaseLock, takeLock } from './up-lock.ts';

/** How long a new cluster may take to have a primary and all its replicas. */
const READY_LIMIT_MS = 120_000;
const LOOK_MS = 200;
const STORE_LIMITS = { attemptLimitMs: 1_000, budgetMs: 2_000 };

export interface UpOptions {
  readonly file: string;
  readonly print: (line: string) => void;
  readonly printError: (line: string) => void;
}

export type UpStart =
  | { readonly kind: 'running'; readonly up: RunningUp }
  | { readonly kind: 'refused'; readonly status: 1 | 2 | 3; readonly messages: readonly string[] };

const refused = (status: 1 | 2 | 3, ...messages: string[]): UpStart => ({
  kind: 'refused',
  status,
  messages,
});

/** Programs `up` starts itself or through its children, and the Debian package each comes in. */
const PROGRAMS: Readonly<Record<string, string>> = {
  etcd: 'etcd-server',
  haproxy: 'haproxy',
  pgbouncer: 'pgbouncer',
  setpriv: 'util-linux',
};

const findMissingPrograms = (): string[] =>
  Object.entries(PROGRAMS).flatMap(([program, debianPackage]) =>
    findProgram(program, `${process.env['PATH'] ?? ''}:/usr/sbin:/usr/bin`) === undefined
      ? [`${program} is not installed: apt-get install ${debianPackage}`]
      : [],
  );

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

/** Everything is looked at before anything is started. */
export const startUp = async ({ file, print, printError }: UpOptions): Promise<UpStart> => {
  const read = readClusterFile(file);
  if (read.kind === 'wrong') return refused(2, read.message);
  for (const warning of read.warnings) printError(warning);
  if (!read.config.isLocal)
    return refused(2, `${file}: its members are on several hosts; \`up\` is for one machine`);
  const owner = findAccount(read.config);
  const problems = [...findMissingPrograms(), ...(typeof owner === 'string' ? [owner] : [])];
  if (problems.length > 0 || typeof owner === 'string') return refused(2, ...problems);
  const paths = localPaths(stateDirectoryOf(read.config.cluster, process.cwd()));
  const running = findRunningUp(paths.lock);
  if (running !== undefined)
    return refused(
      3,
      `cluster ${read.config.cluster} is already up (process ${running.pid}): \`matriarch list\` shows it`,
    );
  try {
    mkdirSync(paths.state, { recursive: true, mode: 0o755 });
    takeLock(paths.lock, read.file);
  } catch (error) {
    return refused(2, `${paths.state}: the cluster cannot be kept there (${String(error)})`);
  }
  const planned = await choosePlan(read.config, readPlan(paths));
  if (planned.kind === 'taken') {
    releaseLock(paths.lock);
    return refused(1, planned.message);
  }
  writeFileSync(paths.plan, JSON.stringify(planned.plan, undefined, 2), { mode: 0o644 });
  const config = applyPlan(read.config, planned.plan, paths);
  makeSecrets(config, paths.secrets);
  const secrets = fetchSecrets(config);
  if (secrets.kind === 'missing') {
    releaseLock(paths.lock);
    return refused(2, ...secrets.messages);
  }
  const up = begin(
    { config, paths, plan: planned.plan, file: read.file, owner, print },
    secrets.values,
  );
  return { kind: 'running', up };
};

interface Beginning {
  readonly config: ClusterConfig;
  readonly paths: LocalPaths;
  readonly plan: LocalPlan;
  readonly file: string;
  readonly owner: Account | undefined;
  readonly print: (line: string) => void;
}

const begin = (parts: Beginning, secrets: ReadonlyMap<string, string>): RunningUp => {
  const { config, paths, plan, print } = parts;
  let stopping = false;
  const cluster = new LocalCluster({
    ...parts,
    secrets,
    etcdArguments: (index) => etcdArguments(parts, index),
    onEnd: (name, status, signal) => {
      if (!stopping)
        print(`${name} ended (${signal ?? `status ${status}`}); see ${join(paths.logs, name)}.log`);
    },
  });
  cluster.prepare();
  const endpoints = config.etcd.kind === 'external' ? config.etcd.endpoints : [];
  const store = createEtcdStore({ endpoints, ...STORE_LIMITS });
  const prefix = clusterPrefix(config.namespace, config.cluster);
  const snapshot = async (): Promise<StoreSnapshot | undefined> => {
    const answer = await readDocuments(store, prefix);
    return answer.kind === 'done' ? answer.snapshot : undefined;
  };
  cluster.startStore();
  cluster.startMembers();
  cluster.startProxy();
  return {
    config,
    paths,
    plan,
    secrets,
    cluster,
    snapshot,
    describeStore: () => describeStore(store),
    stop: async () => {
      stopping = true;
      const primary = (await snapshot())?.leader?.value;
      await cluster.stop(primary);
      await store.close();
      releaseLock(paths.lock);
    },
  };
};

const etcdArguments = ({ plan, paths, config }: Beginning, index: number): readonly string[] => {
  const name = (number: number): string => `etcd${number + 1}`;
  const peerUrl = (number: number): string => `http://127.0.0.1:${plan.etcd[number]?.peer ?? 0}`;
  return renderEtcdArguments({
    name: name(index),
    dataDirectory: join(paths.state, name(index)),
    clientUrl: `http://127.0.0.1:${plan.etcd[index]?.client ?? 0}`,
    peerUrl: peerUrl(index),
    cluster: plan.etcd.map((_, number) => ({ name: name(number), peerUrl: peerUrl(number) })),
    clusterToken: config.cluster,
  });
};

/** Tells what happens on the way; false when it takes too long. */
export const awaitReady = async (
  up: RunningUp,
  print: (line: string) => void,
): Promise<boolean> => {
  const count = up.config.members.length;
  const begun = performance.now();
  let said = '';
  while (performance.now() - begun < READY_LIMIT_MS) {
    const snapshot = await up.snapshot();
    const now = snapshot === undefined ? 'waiting for etcd' : describe(snapshot, count);
    if (now !== said) print(`  ${((performance.now() - begun) / 1_000).toFixed(1)} s  ${now}`);
    said = now;
    if (snapshot !== undefined && isReady(snapshot, count)) return true;
    await sleep(LOOK_MS);
  }
  return false;
};

const describe = (snapshot: StoreSnapshot, count: number): string => {
  const members = Object.entries(snapshot.members).sort(([a], [b]) => (a < b ? -1 : 1));
  if (members.length === 0) return 'waiting for the members';
  const words = members.map(([name, { value }]) => {
    const isLeader = name === snapshot.leader?.value;
    return `${name} ${isLeader ? 'primary' : (value.replicationState ?? value.state)}`;
  });
  return `${words.join(', ')}${members.length < count ? ', …' : ''}`;
};

/** What a person needs next: who is what, and how to get in. */
export const describeUp = async ({ config, paths, snapshot }: RunningUp): Promise<string> => {
  const documents = await snapshot();
  const table = documents === undefined ? '' : formatMemberTable(config.cluster, documents);
  const psql = (port: number): string =>
    `PGPASSFILE=${paths.passFile} psql "host=127.0.0.1 port=${port} user=${clusterRoles.superuser} dbname=postgres"`;
  const { writePort, readPort, statsPort } = config.haproxy;
  return [
    table,
    '',
    `write: ${psql(writePort)}`,
    `read:  ${psql(readPort)}`,
    ...(config.pgbouncer === undefined
      ? []
      : [`pooled: port ${config.pgbouncer.port}, databases ${pooledNames(config)}`]),
    `HAProxy statistics: http://127.0.0.1:${statsPort}/stats`,
    `files and logs: ${paths.state}`,
  ].join('\n');
};

const pooledNames = ({ pgbouncer }: ClusterConfig): string =>
  (pgbouncer?.databases ?? []).map((name) => `${name}_write, ${name}_read`).join(', ');

const describeStore = async (store: EtcdStore): Promise<StoreFacts> => {
  const members = await store.readStatus();
  const version = members.find((member) => member.kind === 'answered')?.version ?? 'unknown';
  return { name: 'etcd', version, members: members.length };
};
