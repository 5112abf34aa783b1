import type { MemberName, MemberTags, WaitingPolicy } from '@matriarch/core';
import type { EffectiveTiming } from '../config/timing.ts';

/** Where a password is kept. cluster.yaml itself never holds one. */
export type SecretSource =
  | { readonly kind: 'file'; readonly path: string }
  | { readonly kind: 'environment'; readonly variable: string }
  /** Made up by `up`, and kept in its state directory. */
  | { readonly kind: 'generated' };

export interface ClusterMemberConfig {
  readonly name: MemberName;
  /** The address others reach this member under. */
  readonly host: string;
  /** The address it listens on. */
  readonly listen: string;
  /** In a local cluster a wish: the next free port is taken if somebody has it. */
  readonly postgresqlPort: number;
  readonly restPort: number;
  /** Undefined in a local cluster: below the state directory of `up`. */
  readonly dataDirectory: string | undefined;
  readonly tags: MemberTags;
}

export type ClusterEtcd =
  /** Started by `up`, so many of them. */
  | { readonly kind: 'local'; readonly members: number }
  | {
      readonly kind: 'external';
      /** `http://host:port` or `https://host:port`, all alike. */
      readonly endpoints: readonly string[];
      readonly username: string | undefined;
      readonly caFile: string | undefined;
      readonly certFile: string | undefined;
      readonly keyFile: string | undefined;
    };

export interface ClusterHaproxy {
  readonly bind: string;
  readonly writePort: number;
  readonly readPort: number;
  readonly statsPort: number;
  readonly idleTimeoutMs: number;
  readonly maxConnections: number;
}

export interface ClusterPgbouncer {
  readonly bind: string;
  readonly port: number;
  /** Each is offered as `<name>_write` and `<name>_read`. */
  readonly databases: readonly string[];
  readonly poolMode: 'transaction' | 'session' | 'statement';
  readonly maxClientConnections: number;
  readonly defaultPoolSize: number;
  readonly minPoolSize: number;
  readonly reservePoolSize: number;
}

export interface ClusterSecrets {
  readonly superuser: SecretSource;
  readonly replication: SecretSource;
  /** Undefined: pg_rewind connects as the superuser. */
  readonly rewind: SecretSource | undefined;
  /** Password of the user `matriarch` of the REST API; undefined: it asks for none. */
  readonly restapi: SecretSource | undefined;
  readonly etcd: SecretSource | undefined;
  /** Users of the applications, as PgBouncer lets them in. */
  readonly applications: Readonly<Record<string, SecretSource>>;
}

/** A cluster.yaml with every default filled in: the one file a user writes. */
export interface ClusterConfig {
  readonly cluster: string;
  /** Without slashes at its ends. */
  readonly namespace: string;
  /** Every member runs on this machine; `up` chooses ports and directories. */
  readonly isLocal: boolean;
  readonly members: readonly ClusterMemberConfig[];
  readonly etcd: ClusterEtcd;
  readonly postgresql: {
    readonly binDirectory: string | undefined;
    /** The user PostgreSQL runs as when the agent is root. */
    readonly user: string | undefined;
    /** For every member; goes into the cluster-wide configuration. */
    readonly parameters: Readonly<Record<string, string>>;
    /** Lines for applications; those of the members are added. Undefined: see `renderHba`. */
    readonly pgHba: readonly string[] | undefined;
  };
  readonly timing: EffectiveTiming & {
    readonly maximumLagOnFailoverBytes: bigint;
    /** What happens when the primary's PostgreSQL crashes while its host lives. */
    readonly onCrash: 'hand_over' | 'restart';
    /** An outage of the store is bridged by promises of the members (rule S9). */
    readonly failsafe: boolean;
  };
  readonly replication: {
    /** `hybrid`: commits are local, and those who ask for it wait for a standby. */
    readonly mode: 'asynchronous' | 'synchronous' | 'quorum' | 'hybrid';
    /** Standbys that must have a commit before it is acknowledged. */
    readonly standbys: number;
    /** Commits wait also while there is no standby. */
    readonly strict: boolean;
    /** Whose commits wait in hybrid mode, besides the transactions that ask for it. */
    readonly wait: WaitingPolicy;
  };
  readonly haproxy: ClusterHaproxy;
  /** Undefined: `pgbouncer: off`. */
  readonly pgbouncer: ClusterPgbouncer | undefined;
  readonly secrets: ClusterSecrets;
  /** Whether `matriarch drill` may harm this cluster. */
  readonly drills: { readonly allowed: boolean };
}

/** Names of the roles that cluster.yaml leaves to us. */
export const clusterRoles = {
  superuser: 'postgres',
  replication: 'replicator',
  rewind: 'rewinder',
  restapi: 'matriarch',
} as const;
