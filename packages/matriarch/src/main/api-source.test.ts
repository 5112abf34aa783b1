/** What the API gets to know and may ask for, on a loop that stands still and a store in memory. */
import { type Instant, type Revision, memberName } from '@matriarch/core';
import { describe, expect, it } from 'vitest';
import { createMemoryStore } from '../agent/act/testing/memory-store.ts';
import { buildState, primaryState } from '../agent/api/testing/build-state.ts';
import { createAgentCounters } from '../agent/metrics/agent-counters.ts';
import { createApiSource } from './api-source.ts';

const PREFIX = '/service/demo/';

const open = () => {
  const store = createMemoryStore();
  let state = { ...buildState(), now: 77 as Instant };
  const called: string[] = [];
  const counters = createAgentCounters();
  const source = createApiSource({
    scope: 'demo',
    loop: { state: () => state, feed: () => undefined, stop: () => undefined },
    store,
    prefix: PREFIX,
    counters,
    reload: () => called.push('reload'),
    now: () => 99 as Instant,
    probe: (limitMs) => {
      called.push(`probe ${limitMs}`);
      return Promise.resolve({ kind: 'starting' });
    },
    isMember: () => false,
    readOfferedWal: async () => ({ kind: 'failed', cause: 'nothing is offered' }),
  });
  return {
    store,
    source,
    called,
    counters,
    become: (next: typeof state) => {
      state = next;
      source.notify(next);
    },
  };
};

describe('what the API knows', () => {
  it('is what the loop knew after its last step, and when that was', () => {
    const { source } = open();
    expect(source.state().now).toBe(77);
    expect([source.loopLastRan(), source.now(), source.scope]).toEqual([77, 99, 'demo']);
    expect(Math.abs(source.wallClockMs() - Date.now())).toBeLessThan(1_000);
    expect(source.counters().steps).toBe(0);
  });

  it('are the documents of the store, read anew', async () => {
    const { store, source } = open();
    store.put(`${PREFIX}leader`, 'pg3');
    expect(await source.readDocuments()).toMatchObject({
      kind: 'done',
      snapshot: { leader: { value: 'pg3' } },
    });
    store.failures.push({ kind: 'unknown', cause: 'late' });
    expect(await source.readDocuments()).toEqual({ kind: 'unknown', cause: 'late' });
  });

  it('is a state that was waited for', async () => {
    const { source, become } = open();
    const seen = source.watchState(({ self }) => self.name === 'pg2', {
      limitMs: 10_000,
      signal: new AbortController().signal,
    });
    become(primaryState());
    const next = primaryState({}, { name: 'pg2' });
    become(next);
    expect(await seen).toBe(next);
  });
});

describe('what the API may ask for', () => {
  it('is a look at the server, and reading the file again', async () => {
    const { source, called } = open();
    expect(await source.probe(500)).toEqual({ kind: 'starting' });
    source.reload();
    expect(called).toEqual(['probe 500', 'reload']);
  });

  it('is a switchover, filed where the key is absent', async () => {
    const { store, source } = open();
    const document = { leader: memberName('pg1'), member: memberName('pg2') };
    expect(await source.fileFailover(document, 0)).toEqual({ kind: 'filed', revision: 2 });
    expect(await source.readDocuments()).toMatchObject({
      snapshot: { failover: { value: document, modRevision: 2 } },
    });
    expect(await source.fileFailover(document, 0)).toEqual({ kind: 'changed' });
    store.failures.push({ kind: 'unknown', cause: 'late' });
    expect(await source.fileFailover(document, 2 as Revision)).toEqual({
      kind: 'unknown',
      cause: 'late',
    });
    expect(await source.fileFailover({}, 2 as Revision)).toEqual({ kind: 'filed', revision: 3 });
  });
});
