/** Which members are asked, and where. */
import { type LeaseTerm, memberName } from '@matriarch/core';
import { describe, expect, it } from 'vitest';
import { buildSnapshot, buildState, memberDocument } from '../api/testing/build-state.ts';
import type { PeerAddress, PromiseQuestion } from '../ports/peers.ts';
import { createPeerPerformers } from './peer-performers.ts';

const open = (state = buildState()) => {
  const asked: { peers: readonly PeerAddress[]; limitMs: number }[] = [];
  const promises: { peers: readonly PeerAddress[]; question: PromiseQuestion }[] = [];
  let current = state;
  const performers = createPeerPerformers(
    {
      ask: (peers, limitMs) => {
        asked.push({ peers, limitMs });
        return Promise.resolve({ pg2: { kind: 'no-answer', cause: 'late' } });
      },
      askPromises: (peers, question) => {
        promises.push({ peers, question });
        return Promise.resolve({ pg2: { kind: 'promised' } });
      },
      close: () => undefined,
    },
    { write: () => Promise.resolve({ kind: 'done' }), read: () => Promise.resolve(undefined) },
    () => current,
  );
  const ask = (names: readonly string[]) =>
    performers['ask-peers']({
      kind: 'ask-peers',
      members: names.map(memberName),
      limitMs: 50,
    });
  const askHeld = (names: readonly string[]) =>
    performers['ask-held']({ kind: 'ask-held', members: names.map(memberName), limitMs: 900 });
  const askPromises = (names: readonly string[]) =>
    performers['ask-promises']({
      kind: 'ask-promises',
      members: names.map(memberName),
      term: 40 as LeaseTerm,
      ttlMs: 30_000,
      limitMs: 500,
    });
  return {
    asked,
    promises,
    ask,
    askHeld,
    askPromises,
    become: (next: typeof state) => {
      current = next;
    },
  };
};

describe('asking peers', () => {
  it('goes to where their keys say, with the limit of the action', async () => {
    const { asked, ask } = open();
    expect(await ask(['pg2', 'pg3'])).toEqual({
      kind: 'done',
      answers: { pg2: { kind: 'no-answer', cause: 'late' } },
    });
    expect(asked).toEqual([
      {
        peers: [
          { name: 'pg2', apiUrl: 'http://127.0.0.1:58002/patroni' },
          { name: 'pg3', apiUrl: 'http://127.0.0.1:58003/patroni' },
        ],
        limitMs: 50,
      },
    ]);
  });

  it('is the same question when it is only for what they hold', async () => {
    const { asked, askHeld } = open();
    expect(await askHeld(['pg3'])).toMatchObject({ kind: 'done', answers: { pg2: {} } });
    expect(asked).toMatchObject([{ peers: [{ name: 'pg3' }], limitMs: 900 }]);
  });

  it('leaves out members without a key', async () => {
    const { asked, ask } = open();
    await ask(['pg2', 'pg9']);
    expect(asked[0]?.peers.map(({ name }) => name)).toEqual(['pg2']);
  });

  it('goes by the state of the moment', async () => {
    const bench = open();
    const moved = memberDocument(2, { apiUrl: 'http://10.0.0.9:8008/patroni' });
    const snapshot = { value: buildSnapshot({ members: { pg2: moved } }), at: 0 as never };
    bench.become({ ...buildState(), snapshot });
    await bench.ask(['pg2']);
    expect(bench.asked[0]?.peers).toEqual([
      { name: 'pg2', apiUrl: 'http://10.0.0.9:8008/patroni' },
    ]);
  });

  it('asks nobody before anything is known of the cluster', async () => {
    const { asked, ask } = open({ ...buildState(), snapshot: undefined });
    await ask(['pg2']);
    expect(asked[0]?.peers).toEqual([]);
  });
});

describe('asking for promises', () => {
  it('says what Patroni wants to know, and our own terms', async () => {
    const { promises, askPromises } = open();
    await askPromises(['pg2']);
    const [asked] = promises;
    expect(asked?.question.limitMs).toBe(500);
    expect(JSON.parse(asked?.question.body ?? '')).toEqual({
      name: 'pg1',
      conn_url: expect.any(String),
      api_url: expect.any(String),
      matriarch: { term: 40, ttl_ms: 30_000 },
    });
  });

  it('finds whoever has no key any more where failsafe says', async () => {
    const value = { pg9: 'http://127.0.0.1:58009/patroni', odd: 7 };
    const failsafe = { value, createRevision: 5 as never, modRevision: 5 as never };
    const snapshot = { value: { ...buildSnapshot(), failsafe }, at: 0 as never };
    const { promises, askPromises } = open({ ...buildState(), snapshot });
    expect(await askPromises(['pg2', 'pg9', 'odd', 'nobody'])).toMatchObject({
      given: {
        pg2: { kind: 'promised' },
        odd: { kind: 'no-answer', cause: 'nobody knows where its API is' },
        nobody: { kind: 'no-answer' },
      },
    });
    expect(promises[0]?.peers.map(({ name }) => name)).toEqual(['pg2', 'pg9']);
  });
});
