/** The cluster's documents as they lie in the store, read and changed past the program. */
import { SCOPE } from './agent-file.ts';
import type { Cluster } from './cluster.ts';
import { askEtcd, decodeText, encodeText, readKey } from './etcd-gateway.ts';
import type { Member } from './member.ts';

export const keyOf = (document: string): string => `/service/${SCOPE}/${document}`;

export const endpointOf = (cluster: Cluster): string => cluster.etcd.endpoints[0] ?? '';

export const readDocument = async <T>(
  cluster: Cluster,
  document: string,
): Promise<T | undefined> => {
  const seen = await readKey(endpointOf(cluster), keyOf(document));
  return seen === undefined ? undefined : (JSON.parse(decodeText(seen.value)) as T);
};

/** As patronictl does it: by a comparison and a write. */
export const changeConfig = async (cluster: Cluster, settings: object): Promise<void> => {
  const seen = await readKey(endpointOf(cluster), keyOf('config'));
  if (seen === undefined) throw new Error('the cluster has no configuration');
  const before = JSON.parse(decodeText(seen.value)) as object;
  const key = encodeText(keyOf('config'));
  const value = encodeText(JSON.stringify({ ...before, ...settings }));
  const { succeeded } = await askEtcd<{ succeeded?: boolean }>(endpointOf(cluster), 'kv/txn', {
    compare: [{ target: 'MOD', key, mod_revision: seen.mod_revision }],
    success: [{ request_put: { key, value } }],
  });
  if (succeeded !== true) throw new Error('somebody else has changed the configuration');
};

export interface SyncKey {
  readonly leader: string;
  readonly quorum: number;
  readonly sync_standby: string | null;
}

/** In quorum mode: all standbys are waited for, and all but one of their votes are needed. */
export const untilProtected = async (cluster: Cluster, primary: Member): Promise<void> => {
  const names = cluster.others(primary).map(({ name }) => name);
  await cluster.waitUntil('all standbys to be in the electorate', async () => {
    const sync = await readDocument<SyncKey>(cluster, 'sync');
    const isComplete = sync?.sync_standby === names.join(',') && sync.quorum === names.length - 1;
    return isComplete && sync.leader === primary.name;
  });
};
