import type { JsonObject } from '@matriarch/core';

/** What the answers depend on in the dynamic configuration, in Patroni's meaning. */
export interface ClusterSettings {
  readonly paused: boolean;
  readonly synchronousMode: 'off' | 'priority' | 'quorum';
  readonly standbyCluster: boolean;
}

const isOn = (value: unknown): boolean =>
  value === true || (typeof value === 'string' && /^(on|true|yes|1)$/i.test(value));

const STANDBY_CLUSTER_SOURCES = ['host', 'port', 'restore_command'] as const;

export const readClusterSettings = (config: JsonObject | undefined): ClusterSettings => {
  const mode = config?.['synchronous_mode'];
  const source = config?.['standby_cluster'];
  const isQuorum = typeof mode === 'string' && mode.toLowerCase() === 'quorum';
  return {
    paused: isOn(config?.['pause']),
    synchronousMode: isQuorum ? 'quorum' : isOn(mode) ? 'priority' : 'off',
    standbyCluster:
      isObject(source) && STANDBY_CLUSTER_SOURCES.some((name) => Boolean(source[name])),
  };
};

const isObject = (value: unknown): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
