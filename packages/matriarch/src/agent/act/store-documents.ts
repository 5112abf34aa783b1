/** The cluster's documents over a store of keys and values. */
import type {
  Instant,
  JsonObject,
  LeaseId,
  Results,
  Revision,
  StoreSnapshot,
  StoreTransaction,
  StoreWrite,
} from '@matriarch/core';
import { elapsedMs } from '@matriarch/core';
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

/** `now` is the host's boot clock, on which core has written when what happened. */
export const createStorePerformers = (
  store: KeyValueStore,
  prefix: string,
  now: () => Instant,
): StorePerformers => ({
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
  transact: ({ transaction }) => transact(store, prefix, stampJournal(transaction, now())),
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

/** Writes the cluster-wide configuration, unless it is no longer the one that was seen. */
export const writeConfig = (
  store: KeyValueStore,
  prefix: string,
  { document, seen }: { readonly document: JsonObject; readonly seen: Revision },
): Promise<PerformerResult<'transact'>> =>
  transact(store, prefix, {
    compares: [{ key: 'config', modRevision: seen }],
    writes: [{ key: 'config', put: document }],
  });

/** Rows of the journal say when they were told on the boot clock; people want the wall clock. */
const stampJournal = (transaction: StoreTransaction, now: Instant): StoreTransaction => {
  const wallMs = Date.now();
  const at = (clock: Instant): string =>
    new Date(wallMs - Math.max(0, elapsedMs(clock, now))).toISOString();
  const writes = transaction.writes.map((write) =>
    'key' in write && write.key === 'journal' && 'put' in write
      ? { ...write, put: { rows: write.put.rows.map((row) => ({ at: at(row.clock), ...row })) } }
      : write,
  );
  return { ...transaction, writes };
};

/** Core knows no calendar: a row of `history` gets its time when it is written. */
const stamp = (write: StoreWrite): StoreWrite => {
  if (!('key' in write) || write.key !== 'history' || !('put' in write)) return write;
  const at = new Date().toISOString().replace('Z', '+00:00');
  return { ...write, put: write.put.map((row) => ({ ...row, at: row.at ?? at })) };
};
