/** A key with its value; the shape of etcd's KeyValue. */
export interface StoredEntry<V> {
  readonly key: string;
  readonly value: V;
  readonly createRevision: number;
  readonly modRevision: number;
  readonly leaseId: string | undefined;
}

export interface StoredLease {
  readonly id: string;
  readonly ttlMs: number;
  /** When the store will forget it. */
  expiresAt: number;
  /** Until when the store has promised to keep it; it may keep it longer, never shorter. */
  promisedUntil: number;
  readonly keys: Set<string>;
}

/** `modRevision` 0: the key must be absent. */
export interface EntryCompare {
  readonly key: string;
  readonly modRevision: number;
}

export type EntryWrite<V> =
  | { readonly key: string; readonly put: V; readonly leaseId?: string | undefined }
  | { readonly key: string; readonly remove: true };

export type TransactionResult =
  | { readonly kind: 'done'; readonly applied: boolean; readonly revision: number }
  | { readonly kind: 'lease-not-found' };

/**
 * One linearizable store of opaque values: revisions, leases by its own time, transactions. It is
 * what etcd is to us, without the network and without faults; each call happens at one instant.
 */
export class KeyValueCore<V> {
  readonly #entries = new Map<string, StoredEntry<V>>();
  readonly #leases = new Map<string, StoredLease>();
  readonly #ended = new Map<string, StoredLease>();
  readonly #now: () => number;
  #revision = 1;
  #nextLease = 7_587_000_000_000_000_000n;
  /** Called after each change with the keys that changed. */
  onChange: (keys: readonly string[]) => void = () => undefined;

  constructor(now: () => number) {
    this.#now = now;
  }

  get revision(): number {
    return this.#revision;
  }

  get(key: string): StoredEntry<V> | undefined {
    return this.#entries.get(key);
  }

  entries(): Iterable<StoredEntry<V>> {
    return this.#entries.values();
  }

  range(prefix: string): StoredEntry<V>[] {
    const found: StoredEntry<V>[] = [];
    for (const entry of this.#entries.values()) if (entry.key.startsWith(prefix)) found.push(entry);
    return found.sort((a, b) => (a.key < b.key ? -1 : 1));
  }

  lease(id: string): StoredLease | undefined {
    return this.#leases.get(id);
  }

  /** Also one that the store has forgotten: what it had promised, checkers want to know. */
  everyLease(id: string): StoredLease | undefined {
    return this.#leases.get(id) ?? this.#ended.get(id);
  }

  leases(): Iterable<StoredLease> {
    return this.#leases.values();
  }

  grantLease(ttlMs: number): StoredLease {
    const id = String(this.#nextLease);
    this.#nextLease += 17n;
    const until = this.#now() + ttlMs;
    const lease = { id, ttlMs, expiresAt: until, promisedUntil: until, keys: new Set<string>() };
    this.#leases.set(id, lease);
    return lease;
  }

  /** The lease, renewed; undefined when the store does not know it. */
  keepAlive(id: string): StoredLease | undefined {
    const lease = this.#leases.get(id);
    if (lease === undefined) return undefined;
    const until = this.#now() + lease.ttlMs;
    lease.promisedUntil = until;
    lease.expiresAt = Math.max(lease.expiresAt, until);
    return lease;
  }

  /** Forgets a lease and deletes what hangs on it; false when the store does not know it. */
  revokeLease(id: string): boolean {
    const lease = this.#leases.get(id);
    if (lease === undefined) return false;
    this.#leases.delete(id);
    this.#ended.set(id, lease);
    const keys = [...lease.keys];
    if (keys.length > 0) this.#revision += 1;
    for (const key of keys) this.#entries.delete(key);
    if (keys.length > 0) this.onChange(keys);
    return true;
  }

  /** Forgets the leases whose time is over. */
  expireLeases(): void {
    const now = this.#now();
    for (const lease of this.#leases.values())
      if (lease.expiresAt <= now) this.revokeLease(lease.id);
  }

  /** When the next lease ends if nobody renews it. */
  nextExpiry(): number | undefined {
    let next: number | undefined;
    for (const { expiresAt } of this.#leases.values())
      if (next === undefined || expiresAt < next) next = expiresAt;
    return next;
  }

  transact(compares: readonly EntryCompare[], writes: readonly EntryWrite<V>[]): TransactionResult {
    const holds = compares.every(
      ({ key, modRevision }) => (this.#entries.get(key)?.modRevision ?? 0) === modRevision,
    );
    if (!holds) return { kind: 'done', applied: false, revision: this.#revision };
    const leaseIsUnknown = writes.some(
      (write) => 'put' in write && write.leaseId !== undefined && !this.#leases.has(write.leaseId),
    );
    if (leaseIsUnknown) return { kind: 'lease-not-found' };
    const effective = writes.filter((write) => 'put' in write || this.#entries.has(write.key));
    if (effective.length > 0) this.#revision += 1;
    for (const write of effective) this.#write(write);
    const revision = this.#revision;
    if (effective.length > 0) this.onChange(effective.map(({ key }) => key));
    return { kind: 'done', applied: true, revision };
  }

  #write(write: EntryWrite<V>): void {
    const { key } = write;
    const before = this.#entries.get(key);
    if (before?.leaseId !== undefined) this.#leases.get(before.leaseId)?.keys.delete(key);
    if (!('put' in write)) {
      this.#entries.delete(key);
      return;
    }
    this.#entries.set(key, {
      key,
      value: write.put,
      createRevision: before?.createRevision ?? this.#revision,
      modRevision: this.#revision,
      leaseId: write.leaseId,
    });
    if (write.leaseId !== undefined) this.#leases.get(write.leaseId)?.keys.add(key);
  }
}
