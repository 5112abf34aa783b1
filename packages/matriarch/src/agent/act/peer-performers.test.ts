/** Which members are asked, and where. */
import { memberName } from '@matriarch/core';
import { describe, expect, it } from 'vitest';
import { buildSnapshot, buildState, memberDocument } from '../api/testing/build-state.ts';
import type { PeerAddress } from '../ports/peers.ts';
import { createPeerPerformers } from './peer-performers.ts';

const open = (state = buildState()) => {
  const asked: { peers: readonly PeerAddress[]; limitMs: number }[] = [];
  let current = state;
  const performers = createPeerPerformers(
    {
      ask: (peers, limitMs) => {
        asked.push({ peers, limitMs });
        return Promise.resolve({ pg2: { kind: 'no-answer', cause: 'late' } });
      },
      close: () => undefined,
    },
    () => current,
  );
  const ask = (names: readonly string[]) =>
    performers['ask-peers']({
      kind: 'ask-peers',
      members: names.map(memberName),
      limitMs: 50,
    });
  return {
    asked,
    ask,
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
