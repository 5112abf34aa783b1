/** What verbs that look at a running cluster share. */
import type { StoreSnapshot } from '@matriarch/core';
import { type ClusterConfig, clusterPrefix } from '@matriarch/protocol';
import { type ClusterStore, type ConfigWrite, openClusterStore } from '../store-access/main.ts';
import type { LocalPaths } from '../local/directories.ts';
import { openCluster } from '../local/open-cluster.ts';
import { fetchSecrets } from '../local/secrets.ts';
import { findRunningUp } from '../local/up-lock.ts';
import { complain } from './output/say.ts';

export interface ClusterAccess {
  readonly config: ClusterConfig;
  readonly paths: LocalPaths | undefined;
  readonly snapshot: StoreSnapshot;
  readonly secrets: ReadonlyMap<string, string>;
  readonly readAgain: () => Promise<StoreSnapshot | undefined>;
  readonly writeConfig: (change: ConfigWrite) => ReturnType<ClusterStore['writeConfig']>;
}

const isEmpty = ({ initialize, leader, members }: StoreSnapshot): boolean =>
  initialize === undefined && leader === undefined && Object.keys(members).length === 0;

/** Opens the cluster, does the work, closes it again; answers the exit status. */
export const withCluster = async (
  file: string | undefined,
  work: (access: ClusterAccess) => Promise<number>,
): Promise<number> => {
  const opened = openCluster(file);
  if (opened.kind === 'wrong') {
    complain(opened.message);
    return 2;
  }
  const { config, paths } = opened;
  const fetched = fetchSecrets(config);
  const secrets = fetched.kind === 'fetched' ? fetched.values : new Map<string, string>();
  const store = openClusterStore(config, secrets);
  if ('kind' in store) {
    complain(store.message);
    return 2;
  }
  try {
    const prefix = clusterPrefix(config.namespace, config.cluster);
    const read = await store.read(prefix);
    if (read.kind !== 'done') {
      const where = config.etcd.kind === 'external' ? config.etcd.endpoints.join(', ') : 'etcd';
      complain(`the store does not answer (${where}): ${read.cause}; is the cluster up?`);
      return 1;
    }
    if (paths !== undefined && isEmpty(read.snapshot) && findRunningUp(paths.lock) === undefined) {
      complain(
        `cluster ${config.cluster} is not up, and the etcd that answers knows nothing of it`,
      );
      return 1;
    }
    const readAgain = async (): Promise<StoreSnapshot | undefined> => {
      const again = await store.read(prefix);
      return again.kind === 'done' ? again.snapshot : undefined;
    };
    const writeConfig = (change: ConfigWrite) => store.writeConfig(prefix, change);
    return await work({ config, paths, snapshot: read.snapshot, secrets, readAgain, writeConfig });
  } finally {
    await store.close();
  }
};
