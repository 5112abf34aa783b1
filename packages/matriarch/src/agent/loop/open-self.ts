import type { Life, Self } from '@matriarch/core';
import type { AgentConfig, Endpoint } from '@matriarch/protocol';

export const formatEndpoint = ({ host, port }: Endpoint): string =>
  host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;

/** Where this member's API is asked for its status, as its key in the store says. */
export const apiUrlOf = ({ restapi }: AgentConfig): string => {
  const scheme = restapi.tls === undefined ? 'http' : 'https';
  return `${scheme}://${formatEndpoint(restapi.connectAddress)}/patroni`;
};

export const assembleSelf = (config: AgentConfig, life: Life): Self => {
  const address = formatEndpoint(config.postgresql.connectAddress);
  return {
    name: config.name,
    address,
    connUrl: `postgres://${address}/${config.postgresql.database}`,
    apiUrl: apiUrlOf(config),
    tags: config.tags,
    life,
    bootstrapConfig: config.bootstrap?.dcs,
    // With `etcd:` the cluster may live in API v2, where we cannot see it: see `docs`.
    mayTakeOverData: config.etcd.section === 'etcd3',
  };
};
