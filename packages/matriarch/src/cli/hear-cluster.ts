import type { StoreSnapshot } from '@matriarch/core';
import type { ClusterConfig } from '@matriarch/protocol';
import {
  type Collected,
  type Witness,
  collectTestimonies,
} from '../explain/collect-testimonies.ts';
import { callApi } from '../local/member-api.ts';

/** How long a member may take to tell its story: it is half a megabyte at the most. */
const MEMBER_LIMIT_MS = 5_000;

export interface HeardCluster {
  readonly config: ClusterConfig;
  /** Undefined: the store does not answer. */
  readonly snapshot: StoreSnapshot | undefined;
  readonly proxyJournal: string | undefined;
}

/** What everybody of a cluster tells of what has happened. */
export const hearCluster = ({ config, snapshot, proxyJournal }: HeardCluster): Promise<Collected> =>
  collectTestimonies({
    witnesses: witnessesOf(config, snapshot),
    snapshot,
    get: async (url) => callApi({ method: 'GET', url, limitMs: MEMBER_LIMIT_MS }),
    proxyJournal,
  });

/** Everybody who is a member, should be one, or was one and told something. */
const witnessesOf = (
  config: ClusterConfig,
  snapshot: StoreSnapshot | undefined,
): readonly Witness[] => {
  const configured = new Map(
    config.members.map(({ name, host, restPort }): [string, string] => [
      name,
      `http://${host}:${restPort}`,
    ]),
  );
  const names: string[] = [
    ...configured.keys(),
    ...Object.keys(snapshot?.members ?? {}),
    ...(snapshot?.journal?.value.rows ?? []).map(({ member }) => member),
  ];
  return [...new Set(names)].sort().map((name) => ({
    name,
    apiUrl: snapshot?.members[name]?.value.apiUrl ?? configured.get(name),
  }));
};
