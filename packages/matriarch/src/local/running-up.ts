import type { StoreSnapshot } from '@matriarch/core';
import type { ClusterConfig } from '@matriarch/protocol';
import type { LocalPaths } from './directories.ts';
import type { LocalCluster } from './local-cluster.ts';
import type { LocalPlan } from './plan.ts';

export interface StoreFacts {
  readonly name: 'etcd';
  readonly version: string;
  readonly members: number;
}

/** A cluster of this machine that this process runs. */
export interface RunningUp {
  readonly config: ClusterConfig;
  readonly paths: LocalPaths;
  readonly plan: LocalPlan;
  readonly secrets: ReadonlyMap<string, string>;
  readonly cluster: LocalCluster;
  readonly snapshot: () => Promise<StoreSnapshot | undefined>;
  /** Why the last look at the store failed; undefined: it did not. */
  readonly storeTrouble: () => string | undefined;
  /** What PostgreSQL of a member said last of why it could not go on. */
  readonly complaintOf: (member: string) => string | undefined;
  readonly isStopping: () => boolean;
  /** The store's own word on its version and members, for reports. */
  readonly describeStore: () => Promise<StoreFacts>;
  readonly stop: () => Promise<void>;
}
