/**
 * `/switchover` and `/failover` over real HTTP: a request is filed in the store and the answer comes
 * when the lease has moved. The test plays the store's `failover` key (compare-and-swap) and the loop.
 */
import type { FailoverDocument, MemberName, Revision, StoreSnapshot } from '@matriarch/core';
import { describe, expect, it } from 'vitest';
import {
  SCHEDULE,
  type SnapshotChanges,
  buildSnapshot,
  primaryState,
  replicaState,
} from './testing/build-state.ts';
import { type Exchanged, exchange } from './testing/exchange.ts';
import { type StartedApi, startApi } from './testing/start-api.ts';
import { switchoverWaitMs } from './switchover.ts';

/** How long the test waits for the API to do its part. */
const EVENT_LIMIT_MS = 10_000;

const post = ({ address }: StartedApi, path: string, body: object | string): Promise<Exchanged> =>
  exchange(address, path, {
    method: 'POST',
    body: typeof body === 'string' ? body : JSON.stringify(body),
  });

const until = async (isSo: () => boolean, what: string): Promise<void> => {
  const startedMs = performance.now();
  while (!isSo()) {
    if (performance.now() - startedMs > EVENT_LIMIT_MS) throw new Error(`never came: ${what}`);
    await new Promise((resolve) => {
      setImmediate(resolve);
    });
  }
};

const present = ({ source }: StartedApi): StoreSnapshot => {
  const { snapshot } = source.current;
  if (snapshot === undefined) throw new Error('there is no snapshot');
  return snapshot.value;
};

/** The store's next revision, as the loop of this member sees it. */
const happen = (started: StartedApi, changes: SnapshotChanges): void =>
  started.source.see(buildSnapshot({ revision: present(started).revision + 1, ...changes }));

const waiting = (started: StartedApi): Promise<void> =>
  until(() => started.source.counts.watching > 0, 'a request that waits');

describe('a switchover', () => {
  it('is filed, and answered when the candidate holds the lease', async () => {
    const started = await startApi(primaryState());
    const answer = post(started, '/switchover', { leader: 'pg1', candidate: 'pg2' });
    await waiting(started);
    expect(started.source.filed).toEqual([{ leader: 'pg1', member: 'pg2' }]);
    happen(started, { leader: undefined, failover: started.source.filed[0] });
    expect(started.source.counts.watching).toBe(1);
    happen(started, { leader: 'pg2', failover: {} });
    expect(await answer).toMatchObject({
      status: 200,
      body: 'Successfully switched over to "pg2"',
    });
    expect(started.source.counts.watching).toBe(0);
  });

  it('is taken by every member, not only by the holder', async () => {
    const started = await startApi(replicaState());
    const answer = post(started, '/switchover', { leader: 'pg1' });
    await waiting(started);
    expect(started.source.filed).toEqual([{ leader: 'pg1', member: undefined }]);
    happen(started, { leader: 'pg3', failover: {} });
    expect((await answer).body).toBe('Successfully switched over to "pg3"');
  });

  it('tells when somebody else got the lease', async () => {
    const started = await startApi(primaryState());
    const answer = post(started, '/switchover', { leader: 'pg1', candidate: 'pg2' });
    await waiting(started);
    happen(started, { leader: 'pg3', failover: {} });
    expect(await answer).toMatchObject({
      status: 200,
      body: 'Switched over to "pg3" instead of "pg2"',
    });
  });

  it('has failed when the holder takes the request back', async () => {
    const started = await startApi(primaryState());
    const answer = post(started, '/switchover', { leader: 'pg1', candidate: 'pg2' });
    await waiting(started);
    happen(started, { failover: {} });
    expect(await answer).toMatchObject({ status: 503, body: 'Switchover failed' });
  });

  it('is not taken for failed because a snapshot is older than the request', async () => {
    const started = await startApi(primaryState());
    const { source } = started;
    // The store has the request; this member's loop has not read it yet.
    source.filing = () => Promise.resolve({ kind: 'filed', revision: 60 as Revision });
    const answer = post(started, '/switchover', { leader: 'pg1', candidate: 'pg2' });
    await waiting(started);
    source.see(buildSnapshot({ revision: 59, failover: {} }));
    expect(source.counts.watching).toBe(1);
    source.see(buildSnapshot({ revision: 61, failover: {}, leader: 'pg2' }));
    expect((await answer).status).toBe(200);
  });

  it('ends without a verdict after its limit', async () => {
    expect(switchoverWaitMs(2_000)).toBe(20_000);
    expect(switchoverWaitMs(30_000)).toBe(60_000);
    const started = await startApi(primaryState());
    started.source.watchState = (_satisfies, { limitMs }) => {
      expect(limitMs).toBe(20_000);
      return Promise.resolve(undefined);
    };
    expect(await post(started, '/switchover', { leader: 'pg1' })).toMatchObject({
      status: 503,
      body: 'Switchover status unknown after 20 seconds; operation may still be in progress',
    });
  });

  it('stops waiting when the client goes away; the request stays', async () => {
    const started = await startApi(primaryState());
    const leaving = new AbortController();
    const answer = exchange(started.address, '/switchover', {
      method: 'POST',
      body: '{"leader": "pg1"}',
      signal: leaving.signal,
    });
    await waiting(started);
    leaving.abort();
    await expect(answer).rejects.toThrow();
    await until(() => started.source.counts.watching === 0, 'the end of waiting');
    expect(present(started).failover?.value).toEqual({ leader: 'pg1', member: undefined });
  });

  it('stops waiting when the API stops', async () => {
    const started = await startApi(primaryState());
    const answer = post(started, '/switchover', { leader: 'pg1' });
    await waiting(started);
    await started.api.stop();
    expect((await answer).status).toBe(503);
    expect(started.source.counts.watching).toBe(0);
  });

  it('waits together with only so many others', async () => {
    const started = await startApi(primaryState(), { limits: { waiting: 1 } });
    const first = post(started, '/switchover', { leader: 'pg1' });
    await waiting(started);
    const second = await post(started, '/switchover', { leader: 'pg1' });
    expect(second.status).toBe(503);
    expect(JSON.parse(second.body)).toMatchObject({ code: 'change-in-progress' });
    happen(started, { leader: 'pg2', failover: {} });
    expect((await first).status).toBe(200);
  });
});

describe('a failover', () => {
  it('names no leader in the request, and uses its own words', async () => {
    const started = await startApi(replicaState({}, { leader: undefined }));
    const answer = post(started, '/failover', { candidate: 'pg2' });
    await waiting(started);
    expect(started.source.filed).toEqual([{ leader: undefined, member: 'pg2' }]);
    happen(started, { leader: 'pg2', failover: {} });
    expect(await answer).toMatchObject({
      status: 200,
      body: 'Successfully failed over to "pg2"',
    });
  });

  it('that is refused by the loop has failed', async () => {
    const started = await startApi(primaryState());
    const answer = post(started, '/failover', { candidate: 'pg2' });
    await waiting(started);
    happen(started, { failover: {} });
    expect(await answer).toMatchObject({ status: 503, body: 'Failover failed' });
  });
});

describe('a request is not filed', () => {
  it('when it cannot be right', async () => {
    const started = await startApi(primaryState());
    const got = await post(started, '/switchover', { leader: 'pg2' });
    expect([got.status, got.body]).toEqual([412, 'leader name does not match']);
    expect(started.source.filed).toEqual([]);
  });

  it('on what this member’s loop believes: the store is asked', async () => {
    const started = await startApi(primaryState());
    const snapshot = buildSnapshot({ leader: 'pg3' });
    started.source.documents = () => Promise.resolve({ kind: 'done', snapshot });
    const got = await post(started, '/switchover', { leader: 'pg1' });
    expect([got.status, got.body]).toEqual([412, 'leader name does not match']);
  });

  it('when the store cannot be read', async () => {
    const started = await startApi(primaryState());
    started.source.documents = () => Promise.resolve({ kind: 'unknown', cause: 'timed out' });
    const got = await post(started, '/switchover', { leader: 'pg1' });
    expect(got.status).toBe(503);
    expect(JSON.parse(got.body)).toMatchObject({ code: 'store-unreachable' });
  });

  it.each([
    [{ kind: 'failed', cause: 'x' }, 503, /^failed to write failover key into DCS$/],
    [
      { kind: 'unknown', cause: 'x' },
      503,
      /^Switchover status unknown .*may still be in progress$/,
    ],
    [{ kind: 'changed' }, 409, /somebody else/],
  ] as const)('or it is not known whether it was: %j', async (filing, status, text) => {
    const started = await startApi(primaryState());
    started.source.filing = () => Promise.resolve(filing);
    const got = await post(started, '/switchover', { leader: 'pg1' });
    expect(got.status).toBe(status);
    expect(got.body).toMatch(text);
    expect(started.source.counts.watching).toBe(0);
  });

  it('over another one that came between reading and writing', async () => {
    const started = await startApi(primaryState());
    const old = present(started);
    const other: FailoverDocument = { leader: 'pg1' as MemberName, member: 'pg3' as MemberName };
    started.source.documents = () => Promise.resolve({ kind: 'done', snapshot: old });
    happen(started, { failover: other });
    expect((await post(started, '/switchover', { leader: 'pg1' })).status).toBe(409);
    expect(present(started).failover?.value).toEqual(other);
  });

  it.each([
    ['', 'the body is empty'],
    ['nonsense', 'the body is not JSON'],
    ['[]', 'the body is not valid'],
    ['{"leader": 7}', 'leader'],
    ['{"leader": "pg1", "candidate": {}}', 'candidate'],
  ])('when the body is %j', async (body, text) => {
    const started = await startApi(primaryState());
    const got = await post(started, '/switchover', body);
    expect(got.status).toBe(400);
    const problem = JSON.parse(got.body) as { code: string; message: string };
    expect(problem.code).toBe('request-invalid');
    expect(problem.message).toContain(text);
    expect(started.source.counts.reads).toBe(0);
  });
});

describe('a scheduled switchover', () => {
  const scheduled: SnapshotChanges = {
    failover: { leader: 'pg1' as MemberName, scheduledAt: SCHEDULE },
  };
  const asked = { leader: 'pg1', candidate: 'pg2', scheduled_at: '2030-01-01 01:00+01' };

  it('is filed with its time, and answered at once', async () => {
    const started = await startApi(primaryState());
    expect(await post(started, '/switchover', asked)).toMatchObject({
      status: 202,
      body: 'Switchover scheduled',
    });
    expect(started.source.filed).toEqual([
      {
        leader: 'pg1',
        member: 'pg2',
        scheduledAt: { text: '2030-01-01T01:00:00+01:00', at: SCHEDULE.at },
      },
    ]);
    expect(started.source.counts.watching).toBe(0);
  });

  it('is told when it could not be filed', async () => {
    const started = await startApi(primaryState());
    started.source.filing = () => Promise.resolve({ kind: 'failed', cause: 'x' });
    expect(await post(started, '/switchover', asked)).toMatchObject({
      status: 503,
      body: 'failed to write failover key into DCS',
    });
  });

  const cancel = ({ address }: StartedApi): Promise<Exchanged> =>
    exchange(address, '/switchover', { method: 'DELETE' });

  it('is taken back', async () => {
    const started = await startApi(primaryState({}, scheduled));
    expect(await cancel(started)).toMatchObject({
      status: 200,
      body: 'scheduled switchover deleted',
    });
    expect(started.source.filed).toEqual([{}]);
    expect(await cancel(started)).toMatchObject({
      status: 404,
      body: 'no switchover is scheduled',
    });
  });

  it.each([{ kind: 'changed' }, { kind: 'failed', cause: 'x' }] as const)(
    'is not when the store says %j',
    async (filing) => {
      const started = await startApi(primaryState({}, scheduled));
      started.source.filing = () => Promise.resolve(filing);
      expect((await cancel(started)).status).toBe(filing.kind === 'changed' ? 409 : 503);
    },
  );

  it('is another thing than a switchover under way', async () => {
    const failover = { leader: 'pg1' as MemberName };
    const started = await startApi(primaryState({}, { failover }));
    expect((await cancel(started)).status).toBe(404);
    expect(present(started).failover?.value).toEqual(failover);
  });
});
