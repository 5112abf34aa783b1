/** The store's semantics, as etcd's: revisions, conditions, leases by the store's own time. */
import { beforeEach, describe, expect, it } from 'vitest';
import { KeyValueCore } from './key-value-core.ts';

let now = 0;
let store: KeyValueCore<string>;

beforeEach(() => {
  now = 0;
  store = new KeyValueCore(() => now);
});

const put = (key: string, value: string, leaseId?: string): void => {
  store.transact([], [{ key, put: value, leaseId }]);
};

describe('transactions', () => {
  it('gives all keys of one transaction the same revision, and counts it once', () => {
    const before = store.revision;
    store.transact(
      [],
      [
        { key: 'a', put: '1' },
        { key: 'b', put: '2' },
      ],
    );
    expect(store.revision).toBe(before + 1);
    expect(store.get('a')?.modRevision).toBe(store.revision);
    expect(store.get('b')?.modRevision).toBe(store.revision);
  });

  it('keeps the creation revision over changes and renews it after a deletion', () => {
    put('a', '1');
    const created = store.revision;
    put('a', '2');
    expect(store.get('a')?.createRevision).toBe(created);
    store.transact([], [{ key: 'a', remove: true }]);
    put('a', '3');
    expect(store.get('a')?.createRevision).toBe(store.revision);
  });

  it('does all or nothing', () => {
    put('a', '1');
    const seen = store.revision;
    const absent = store.transact([{ key: 'a', modRevision: 0 }], [{ key: 'b', put: 'x' }]);
    expect(absent).toEqual({ kind: 'done', applied: false, revision: seen });
    expect(store.get('b')).toBeUndefined();
    const unchanged = store.transact([{ key: 'a', modRevision: seen }], [{ key: 'b', put: 'x' }]);
    expect(unchanged).toMatchObject({ applied: true });
    expect(store.get('b')?.value).toBe('x');
  });

  it('changes no revision when there is nothing to delete', () => {
    const before = store.revision;
    store.transact([], [{ key: 'nothing', remove: true }]);
    expect(store.revision).toBe(before);
  });
});

describe('leases', () => {
  it('take their keys with them, all at once, when their time is over', () => {
    const { id } = store.grantLease(5_000);
    put('a', '1', id);
    put('b', '1', id);
    const changes: (readonly string[])[] = [];
    store.onChange = (keys) => changes.push(keys);
    now = 4_999;
    store.expireLeases();
    expect(store.get('a')).toBeDefined();
    now = 5_000;
    store.expireLeases();
    expect(store.get('a')).toBeUndefined();
    expect(changes).toEqual([['a', 'b']]);
    expect(store.keepAlive(id)).toBeUndefined();
  });

  it('live on when renewed, and keep their promise on record after their end', () => {
    const { id } = store.grantLease(5_000);
    now = 3_000;
    expect(store.keepAlive(id)?.ttlMs).toBe(5_000);
    expect(store.nextExpiry()).toBe(8_000);
    now = 8_000;
    store.expireLeases();
    expect(store.lease(id)).toBeUndefined();
    expect(store.everyLease(id)?.promisedUntil).toBe(8_000);
  });

  it('let go of a key that is written without them', () => {
    const { id } = store.grantLease(1_000);
    put('a', '1', id);
    put('a', '2');
    now = 1_000;
    store.expireLeases();
    expect(store.get('a')?.value).toBe('2');
  });

  it('refuse a write on a lease that is not known, with everything else in it', () => {
    const result = store.transact(
      [],
      [
        { key: 'a', put: '1' },
        { key: 'b', put: '1', leaseId: '42' },
      ],
    );
    expect(result).toEqual({ kind: 'lease-not-found' });
    expect(store.get('a')).toBeUndefined();
  });
});
