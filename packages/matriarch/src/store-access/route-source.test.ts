/**
 * What the store holds, kept fresh for whoever looks on: a store in memory, and time that goes on only
 * when a test lets it.
 */
import type { StoreSnapshot } from '@matriarch/core';
import { afterEach, beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import { readDocuments } from '../agent/act/store-documents.ts';
import { createMemoryStore } from '../agent/act/testing/memory-store.ts';
import type { StoreResult } from '../agent/ports/key-value-store.ts';
import { createSnapshotSource } from './route-source.ts';

const PREFIX = '/service/demo/';
const failed = { kind: 'failed', cause: 'away' } as const;

type Read = () => Promise<StoreResult<{ snapshot: StoreSnapshot }>>;

const open = (read?: Read) => {
  const store = createMemoryStore();
  let reads = 0;
  const source = createSnapshotSource({
    store,
    prefix: PREFIX,
    read: () => {
      reads += 1;
      return read === undefined ? readDocuments(store, PREFIX) : read();
    },
  });
  onTestFinished(() => source.close());
  let changes = 0;
  const subscription = source.onChange(() => {
    changes += 1;
  });
  const leader = () => source.current()?.leader?.value;
  return { store, source, subscription, leader, reads: () => reads, changes: () => changes };
};

const pass = async (ms: number): Promise<void> => {
  await vi.advanceTimersByTimeAsync(ms);
};

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

describe('a source', () => {
  it('knows nothing before it has read', async () => {
    const { source, changes } = open();
    expect(source.current()).toBeUndefined();
    await pass(0);
    expect(source.current()).toMatchObject({ revision: 1, members: {} });
    expect(changes()).toBe(1);
  });

  it('reads at once when something changes, and tells', async () => {
    const { store, leader, changes } = open();
    await pass(0);
    store.put(`${PREFIX}leader`, 'pg1');
    await pass(0);
    expect(leader()).toBe('pg1');
    expect(changes()).toBe(2);
  });

  it('does not tell of a read that brings nothing new', async () => {
    const { changes, reads } = open();
    await pass(20_000);
    expect(reads()).toBeGreaterThan(5);
    expect(changes()).toBe(1);
  });

  it('looks every two seconds, whatever the watch says', async () => {
    const { reads } = open();
    await pass(1_999);
    expect(reads()).toBe(1);
    await pass(1);
    expect(reads()).toBe(2);
    await pass(2_000);
    expect(reads()).toBe(3);
  });

  it('reads one at a time, and misses no change that comes meanwhile', async () => {
    const answers: (() => void)[] = [];
    const shared = createMemoryStore();
    const { store, leader } = open(
      () =>
        new Promise((resolve) => {
          // What is there at the moment of the question.
          const snapshot = readDocuments(shared, PREFIX);
          answers.push(() => resolve(snapshot));
        }),
    );
    for (const name of ['pg1', 'pg2']) {
      shared.put(`${PREFIX}leader`, name);
      store.put(`${PREFIX}leader`, name);
    }
    expect(answers).toHaveLength(1);
    answers[0]?.();
    await pass(0);
    expect(leader()).toBeUndefined();
    expect(answers).toHaveLength(2);
    answers[1]?.();
    await pass(0);
    expect(leader()).toBe('pg2');
    expect(answers).toHaveLength(2);
  });

  it('tries again soon after a failure, and keeps what it has meanwhile', async () => {
    const { store, leader, reads } = open();
    store.put(`${PREFIX}leader`, 'pg1');
    await pass(0);
    const before = reads();
    store.failures.push(failed, failed);
    await pass(2_000);
    expect(reads()).toBe(before + 1);
    await pass(250);
    expect(reads()).toBe(before + 2);
    expect(leader()).toBe('pg1');
    await pass(250);
    expect(reads()).toBe(before + 3);
    await pass(1_999);
    expect(reads()).toBe(before + 3);
  });

  it('does not act on what it read too long ago', async () => {
    const { store, source } = open();
    await pass(0);
    store.failures.push(...Array.from({ length: 100 }, () => failed));
    await pass(9_999);
    expect(source.current()).toBeDefined();
    await pass(1);
    expect(source.current()).toBeUndefined();
  });

  it('counts the age from before the question', async () => {
    let answer: (() => void) | undefined;
    const store = createMemoryStore();
    const { source } = open(
      () =>
        new Promise((resolve) => {
          answer ??= () => resolve(readDocuments(store, PREFIX));
        }),
    );
    await pass(9_000);
    answer?.();
    await pass(0);
    expect(source.current()).toBeDefined();
    await pass(1_000);
    expect(source.current()).toBeUndefined();
  });
});

describe('listeners', () => {
  it('are told until they close', async () => {
    const { store, subscription, changes } = open();
    await pass(0);
    subscription.close();
    store.put(`${PREFIX}leader`, 'pg1');
    await pass(0);
    expect(changes()).toBe(1);
  });
});

describe('closing', () => {
  it('ends the looks and the watch', async () => {
    const { store, source, reads } = open();
    await pass(0);
    source.close();
    store.put(`${PREFIX}leader`, 'pg1');
    await pass(20_000);
    expect(reads()).toBe(1);
    expect(vi.getTimerCount()).toBe(0);
  });

  it('in the middle of a read tells nobody', async () => {
    const { source, changes } = open();
    source.close();
    await pass(10_000);
    expect(changes()).toBe(0);
    expect(vi.getTimerCount()).toBe(0);
  });
});
