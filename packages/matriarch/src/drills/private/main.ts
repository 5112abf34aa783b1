/** A private cluster, put together: the only file of this folder that knows the adapters. */
import { chmodSync, existsSync, rmdirSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { StoreSnapshot } from '@matriarch/core';
import { type ClusterConfig, clusterPrefix } from '@matriarch/protocol';
import type { ChildKind } from '../../local/child-records.ts';
import {
  type LocalPaths,
  localPaths,
  memberPaths,
  stateDirectoryOf,
} from '../../local/directories.ts';
import {
  etcdCommands,
  findEquipment,
  findMissing,
  findOnMachine,
} from '../../local/equipment/main.ts';
import { LocalCluster } from '../../local/local-cluster.ts';
import { makeDirectory } from '../../local/make-directory.ts';
import { readClusterFile } from '../../local/open-cluster.ts';
import { type Account, fetchSecrets, makeSecrets } from '../../local/secrets.ts';
import { type ClusterStore, openClusterStore } from '../../store-access/main.ts';
import { drillClusterOf } from '../up-cluster.ts';
import { ETCD_PORTS, PRIVATE_CLUSTER, memberNames, renderClusterFile } from './cluster-file.ts';
import { PrivateNetwork } from './network.ts';
import { type NetworkEnd, planEnds } from './network-plan.ts';
import type { PrivateCluster, PrivateClusterOptions, PrivateStart } from './private-cluster.ts';
import { findRefusal, followOutside, isOnPrivateHost, runOnPrivateHost } from './private-host.ts';
import { fillDisk, freeDisk, mountDisk } from './small-disk.ts';
import { TOOLS, type Tools, runTool } from './tools.ts';

const MIB = 1_048_576;

/** For data, WAL, a copy that replaces the data, and the files of the agent. */
const DISK_BYTES = 512 * MIB;

/**
 * Where files lie on a machine of one's own; inside all of them are in memory. A PostgreSQL that is
 * killed leaves its shared memory as files.
 */
const STATE = '/var/lib/matriarch';
const SOCKETS = '/run/matriarch';
const SHARED_MEMORY = '/dev/shm';

/** Whether a file that is written there inside is gone at the end. */
export const isInMemoryInside = (path: string): boolean =>
  [STATE, SOCKETS, SHARED_MEMORY].some((directory) =>
    `${resolve(path)}/`.startsWith(`${directory}/`),
  );

const findTool = (name: keyof typeof TOOLS): string => findOnMachine(name) ?? name;

const findTools = (): Tools => ({
  ip: findTool('ip'),
  mount: findTool('mount'),
  nsenter: findTool('nsenter'),
  setpriv: findTool('setpriv'),
  unshare: findTool('unshare'),
});

/** What stands against a private cluster on this machine; nothing is changed. */
export const findObstacles = (): readonly string[] => {
  if (process.geteuid?.() !== 0)
    return ['a private cluster has hosts with addresses of their own, which takes root: use sudo'];
  const missing = findMissing(TOOLS);
  if (missing.length > 0) return missing;
  const refusal = findRefusal(findTools());
  return refusal === undefined ? [] : [refusal];
};

/** Runs Node.js with these arguments where `startPrivateCluster` works; answers its status. */
export const enterPrivateHost = async (args: readonly string[]): Promise<number> => {
  // To have something to mount upon. Every `up` of root makes them too, and leaves them.
  const made = [STATE, SOCKETS].filter((path) => !existsSync(path));
  for (const path of made) makeDirectory(path);
  try {
    return await runOnPrivateHost(findTools(), args);
  } finally {
    for (const path of made) removeEmpty(path);
  }
};

const removeEmpty = (path: string): void => {
  try {
    rmdirSync(path);
  } catch {
    // Somebody else has begun to use it.
  }
};

/**
 * Starts a cluster of several hosts; it is not whole yet. Works inside alone (`enterPrivateHost`),
 * and once: what it has made goes with the process.
 */
export const startPrivateCluster = async (
  options: PrivateClusterOptions,
): Promise<PrivateStart> => {
  if (!isOnPrivateHost()) throw new Error('this process is on a network that others use');
  followOutside();
  const tools = findTools();
  const paths = localPaths(stateDirectoryOf(PRIVATE_CLUSTER, process.cwd()));
  const names = memberNames(options.members);
  const ends = planEnds(names);
  const file = join(paths.state, 'cluster.yaml');
  try {
    for (const path of [STATE, SOCKETS, SHARED_MEMORY])
      runTool([tools.mount, '-t', 'tmpfs', '-o', 'mode=755', 'tmpfs', path]);
    chmodSync(SHARED_MEMORY, 0o1777);
    makeDirectory(paths.state);
    writeFileSync(file, renderClusterFile(options.mode, ends, paths));
    const read = readClusterFile(file);
    if (read.kind === 'wrong') return { kind: 'refused', messages: [read.message] };
    const { config } = read;
    const dataDirectory = memberPaths(paths.state, names[0] ?? '').data;
    const equipment = await findEquipment(config, { runsEtcd: true, dataDirectory });
    if (equipment.kind === 'missing') return { kind: 'refused', messages: equipment.messages };
    const { owner } = equipment;
    const network = new PrivateNetwork({ tools, directory: join(SOCKETS, 'net') }, ends);
    network.make();
    makeSecrets(config, paths.secrets);
    return begin({ ...options, config, paths, file, owner, tools, ends, network });
  } catch (error) {
    const cause = error instanceof Error ? error.message : String(error);
    return { kind: 'refused', messages: [`a private cluster cannot be made here: ${cause}`] };
  }
};

interface Beginning extends PrivateClusterOptions {
  readonly config: ClusterConfig;
  readonly paths: LocalPaths;
  readonly file: string;
  readonly owner: Account | undefined;
  readonly tools: Tools;
  readonly ends: readonly NetworkEnd[];
  readonly network: PrivateNetwork;
}

const begin = (parts: Beginning): PrivateStart => {
  const { config, paths, owner, tools, network, print } = parts;
  const secrets = fetchSecrets(config);
  if (secrets.kind === 'missing') return { kind: 'refused', messages: secrets.messages };
  const store = openClusterStore(config, secrets.values);
  if ('kind' in store) return { kind: 'refused', messages: [store.message] };
  let stopping = false;
  for (const { name } of config.members) {
    const path = memberPaths(paths.state, name).directory;
    makeDirectory(path);
    mountDisk(tools, { path, owner }, DISK_BYTES);
  }
  const local = new LocalCluster({
    ...parts,
    secrets: secrets.values,
    etcd: etcdOf(parts),
    enterHost: (kind, host) => enterHost(parts, kind, host),
    onEnd: (name, status, signal) => {
      if (!stopping) print(`${name} ended (${signal ?? `status ${status}`})`);
    },
  });
  local.prepare();
  local.startStore();
  local.startMembers();
  local.startProxy();
  const { snapshot, trouble } = watchStore(store, config);
  const disk = (member: string): string => memberPaths(paths.state, member).directory;
  const cluster: PrivateCluster = {
    ...drillClusterOf({ config, paths, secrets: secrets.values, snapshot }),
    links: network,
    disks: {
      fill: (member) => fillDisk(tools, disk(member)),
      free: (member) => freeDisk(tools, disk(member), DISK_BYTES),
    },
    paths,
    storeTrouble: trouble,
    isStopping: () => stopping,
    stop: async () => {
      stopping = true;
      await local.stop((await snapshot())?.leader?.value);
      await store.close();
    },
  };
  return { kind: 'started', cluster };
};

const watchStore = (store: ClusterStore, { namespace, cluster }: ClusterConfig) => {
  const prefix = clusterPrefix(namespace, cluster);
  let trouble: string | undefined;
  const snapshot = async (): Promise<StoreSnapshot | undefined> => {
    const read = await store.read(prefix);
    trouble = read.kind === 'done' ? undefined : read.cause;
    return read.kind === 'done' ? read.snapshot : undefined;
  };
  return { snapshot, trouble: () => trouble };
};

const etcdOf = ({ ends, paths, config }: Beginning): readonly (readonly string[])[] => {
  const urls = ends.flatMap(({ end, address }) =>
    end === 'clients' || end.kind !== 'store'
      ? []
      : [
          {
            client: `http://${address}:${ETCD_PORTS.client}`,
            peer: `http://${address}:${ETCD_PORTS.peer}`,
          },
        ],
  );
  return etcdCommands(urls, { state: paths.state, token: config.cluster });
};

/** The proxy is where the clients are: here. */
const enterHost = (
  { ends, network }: Beginning,
  kind: ChildKind,
  host: string | undefined,
): readonly string[] => {
  const found = ends.find(({ end }) => end !== 'clients' && end.kind === kind && end.host === host);
  return found === undefined ? [] : network.enter(found.name);
};
