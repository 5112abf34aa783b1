import type {
  KeyRange,
  KeyValue,
  KeyValueStore,
  StoreResult,
} from '../../ports/key-value-store.ts';

export interface MemoryStore extends KeyValueStore {
  /** What the next calls answer instead of what they would; one after the other. */
  readonly failures: ({ kind: 'failed' | 'unknown'; cause: string } | undefined)[];
  /** What was asked for, by name. */
  readonly calls: unknown[][];
  /** Writes as another client would. */
  put(key: string, value: string): void;
}

type Failed = { readonly kind: 'failed' | 'unknown'; readonly cause: string };

/** Keys, values and revisions as etcd has them; leases that never end. */
export const createMemoryStore = (): MemoryStore => {
  const keys = new Map<string, KeyValue>();
  const watchers = new Map<() => void, string>();
  const failures: MemoryStore['failures'] = [];
  const calls: unknown[][] = [];
  let revision = 1;
  let leases = 0;

  const range = (prefix: string): KeyRange => ({
    revision,
    entries: [...keys.values()]
      .filter(({ key }) => key.startsWith(prefix))
      .sort((a, b) => (a.key < b.key ? -1 : 1)),
  });
  const write = (key: string, value: string, leaseId?: string): void => {
    const createRevision = keys.get(key)?.createRevision ?? revision;
    keys.set(key, { key, value, createRevision, modRevision: revision, leaseId });
    for (const [onChange, prefix] of watchers) if (key.startsWith(prefix)) onChange();
  };
  const answer = <T>(call: unknown[], work: () => T): Promise<StoreResult<T>> => {
    calls.push(call);
    const failure: Failed | undefined = failures.shift();
    return Promise.resolve(failure ?? { kind: 'done', ...work() });
  };

  return {
    failures,
    calls,
    put: (key, value) => {
      revision += 1;
      write(key, value);
    },
    grantLease: (ttlSeconds) =>
      answer(['grantLease', ttlSeconds], () => {
        leases += 1;
        return { leaseId: String(leases), ttlSeconds };
      }),
    keepAlive: (leaseId) =>
      answer(['keepAlive', leaseId], () => ({ ttlSeconds: Number(leaseId) <= leases ? 30 : 0 })),
    revokeLease: (leaseId) => answer(['revokeLease', leaseId], () => ({})),
    readPrefix: (prefix) => answer(['readPrefix', prefix], () => range(prefix)),
    transact: (transaction) =>
      answer(['transact', transaction], () => {
        const { compares, writes, prefix } = transaction;
        const applied = compares.every(
          ({ key, modRevision }) => (keys.get(key)?.modRevision ?? 0) === modRevision,
        );
        if (applied && writes.length > 0) revision += 1;
        for (const one of applied ? writes : []) {
          if ('put' in one) write(one.key, one.put, one.leaseId);
          else keys.delete(one.key);
        }
        return { applied, range: range(prefix) };
      }),
    watchPrefix: (prefix, onChange) => {
      watchers.set(onChange, prefix);
      return { close: () => watchers.delete(onChange) };
    },
    close: async () => watchers.clear(),
  };
};
