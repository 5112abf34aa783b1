/** What a person is told while a cluster comes up: snapshots of a store are played one by one. */
import type { StoreSnapshot } from '@matriarch/core';
import { parseClusterConfig } from '@matriarch/protocol';
import { describe, expect, it } from 'vitest';
import { buildSnapshot, memberDocument } from '../agent/api/testing/build-state.ts';
import { awaitReady } from './await-ready.ts';

const text = 'cluster: demo\nmembers: 3\n';
const { config } = parseClusterConfig({ text, file: 'a.yaml', environment: {} });

/** Plays the snapshots, the last one for ever. */
const play = async (
  snapshots: readonly (StoreSnapshot | undefined)[],
  { stopAfter = Infinity, patienceMs = 60_000 } = {},
) => {
  if (config === undefined) throw new Error('wrong configuration');
  let looks = 0;
  const said: string[] = [];
  const answer = await awaitReady(
    {
      config,
      snapshot: async () => {
        looks += 1;
        return snapshots[Math.min(looks, snapshots.length) - 1];
      },
      storeTrouble: () => 'wrong password',
      complaintOf: (member) => `FATAL: the port of ${member} is taken`,
      isStopping: () => looks >= stopAfter,
    },
    (line) => said.push(line.replace(/^ +(?:\d+\.\d s {2})?/, '')),
    patienceMs,
  );
  return { answer, said };
};

const cloning = buildSnapshot({
  members: {
    pg2: memberDocument(2, { state: 'creating replica', replicationState: undefined }),
    pg1: memberDocument(1, { role: 'primary' }),
  },
});

describe('awaitReady', () => {
  it('tells each change once, and ends when all is well', async () => {
    const { answer, said } = await play([
      undefined,
      undefined,
      buildSnapshot({ members: {}, leader: undefined }),
      cloning,
      cloning,
      buildSnapshot(),
    ]);
    expect(answer).toBe(true);
    expect(said).toEqual([
      'waiting for etcd',
      'waiting for the members',
      'pg1 primary, pg2 creating replica, …',
      'pg1 primary, pg2 streaming, pg3 streaming',
    ]);
  });

  it('says once why PostgreSQL of a member does not start', async () => {
    const failed = buildSnapshot({
      members: { pg1: memberDocument(1, { state: 'start failed', replicationState: undefined }) },
      leader: undefined,
    });
    const { said } = await play([failed, failed, failed], { stopAfter: 3 });
    expect(said).toEqual(['pg1 start failed, …', 'pg1: FATAL: the port of pg1 is taken']);
  });

  it('says why etcd does not answer, when it has not for a while', async () => {
    const { said } = await play([undefined, undefined], { stopAfter: 2, patienceMs: 0 });
    expect(said).toEqual(['waiting for etcd: wrong password']);
  });

  it('ends without a word when the cluster is stopped meanwhile', async () => {
    const { answer, said } = await play([undefined, cloning], { stopAfter: 2 });
    expect(answer).toBe(false);
    expect(said).toEqual(['waiting for etcd']);
  });
});
