/** `matriarch up`, put together: the only file of this folder that knows the adapters. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { StoreSnapshot } from '@matriarch/core';
import { type ClusterConfig, clusterPrefix, clusterRoles } from '@matriarch/protocol';
import { type EtcdStore, createEtcdStore } from '../adapters/etcd/etcd-store.ts';
import { readDocuments, writeConfig } from '../agent/act/store-documents.ts';
import { formatMemberTable } from '../cli/output/member-table.ts';
import { type OpenedEtcd, openEtcd } from '../store-access/main.ts';
import {
  type AppliedConfig,
  type ConfigStore,
  appliedOf,
  carryChanges,
  readApplied,
  writeApplied,
} from './applied-config.ts';
import { type LocalPaths, memberPaths } from './directories.ts';
import { endLeftovers } from './end-leftovers.ts';
import { etcdCommands, findEquipment } from './equipment/main.ts';
import { findFixedSettings } from './fixed-settings.ts';
import { readLastComplaint } from './last-complaint.ts';
import { LocalCluster } from './local-cluster.ts';
import { makeDirectory } from './make-directory.ts';
import { findPaths, readClusterFile } from './open-cluster.ts';
import type { RunningUp, StoreFacts } from './running-up.ts';
import { type LocalPlan, applyPlan, choosePlan, readPlan } from './plan.ts';
import { type Account, fetchSecrets, makeSecrets } from './secrets.ts';
import { formatShellWord } from './shell-word.ts';
import { findRunningUp, releaseLock, takeLock } from './up-lock.ts';
import type { UpRecord } from './up-record.ts';

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

const alreadyUp = (cluster: string, { pid }: UpRecord): UpStart =>
  refused(3, `cluster ${cluster} is already up (process ${pid}): \`matriarch list\` shows it`);

/** Everything is looked at before anything is started. */
export const startUp = async ({ file, print, printError }: UpOptions): Promise<UpStart> => {
  const read = readClusterFile(file);
  if (read.kind === 'wrong') return refused(2, read.message);
  for (const warning of read.warnings) printError(warning);
  const { cluster, isLocal } = read.config;
  if (!isLocal)
    return refused(2, `${file}: its members are on several hosts; \`up\` is for one machine`);
  const paths = findPaths(cluster, read.file);
  const running = findRunningUp(paths.lock);
  if (running !== undefined) return alreadyUp(cluster, running);
  const fixed = findFixedSettings(
    { config: read.config, file: read.file, paths },
    { plan: readPlan(paths), applied: readApplied(paths.applied) },
  );
  for (const warning of fixed.warnings) printError(warning);
  if (fixed.refused.length > 0) return refused(3, ...fixed.refused);
  const [first] = read.config.members;
  const equipment = await findEquipment(read.config, {
    runsEtcd: read.config.etcd.kind === 'local',
    dataDirectory: first?.dataDirectory ?? memberPaths(paths.state, first?.name ?? '').data,
  });
  if (equipment.kind === 'missing') return refused(2, ...equipment.messages);
  try {
    makeDirectory(paths.state);
    const other = takeLock(paths.lock, read.file);
    if (other !== undefined) return alreadyUp(cluster, other);
  } catch (error) {
    return refused(2, `${paths.state}: the cluster cannot be kept there (${String(error)})`);
  }
  const { config, file: path } = read;
  const { owner } = equipment;
  const started = await startLocked({ config, file: path, paths, owner, print, printError });
  if (started.kind === 'refused') releaseLock(paths.lock);
  return started;
};

interface Beginning {
  readonly config: ClusterConfig;
  readonly paths: LocalPaths;
  readonly file: string;
  readonly owner: Account | undefined;
  readonly print: (line: string) => void;
  readonly printError: (line: string) => void;
}

/** From here on nobody else starts this cluster. */
const startLocked = async (parts: Beginning): Promise<UpStart> => {
  const { paths, print } = parts;
  const { ended, remaining } = await endLeftovers(paths);
  if (ended.length > 0)
    print(`an earlier \`up\` was killed and had left ${ended.join(', ')}: ended`);
  if (remaining.length > 0)
    return refused(1, `processes ${remaining.join(', ')} of an earlier \`up\` cannot be ended`);
  const planned = await choosePlan(parts.config, readPlan(paths));
  if (planned.kind === 'taken') return refused(1, planned.message);
  const { plan } = planned;
  const config = applyPlan(parts.config, plan, paths);
  try {
    writeFileSync(paths.plan, JSON.stringify(plan, undefined, 2), { mode: 0o644 });
    makeSecrets(config, paths.secrets);
    const secrets = fetchSecrets(config);
    if (secrets.kind === 'missing') return refused(2, ...secrets.messages);
    const now = appliedOf(parts.config, parts.file);
    const applied = readApplied(paths.applied);
    // A bootstrap that is still to come takes what the file says now.
    if (applied === undefined) writeApplied(paths, now);
    return await begin({ ...parts, config, plan, now, applied }, secrets.values);
  } catch (error) {
    return refused(2, `${paths.state}: the cluster cannot be kept there (${String(error)})`);
  }
};

type Planned = Beginning & {
  readonly plan: LocalPlan;
  /** What cluster.yaml says, and what it said when it was last carried into the cluster. */
  readonly now: AppliedConfig;
  readonly applied: AppliedConfig | undefined;
};

const begin = async (parts: Planned, secrets: ReadonlyMap<string, string>): Promise<UpStart> => {
  const { config, paths, plan, print } = parts;
  let stopping = false;
  const store = openStore(config, secrets);
  if ('kind' in store) return refused(2, store.message);
  const cluster = new LocalCluster({
    ...parts,
    secrets,
    etcd: etcdCommands(
      plan.etcd.map((ports) => ({
        client: `http://127.0.0.1:${ports.client}`,
        peer: `http://127.0.0.1:${ports.peer}`,
      })),
      { state: paths.state, token: config.cluster },
    ),
    onEnd: (name, status, signal) => {
      if (!stopping)
        print(`${name} ended (${signal ?? `status ${status}`}); see ${join(paths.logs, name)}.log`);
    },
  });
  cluster.prepare();
  const prefix = clusterPrefix(config.namespace, config.cluster);
  let trouble: string | undefined;
  const snapshot = async (): Promise<StoreSnapshot | undefined> => {
    const answer = await readDocuments(store, prefix);
    trouble = answer.kind === 'done' ? undefined : answer.cause;
    return answer.kind === 'done' ? answer.snapshot : undefined;
  };
  cluster.startStore();
  // Before the members: they start with it.
  await carryChanges(parts, configStore(store, prefix));
  cluster.startMembers();
  cluster.startProxy();
  const up: RunningUp = {
    config,
    paths,
    plan,
    secrets,
    cluster,
    snapshot,
    storeTrouble: () => trouble,
    complaintOf: (member) => readLastComplaint(join(paths.logs, `${member}.log`)),
    isStopping: () => stopping,
    describeStore: () => describeStore(store),
    stop: async () => {
      stopping = true;
      const primary = (await snapshot())?.leader?.value;
      await cluster.stop(primary);
      await store.close();
      releaseLock(paths.lock);
    },
  };
  return { kind: 'running', up };
};

const openStore = (config: ClusterConfig, secrets: ReadonlyMap<string, string>): OpenedEtcd => {
  const { etcd } = config;
  if (etcd.kind === 'local') return createEtcdStore({ endpoints: [], ...STORE_LIMITS });
  return openEtcd({ ...etcd, password: secrets.get('etcd') }, STORE_LIMITS);
};

const configStore = (store: EtcdStore, prefix: string): ConfigStore => ({
  read: async () => {
    const read = await readDocuments(store, prefix);
    return read.kind === 'done' ? { config: read.snapshot.config } : undefined;
  },
  replace: async ({ modRevision: seen }, document) => {
    const answer = await writeConfig(store, prefix, { document, seen });
    return answer.kind === 'done' && answer.applied;
  },
});

/** What a person needs next: who is what, and how to get in. */
export const describeUp = async ({ config, paths, snapshot }: RunningUp): Promise<string> => {
  const documents = await snapshot();
  const table = documents === undefined ? '' : formatMemberTable(config.cluster, documents);
  const psql = (port: number): string =>
    `PGPASSFILE=${formatShellWord(paths.passFile)} psql ` +
    `"host=127.0.0.1 port=${port} user=${clusterRoles.superuser} dbname=postgres"`;
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
