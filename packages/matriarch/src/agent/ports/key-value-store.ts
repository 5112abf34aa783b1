/**
 * The store as keys and values: what etcd offers and what the simulated store offers in the same
 * way. Documents (core's `StoreSnapshot`) are laid over it by `agent/act/store-documents.ts`.
 *
 * Every call ends within its time limit. A call that had no effect is `failed`; one that may or may
 * not have had its effect is `unknown`. A look afterwards does not settle it: the write can lie in
 * a frozen member and land when that thaws. Only conditions that no longer hold make it harmless.
 */
export interface KeyValue {
  readonly key: string;
  readonly value: string;
  readonly createRevision: number;
  readonly modRevision: number;
  /** Decimal; undefined when the key has no lease. */
  readonly leaseId: string | undefined;
}

export type StoreResult<T> =
  | ({ readonly kind: 'done' } & T)
  | { readonly kind: 'failed'; readonly cause: string }
  | { readonly kind: 'unknown'; readonly cause: string };

export type KeyWrite =
  | { readonly key: string; readonly put: string; readonly leaseId?: string | undefined }
  | { readonly key: string; readonly remove: true };

/** `modRevision` 0: the key must be absent. */
export interface KeyCompare {
  readonly key: string;
  readonly modRevision: number;
}

export interface KeyRange {
  readonly revision: number;
  readonly entries: readonly KeyValue[];
}

export interface KeyValueStore {
  /** `ttlSeconds` in the answer is what the store granted; it may be more than asked for. */
  grantLease(ttlSeconds: number): Promise<StoreResult<{ leaseId: string; ttlSeconds: number }>>;
  /** `ttlSeconds` 0: the store no longer knows the lease. */
  keepAlive(leaseId: string): Promise<StoreResult<{ ttlSeconds: number }>>;
  revokeLease(leaseId: string): Promise<StoreResult<Record<never, never>>>;
  /** A linearizable read of every key that begins with `prefix`. */
  readPrefix(prefix: string): Promise<StoreResult<KeyRange>>;
  /** All writes if all conditions hold, else none. Both answers bring the keys under `prefix`. */
  transact(transaction: {
    readonly compares: readonly KeyCompare[];
    readonly writes: readonly KeyWrite[];
    readonly prefix: string;
  }): Promise<StoreResult<{ applied: boolean; range: KeyRange }>>;
  /**
   * Calls `onChange` after something under `prefix` may have changed, also when the watch itself
   * was interrupted. It only wakes: what has changed is for a read to tell.
   */
  watchPrefix(prefix: string, onChange: () => void): { close(): void };
  close(): Promise<void>;
}
