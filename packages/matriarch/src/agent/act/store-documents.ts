/** The cluster's documents over a store of keys and values. */
import type {
  LeaseId,
  Results,
  Revision,
  StoreSnapshot,
  StoreTransaction,
  StoreWrite,
} from '@matriarch/core';
import { assembleSnapshot, encodeCompare, encodeWrite } from '@matriarch/protocol';
import type { KeyRange, KeyValueStore, StoreResult } from '../ports/key-value-store.ts';
import type { PerformerResult, Performers } from './performers.ts';

export type StorePerformers = Pick<
  Performers,
  'grant-lease' | 'keep-alive' | 'read-store' | 'transact'
>;

export const readDocuments = async (
  store: KeyValueStore,
  prefix: string,
): Promise<StoreResult<{ snapshot: StoreSnapshot }>> => {
  const read = await store.readPrefix(prefix);
  return read.kind === 'done' ? { kind: 'done', snapshot: snapshotOf(read, prefix) } : read;
};

const snapshotOf = (range: KeyRange, prefix: string): StoreSnapshot =>
  assembleSnapshot({ revision: range.revision, entries: range.entries, prefix });

export const createStorePerformers = (store: KeyValueStore, prefix: string): StorePerformers => ({
  'grant-lease': async ({ ttlMs }) => {
    const granted = await store.grantLease(Math.round(ttlMs / 1_000));
    if (granted.kind !== 'done') return granted;
    return {
      kind: 'done',
      leaseId: granted.leaseId as LeaseId,
      ttlMs: granted.ttlSeconds * 1_000,
    };
  },
  'keep-alive': async ({ leaseId }) => {
    const kept = await store.keepAlive(leaseId);
    return kept.kind === 'done' ? { kind: 'done', ttlMs: kept.ttlSeconds * 1_000 } : kept;
  },
  'read-store': () => readDocuments(store, prefix),
  transact: ({ transaction }) => transact(store, prefix, transaction),
});

export const transact = async (
  store: KeyValueStore,
  prefix: string,
  { compares, writes }: StoreTransaction,
): Promise<PerformerResult<'transact'>> => {
  const answer = await store.transact({
    compares: compares.map((compare) => encodeCompare(compare, prefix)),
    writes: writes.map((write) => encodeWrite(stamp(write), prefix)),
    prefix,
  });
  if (answer.kind !== 'done') return answer;
  const done: Results['transact'] = {
    applied: answer.applied,
    revision: answer.range.revision as Revision,
    snapshot: snapshotOf(answer.range, prefix),
  };
  return { kind: 'done', ...done };
};

/** Core knows no calendar: a row of `history` gets its time when it is written. */
const stamp = (write: StoreWrite): StoreWrite => {
  if (!('key' in write) || write.key !== 'history' || !('put' in write)) return write;
  const at = new Date().toISOString().replace('Z', '+00:00');
  return { ...write, put: write.put.map((row) => ({ ...row, at: row.at ?? at })) };
};
