import { join } from 'node:path';
import { type LocalPaths, memberPaths } from '../../local/directories.ts';
import type { NetworkEnd } from './network-plan.ts';
import type { PrivateClusterOptions } from './private-cluster.ts';

/** Names the directories of the proxy too. */
export const PRIVATE_CLUSTER = 'private';

export const memberNames = (count: number): readonly string[] =>
  Array.from({ length: count }, (_, index) => `pg${index + 1}`);

/** WAL that is only kept for later would fill a small disk by itself; slots keep what is needed. */
const PARAMETERS = {
  max_wal_size: '128MB',
  min_wal_size: '32MB',
  wal_keep_size: '16MB',
  checkpoint_timeout: '30s',
};

const SECRETS = ['superuser', 'replication', 'restapi'];

/** A cluster.yaml as for several machines, with the defaults a person gets. */
export const renderClusterFile = (
  mode: PrivateClusterOptions['mode'],
  ends: readonly NetworkEnd[],
  paths: LocalPaths,
): string => {
  const members: object[] = [];
  const endpoints: string[] = [];
  for (const { end, address } of ends) {
    if (end === 'clients') continue;
    const { host: name, kind } = end;
    if (kind === 'store') endpoints.push(`${address}:${ETCD_PORTS.client}`);
    else members.push({ name, host: address, data_dir: memberPaths(paths.state, name).data });
  }
  // JSON is YAML.
  const content = {
    cluster: PRIVATE_CLUSTER,
    members,
    etcd: { endpoints },
    postgresql: { parameters: PARAMETERS },
    replication: { mode },
    secrets: Object.fromEntries(SECRETS.map((name) => [name, { file: join(paths.secrets, name) }])),
    drills: 'allowed',
  };
  return `${JSON.stringify(content, undefined, 2)}\n`;
};

export const ETCD_PORTS = { client: 2_379, peer: 2_380 };
