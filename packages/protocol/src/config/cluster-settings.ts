import {
  type Json,
  type JsonObject,
  type SyncDocument,
  type WaitingPolicy,
  isPauseOn,
  meansYes,
} from '@matriarch/core';
import { isObject } from '../json/read-json.ts';

/** What the answers depend on in the dynamic configuration, in Patroni's meaning. */
export interface ClusterSettings {
  readonly paused: boolean;
  readonly synchronousMode: 'off' | 'priority' | 'quorum';
  readonly standbyCluster: boolean;
  /** Whose commits are to wait where those of others do not. */
  readonly waiting: WaitingPolicy;
}

const namesIn = (value: Json | undefined): readonly string[] =>
  Array.isArray(value) ? [...new Set((value as readonly Json[]).map(String))] : [];

const STANDBY_CLUSTER_SOURCES = ['host', 'port', 'restore_command'] as const;

export const readClusterSettings = (config: JsonObject | undefined): ClusterSettings => {
  const mode = config?.['synchronous_mode'];
  const source = config?.['standby_cluster'];
  const isQuorum = typeof mode === 'string' && mode.toLowerCase() === 'quorum';
  return {
    paused: isPauseOn(config),
    synchronousMode: isQuorum ? 'quorum' : meansYes(mode) ? 'priority' : 'off',
    standbyCluster:
      isObject(source) && STANDBY_CLUSTER_SOURCES.some((name) => Boolean(source[name])),
    waiting: {
      roles: namesIn(config?.['synchronous_roles']),
      databases: namesIn(config?.['synchronous_databases']),
    },
  };
};

/** What a standby is to commits that wait: one of those that are waited for, or not. */
export type Synchrony = 'none' | 'sync' | 'quorum';

/** As Patroni says it: by the mode of the configuration, and the names in the store. */
export const synchronyOf = (
  name: string,
  sync: SyncDocument | undefined,
  { synchronousMode }: ClusterSettings,
): Synchrony => {
  const isNamed = sync?.voters.some((voter) => voter === name) === true;
  if (!isNamed || synchronousMode === 'off') return 'none';
  return synchronousMode === 'quorum' ? 'quorum' : 'sync';
};
