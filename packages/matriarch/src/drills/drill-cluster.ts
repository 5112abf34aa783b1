import type { StoreSnapshot } from '@matriarch/core';
import type { ClusterConfig } from '@matriarch/protocol';
import type { ChildName } from '../local/child-records.ts';

/**
 * An end of a connection that can be cut: a member stands for its agent and its PostgreSQL,
 * `store` for the etcd of its host.
 */
export interface End {
  readonly kind: 'member' | 'store';
  readonly host: string;
}

/** One direction between two ends. `clients`: where applications and the proxy are. */
export type Link = readonly [from: End | 'clients', to: End | 'clients'];

/** What only hosts with addresses of their own have. */
export interface DrillLinks {
  /**
   * Nothing goes from the first to the second any more, silently, in this direction only, also on
   * connections that are open. All at once: a partition does not come link by link.
   */
  readonly cut: (links: readonly Link[]) => void;
  readonly mend: (links: readonly Link[]) => void;
}

/** What only hosts with a small file system for their data have. */
export interface DrillDisks {
  readonly fill: (member: string) => void;
  readonly free: (member: string) => void;
}

/** A cluster whose hosts can be harmed: that of an `up`, or one made for drills. */
export interface DrillCluster {
  /** With the addresses and ports that are in use. */
  readonly config: ClusterConfig;
  readonly secrets: ReadonlyMap<string, string>;
  readonly snapshot: () => Promise<StoreSnapshot | undefined>;
  /** An agent, an etcd or the proxy; undefined: it does not run right now. */
  readonly pidOf: (child: ChildName) => number | undefined;
  readonly dataDirectory: (member: string) => string;
  readonly journalFile: (member: string) => string;
  /** A host that is held is not started again until it is let go. */
  readonly hold: (member: string) => void;
  readonly letGo: (member: string) => void;
  readonly links?: DrillLinks | undefined;
  readonly disks?: DrillDisks | undefined;
}

/** The etcd that belongs to the host of a member. */
export const storeOf = ({ config }: DrillCluster, member: string): ChildName => ({
  kind: 'store',
  name: `etcd${config.members.findIndex(({ name }) => name === member) + 1}`,
});
