/**
 * `/failsafe` over real HTTP: what the store names, and promises, which the loop gives or refuses.
 * The test plays the loop.
 */
import {
  FAILSAFE_IS_OFF,
  type OperationAnswer,
  RUNNING_AS_LEADER,
  withAnswer,
} from '@matriarch/core';
import { describe, expect, it } from 'vitest';
import { NOW, buildSnapshot, buildState, replicaState } from './testing/build-state.ts';
import { exchange } from './testing/exchange.ts';
import { startApi } from './testing/start-api.ts';

const BODY = {
  name: 'pg1',
  conn_url: 'postgres://127.0.0.1:5432/postgres',
  api_url: 'http://127.0.0.1:8008/patroni',
  slots: { pg2: 117_440_512 },
};

const EVENT_LIMIT_MS = 10_000;

/** Posts a request, and answers it as the loop would. */
const ask = async (body: object, answer: Omit<OperationAnswer, 'id'>) => {
  const { address, source } = await startApi(replicaState());
  const replying = exchange(address, '/failsafe', { method: 'POST', body: JSON.stringify(body) });
  const startedMs = performance.now();
  while (source.counts.watching === 0) {
    if (performance.now() - startedMs > EVENT_LIMIT_MS) throw new Error('nothing was asked');
    await new Promise((resolve) => {
      setImmediate(resolve);
    });
  }
  const [request] = source.asked;
  const { current } = source;
  const operating = withAnswer(current.operating, { id: request?.id ?? '', ...answer });
  source.become({ ...current, operating });
  return { request, reply: await replying };
};

describe('POST /failsafe', () => {
  it('is accepted once the promise is kept, with the WAL position', async () => {
    const { request, reply } = await ask(
      { ...BODY, matriarch: { term: 40, ttl_ms: 20_000 } },
      { kind: 'done', because: 'Accepted' },
    );
    expect(request).toMatchObject({ kind: 'promise', from: 'pg1', term: 40, ttlMs: 20_000 });
    expect([reply.status, reply.body]).toEqual([200, 'Accepted']);
    expect(reply.headers['lsn']).toMatch(/^\d+$/);
  });

  it('of a primary of Patroni says neither term nor ttl', async () => {
    const { request } = await ask(BODY, { kind: 'done', because: 'Accepted' });
    expect(request).toMatchObject({ from: 'pg1', term: undefined, ttlMs: undefined });
  });

  it.each([
    [500, RUNNING_AS_LEADER, 'refused'],
    [502, FAILSAFE_IS_OFF, 'refused'],
    [503, 'it has voted for a successor', 'refused'],
    [503, 'cannot write down a promise: ENOSPC', 'failed'],
  ] as const)('is answered with %i where the loop says "%s"', async (status, because, kind) => {
    const { reply } = await ask(BODY, { kind, because });
    expect(reply.status).toBe(status);
    expect(reply.body).toContain(because);
  });

  it.each([
    {},
    { ...BODY, name: '' },
    { ...BODY, matriarch: { term: 0, ttl_ms: 20_000 } },
    { ...BODY, matriarch: { term: 40, ttl_ms: 10 ** 9 } },
  ])('refuses %j, and asks nothing', async (body) => {
    const { address, source } = await startApi(replicaState());
    const text = JSON.stringify(body);
    const reply = await exchange(address, '/failsafe', { method: 'POST', body: text });
    expect(reply.status).toBe(400);
    expect(source.asked).toEqual([]);
  });
});

describe('GET /failsafe', () => {
  it('shows who could be elected', async () => {
    const value = { pg1: 'http://127.0.0.1:58001/patroni', pg2: 'http://127.0.0.1:58002/patroni' };
    const failsafe = { value, createRevision: 5 as never, modRevision: 5 as never };
    const snapshot = { value: { ...buildSnapshot(), failsafe }, at: NOW };
    const { address } = await startApi({ ...buildState(), snapshot });
    const reply = await exchange(address, '/failsafe');
    expect(reply.status).toBe(200);
    expect(JSON.parse(reply.body)).toEqual(value);
  });
});

describe('a member that has promised', () => {
  const promised = (until: number) => {
    const state = replicaState();
    const promise = { to: 'pg1', term: 40, ttlMs: 30_000, until } as never;
    return { ...state, failsafe: { ...state.failsafe, promise } };
  };

  it('says so to people, programs and members, as long as it is bound', async () => {
    const { address, source } = await startApi(promised(NOW + 1_000));
    const status = await exchange(address, '/patroni');
    expect(JSON.parse(status.body)).toMatchObject({
      failsafe_mode_is_active: true,
      matriarch: { promised_to: 'pg1' },
    });
    expect((await exchange(address, '/metrics')).body).toMatch(
      /patroni_failsafe_mode_is_active\{[^}]*\} 1/,
    );
    source.become(promised(NOW));
    expect((await exchange(address, '/patroni')).body).not.toContain('failsafe_mode_is_active');
  });
});
