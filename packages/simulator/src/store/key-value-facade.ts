import type { KeyValueCore, StoredEntry } from './key-value-core.ts';

type FacadeResult<T> =
  | ({ readonly kind: 'done' } & T)
  | { readonly kind: 'failed'; readonly cause: string };

interface FacadeRange {
  readonly revision: number;
  readonly entries: readonly StoredEntry<string>[];
}

type FacadeWrite =
  | { readonly key: string; readonly put: string; readonly leaseId?: string | undefined }
  | { readonly key: string; readonly remove: true };

/** The cause with which a write on a lease that the store does not know fails. */
export const LEASE_NOT_FOUND_CAUSE = 'lease-not-found';

/**
 * The simulated store behind the agent's own port, so that one contract suite runs on the simulated
 * and on the real store. Calls answer at once; time passes when the caller of `KeyValueCore`'s
 * clock says so, after which `expireLeases` has to be called.
 */
export class KeyValueFacade {
  readonly #core: KeyValueCore<string>;
  readonly #watches = new Map<string, Set<() => void>>();

  constructor(core: KeyValueCore<string>) {
    this.#core = core;
    core.onChange = (keys) => {
      for (const [prefix, listeners] of this.#watches)
        if (keys.some((key) => key.startsWith(prefix)))
          for (const listener of listeners) listener();
    };
  }

  grantLease(ttlSeconds: number): Promise<FacadeResult<{ leaseId: string; ttlSeconds: number }>> {
    const { id, ttlMs } = this.#core.grantLease(ttlSeconds * 1_000);
    return Promise.resolve({ kind: 'done', leaseId: id, ttlSeconds: ttlMs / 1_000 });
  }

  keepAlive(leaseId: string): Promise<FacadeResult<{ ttlSeconds: number }>> {
    const ttlMs = this.#core.keepAlive(leaseId)?.ttlMs ?? 0;
    return Promise.resolve({ kind: 'done', ttlSeconds: ttlMs / 1_000 });
  }

  revokeLease(leaseId: string): Promise<FacadeResult<Record<never, never>>> {
    this.#core.revokeLease(leaseId);
    return Promise.resolve({ kind: 'done' });
  }

  readPrefix(prefix: string): Promise<FacadeResult<FacadeRange>> {
    return Promise.resolve({ kind: 'done', ...this.#range(prefix) });
  }

  transact(transaction: {
    readonly compares: readonly { readonly key: string; readonly modRevision: number }[];
    readonly writes: readonly FacadeWrite[];
    readonly prefix: string;
  }): Promise<FacadeResult<{ applied: boolean; range: FacadeRange }>> {
    const result = this.#core.transact(transaction.compares, transaction.writes);
    if (result.kind === 'lease-not-found')
      return Promise.resolve({ kind: 'failed', cause: LEASE_NOT_FOUND_CAUSE });
    const range = this.#range(transaction.prefix);
    return Promise.resolve({ kind: 'done', applied: result.applied, range });
  }

  watchPrefix(prefix: string, onChange: () => void): { close(): void } {
    const listeners = this.#watches.get(prefix) ?? new Set();
    listeners.add(onChange);
    this.#watches.set(prefix, listeners);
    return { close: () => listeners.delete(onChange) };
  }

  close(): Promise<void> {
    this.#watches.clear();
    return Promise.resolve();
  }

  #range(prefix: string): FacadeRange {
    return { revision: this.#core.revision, entries: this.#core.range(prefix) };
  }
}
