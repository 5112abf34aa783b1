/** Documents over a store of keys and values, on one that is kept in memory. */
import {
  type LeaseId,
  type Revision,
  type StoreTransaction,
  type Timeline,
  lsn,
  memberName,
} from '@matriarch/core';
import { describe, expect, it } from 'vitest';
import { NOW, memberDocument } from '../api/testing/build-state.ts';
import { createStorePerformers, readDocuments, transact } from './store-documents.ts';
import { createMemoryStore } from './testing/memory-store.ts';

const PREFIX = '/service/demo/';

const open = () => {
  const store = createMemoryStore();
  return { store, performers: createStorePerformers(store, PREFIX, () => NOW) };
};

const failed = { kind: 'failed', cause: 'no' } as const;
const unknown = { kind: 'unknown', cause: 'late' } as const;

describe('reading', () => {
  it('brings the documents of this cluster only', async () => {
    const { store } = open();
    store.put(`${PREFIX}leader`, 'pg1');
    store.put('/service/demo2/leader', 'pg9');
    store.put(`${PREFIX}members/pg1`, '{"state":"running","role":"primary","conn_url":"a"}');
    const read = await readDocuments(store, PREFIX);
    expect(read).toMatchObject({
      kind: 'done',
      snapshot: {
        revision: 4,
        leader: { value: 'pg1', modRevision: 2 },
        members: { pg1: { value: { state: 'running', connUrl: 'a' }, modRevision: 4 } },
      },
    });
  });

  it.each([failed, unknown])('hands $kind on', async (failure) => {
    const { store, performers } = open();
    store.failures.push(failure);
    expect(await performers['read-store']({ kind: 'read-store' })).toEqual(failure);
  });
});

describe('leases', () => {
  it('are granted in whole seconds, and answered in milliseconds', async () => {
    const { store, performers } = open();
    expect(await performers['grant-lease']({ kind: 'grant-lease', ttlMs: 30_000 })).toEqual({
      kind: 'done',
      leaseId: '1',
      ttlMs: 30_000,
    });
    await performers['grant-lease']({ kind: 'grant-lease', ttlMs: 5_499 });
    expect(store.calls).toEqual([
      ['grantLease', 30],
      ['grantLease', 5],
    ]);
  });

  it('are kept alive; one that is gone has no time left', async () => {
    const { performers } = open();
    await performers['grant-lease']({ kind: 'grant-lease', ttlMs: 30_000 });
    const keep = (leaseId: string) =>
      performers['keep-alive']({ kind: 'keep-alive', leaseId: leaseId as LeaseId });
    expect(await keep('1')).toEqual({ kind: 'done', ttlMs: 30_000 });
    expect(await keep('2')).toEqual({ kind: 'done', ttlMs: 0 });
  });

  it.each([failed, unknown])('hand $kind on', async (failure) => {
    const { store, performers } = open();
    store.failures.push(failure, failure);
    const leaseId = '1' as LeaseId;
    expect(await performers['grant-lease']({ kind: 'grant-lease', ttlMs: 1_000 })).toEqual(failure);
    expect(await performers['keep-alive']({ kind: 'keep-alive', leaseId })).toEqual(failure);
  });
});

describe('a transaction', () => {
  const acquire: StoreTransaction = {
    compares: [{ key: 'leader', modRevision: 0 }],
    writes: [
      { key: 'leader', put: memberName('pg1'), leaseId: '7' as LeaseId },
      { member: memberName('pg1'), put: memberDocument(1), leaseId: '7' as LeaseId },
      { key: 'handover', remove: true },
    ],
  };

  it('is applied when its conditions hold, and brings what is there then', async () => {
    const { store, performers } = open();
    store.put(`${PREFIX}matriarch/handover`, '{}');
    const done = await performers.transact({
      kind: 'transact',
      purpose: 'acquire',
      transaction: acquire,
    });
    expect(done).toMatchObject({
      kind: 'done',
      applied: true,
      revision: 3,
      snapshot: {
        revision: 3,
        leader: { value: 'pg1', modRevision: 3, leaseId: '7' },
        members: { pg1: { value: { role: 'replica' }, leaseId: '7' } },
      },
    });
    const { entries } = await store.readPrefix(PREFIX).then((read) => {
      if (read.kind !== 'done') throw new Error(read.cause);
      return read;
    });
    expect(entries.map(({ key }) => key)).toEqual([`${PREFIX}leader`, `${PREFIX}members/pg1`]);
  });

  it('is not applied when one does not, and brings what is there instead', async () => {
    const { store, performers } = open();
    store.put(`${PREFIX}leader`, 'pg2');
    const done = await performers.transact({
      kind: 'transact',
      purpose: 'acquire',
      transaction: acquire,
    });
    expect(done).toMatchObject({
      kind: 'done',
      applied: false,
      revision: 2,
      snapshot: { leader: { value: 'pg2' }, members: {} },
    });
  });

  it('compares exactly the revision it was decided on', async () => {
    const { store } = open();
    store.put(`${PREFIX}failover`, '{}');
    const clear = (modRevision: number) =>
      transact(store, PREFIX, {
        compares: [{ key: 'failover', modRevision: modRevision as Revision }],
        writes: [{ key: 'failover', remove: true }],
      });
    expect(await clear(1)).toMatchObject({ applied: false });
    expect(await clear(2)).toMatchObject({ applied: true });
  });

  it.each([failed, unknown])('hands $kind on', async (failure) => {
    const { store } = open();
    store.failures.push(failure);
    expect(await transact(store, PREFIX, acquire)).toEqual(failure);
  });
});

describe('a row of the history', () => {
  const row = { timeline: 1 as Timeline, switchLsn: lsn(67_112_072), reason: 'no reason' };

  const write = async (history: readonly object[]) => {
    const { store } = open();
    const done = await transact(store, PREFIX, {
      compares: [],
      writes: [{ key: 'history', put: history as never }],
    });
    return done.kind === 'done' ? (done.snapshot.history?.value ?? []) : [];
  };

  it('gets its time when it is written', async () => {
    const before = Date.now();
    const [written] = await write([row]);
    expect(written).toMatchObject(row);
    // As Patroni writes it, with the zone in figures.
    expect(written?.at).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}\+00:00$/);
    expect(Date.parse(written?.at ?? '')).toBeGreaterThanOrEqual(before);
  });

  it('keeps the time it has', async () => {
    const at = '2026-11-23T08:30:00.000000+00:00';
    const written = await write([
      { ...row, at },
      { ...row, timeline: 2 },
    ]);
    expect(written[0]?.at).toBe(at);
    expect(written[1]?.at).not.toBe(at);
  });
});
