/** The store of a cluster for whoever is no member: the command line, `up`, the proxy. */
import { readFileSync } from 'node:fs';
import type { JsonObject, Revision, StoreSnapshot } from '@matriarch/core';
import type { ClusterConfig } from '@matriarch/protocol';
import { type EtcdStore, createEtcdStore } from '../adapters/etcd/etcd-store.ts';
import type { PerformerResult } from '../agent/act/performers.ts';
import { readDocuments, writeConfig } from '../agent/act/store-documents.ts';
import type { EtcdLimits, EtcdLog } from '../adapters/etcd/etcd-options.ts';
import type { StoreResult } from '../agent/ports/key-value-store.ts';

const LIMITS = { attemptLimitMs: 1_000, budgetMs: 3_000 };

export interface ConfigWrite {
  readonly document: JsonObject;
  readonly seen: Revision;
}

export interface ClusterStore {
  readonly etcd: EtcdStore;
  read(prefix: string): Promise<StoreResult<{ snapshot: StoreSnapshot }>>;
  /** Writes the cluster-wide configuration, unless it is no longer the one that was seen. */
  writeConfig(prefix: string, change: ConfigWrite): Promise<PerformerResult<'transact'>>;
  close(): Promise<void>;
}

/** Where etcd is and how it is talked to, as both kinds of configuration say it. */
export interface EtcdAccess {
  readonly endpoints: readonly string[];
  readonly username: string | undefined;
  readonly password: string | undefined;
  readonly caFile: string | undefined;
  readonly certFile: string | undefined;
  readonly keyFile: string | undefined;
}

export type OpenedEtcd = EtcdStore | { readonly kind: 'wrong'; readonly message: string };

/** Nothing is connected yet; only certificate files are read. */
export const openEtcd = (
  { endpoints, username, password, caFile, certFile, keyFile }: EtcdAccess,
  options: EtcdLimits & { readonly log?: EtcdLog },
): OpenedEtcd => {
  try {
    const tls = { ca: readPem(caFile), certificate: readPem(certFile), key: readPem(keyFile) };
    return createEtcdStore({ endpoints, username, password, tls, ...options });
  } catch (error) {
    const cause = error instanceof Error ? error.message : String(error);
    return { kind: 'wrong', message: `etcd: a certificate or key cannot be read: ${cause}` };
  }
};

const readPem = (file: string | undefined): string | undefined =>
  file === undefined ? undefined : readFileSync(file, 'utf8');

export const openClusterStore = (
  { etcd }: ClusterConfig,
  secrets: ReadonlyMap<string, string>,
): ClusterStore | { readonly kind: 'wrong'; readonly message: string } => {
  const access = etcd.kind === 'external' ? etcd : NOWHERE;
  const store = openEtcd({ ...access, password: secrets.get('etcd') }, LIMITS);
  if ('kind' in store) return store;
  return {
    etcd: store,
    read: (prefix) => readDocuments(store, prefix),
    writeConfig: (prefix, change) => writeConfig(store, prefix, change),
    close: () => store.close(),
  };
};

const NOWHERE = {
  endpoints: [],
  username: undefined,
  caFile: undefined,
  certFile: undefined,
  keyFile: undefined,
};
