import type { ClusterConfig } from '@matriarch/protocol';
import type { LocalPaths } from '../../local/directories.ts';
import type { DrillCluster, DrillDisks, DrillLinks } from '../drill-cluster.ts';

/** A cluster of several hosts, each with addresses and a small disk of its own, in this process. */
export interface PrivateCluster extends DrillCluster {
  readonly links: DrillLinks;
  readonly disks: DrillDisks;
  /** In memory: gone when this process ends. */
  readonly paths: LocalPaths;
  /** Why the last look at the store failed; undefined: it did not. */
  readonly storeTrouble: () => string | undefined;
  readonly isStopping: () => boolean;
  /** Ends every process, the primary last. Network and files go with this process. */
  readonly stop: () => Promise<void>;
}

export interface PrivateClusterOptions {
  readonly mode: ClusterConfig['replication']['mode'];
  readonly members: number;
  readonly print: (line: string) => void;
}

export type PrivateStart =
  | { readonly kind: 'started'; readonly cluster: PrivateCluster }
  /** Sentences that say what is needed; nothing runs. */
  | { readonly kind: 'refused'; readonly messages: readonly string[] };
