/** The store of a cluster for whoever is no member: the command line, `up`, the proxy. */
import { readFileSync } from 'node:fs';
import type { StoreSnapshot } from '@matriarch/core';
import type { ClusterConfig } from '@matriarch/protocol';
import { type EtcdStore, createEtcdStore } from '../adapters/etcd/etcd-store.ts';
import { readDocuments } from '../agent/act/store-documents.ts';
import type { StoreResult } from '../agent/ports/key-value-store.ts';

const LIMITS = { attemptLimitMs: 1_000, budgetMs: 3_000 };

export interface ClusterStore {
  readonly etcd: EtcdStore;
  read(prefix: string): Promise<StoreResult<{ snapshot: StoreSnapshot }>>;
  close(): Promise<void>;
}

const readPem = (file: string | undefined): string | undefined =>
  file === undefined ? undefined : readFileSync(file, 'utf8');

/** Throws when a certificate file cannot be read. */
export const openClusterStore = (
  { etcd }: ClusterConfig,
  secrets: ReadonlyMap<string, string>,
): ClusterStore => {
  const external = etcd.kind === 'external' ? etcd : undefined;
  const store = createEtcdStore({
    endpoints: external?.endpoints ?? [],
    username: external?.username,
    password: secrets.get('etcd'),
    tls: {
      ca: readPem(external?.caFile),
      certificate: readPem(external?.certFile),
      key: readPem(external?.keyFile),
    },
    ...LIMITS,
  });
  return {
    etcd: store,
    read: (prefix) => readDocuments(store, prefix),
    close: () => store.close(),
  };
};
