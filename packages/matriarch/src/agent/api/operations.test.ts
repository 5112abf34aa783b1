/**
 * `/restart` and `/reinitialize` over real HTTP: what cannot be right is refused in Patroni's
 * sentences, the rest is handed to the loop, and the answer is the loop's. The test plays the loop.
 */
import {
  type MemberState,
  type OperationAnswer,
  type OperationRequest,
  type PromiseRequest,
  withAnswer,
} from '@matriarch/core';
import { describe, expect, it } from 'vitest';
import { primaryState, replicaState } from './testing/build-state.ts';
import { exchange } from './testing/exchange.ts';
import { type StartedApi, startApi } from './testing/start-api.ts';

const EVENT_LIMIT_MS = 10_000;

const post = async ({ address }: StartedApi, path: string, body?: object) => {
  const text = body === undefined ? {} : { body: JSON.stringify(body) };
  const { status, body: said } = await exchange(address, path, { method: 'POST', ...text });
  return [status, said];
};

const untilAsked = async ({ source }: StartedApi): Promise<OperationRequest | PromiseRequest> => {
  const startedMs = performance.now();
  while (source.counts.watching === 0) {
    if (performance.now() - startedMs > EVENT_LIMIT_MS) throw new Error('nothing was asked');
    await new Promise((resolve) => {
      setImmediate(resolve);
    });
  }
  const [request] = source.asked;
  if (request === undefined) throw new Error('nothing was asked');
  return request;
};

/** The loop answers what was asked of it. */
const answerWith = async (
  started: StartedApi,
  answer: Omit<OperationAnswer, 'id'>,
): Promise<OperationRequest | PromiseRequest> => {
  const request = await untilAsked(started);
  const { current } = started.source;
  const operating = withAnswer(current.operating, { id: request.id, ...answer });
  started.source.become({ ...current, operating });
  return request;
};

const withState = (state: MemberState, changes: Partial<MemberState>): MemberState => ({
  ...state,
  ...changes,
});

const busyWith = (kind: 'restart' | 'reinitialize'): Partial<MemberState> => ({
  operating: {
    ...primaryState().operating,
    operation: {
      request: kind === 'restart' ? { kind, id: 'x', limitMs: undefined } : { kind, id: 'x' },
      stage: 'stopping',
      since: primaryState().now,
      pid: 1,
      failedStarts: 0,
    },
  },
});

describe('a restart', () => {
  it('is asked of the loop, and answered when the server is there again', async () => {
    const started = await startApi(primaryState());
    const answer = post(started, '/restart', { timeout: '2', role: 'primary' });
    const request = await answerWith(started, { kind: 'done', because: '' });
    expect(request).toMatchObject({ kind: 'restart', limitMs: 2_000 });
    expect(await answer).toEqual([200, 'restarted successfully']);
  });

  it('needs no body', async () => {
    const started = await startApi(replicaState());
    const answer = post(started, '/restart');
    await answerWith(started, { kind: 'done', because: '' });
    expect(await answer).toEqual([200, 'restarted successfully']);
  });

  it.each([
    ['failed', 'the server does not start', 'restart failed (the server does not start)'],
    ['refused', 'switchover already in progress', 'switchover already in progress'],
  ] as const)('that has %s is told', async (kind, because, said) => {
    const started = await startApi(primaryState());
    const answer = post(started, '/restart', {});
    await answerWith(started, { kind, because });
    expect(await answer).toEqual([503, said]);
  });

  it.each([
    [{ foo: 1 }, 400, 'Unknown filter for the scheduled restart: foo'],
    [{ timeout: 0 }, 400, 'Timeout should be a positive number of seconds'],
    [{ timeout: 'soon' }, 400, 'Timeout should be a positive number of seconds'],
    [
      { role: 'master' },
      400,
      'PostgreSQL role should be either primary, standby_leader, or replica',
    ],
    [
      { postgres_version: '9.5' },
      400,
      'Invalid PostgreSQL version format: X.Y or X.Y.Z is accepted: 9.5',
    ],
    [{ role: 'replica' }, 503, 'restart conditions are not satisfied'],
    [{ restart_pending: true }, 503, 'restart conditions are not satisfied'],
    [{ postgres_version: '15.18' }, 503, 'restart conditions are not satisfied'],
  ])('with %j is refused', async (body, status, said) => {
    const started = await startApi(primaryState());
    expect(await post(started, '/restart', body)).toEqual([status, said]);
    expect(started.source.asked).toEqual([]);
  });

  it('for an older PostgreSQL, or when one is pending, is done where that is so', async () => {
    for (const body of [{ postgres_version: '15.19' }, { restart_pending: true }]) {
      const started = await startApi(replicaState({ pendingRestart: true }));
      const answer = post(started, '/restart', body);
      await answerWith(started, { kind: 'done', because: '' });
      expect(await answer).toEqual([200, 'restarted successfully']);
    }
  });

  it('with a time is not taken for one without', async () => {
    const started = await startApi(primaryState());
    const [status, said] = await post(started, '/restart', { schedule: '2030-01-01T00:00Z' });
    expect(status).toBe(501);
    expect(said).toContain('cannot be scheduled yet');
    const paused = await startApi(primaryState({}, { config: { pause: true } }));
    expect(await post(paused, '/restart', { schedule: '2030-01-01T00:00Z' })).toEqual([
      500,
      "Can't schedule restart in the paused state",
    ]);
  });

  it('waits for nothing while another one is under way, or the server is starting', async () => {
    const busy = await startApi(withState(primaryState(), busyWith('restart')));
    expect(await post(busy, '/restart', {})).toEqual([503, 'restart already in progress']);
    const starting = await startApi(withState(primaryState(), { probe: undefined }));
    expect(await post(starting, '/restart', {})).toEqual([503, 'postgres is still starting']);
  });

  it('is never scheduled, so none can be taken back', async () => {
    const { address } = await startApi(primaryState());
    const { status, body } = await exchange(address, '/restart', { method: 'DELETE' });
    expect([status, body]).toEqual([404, 'no restarts are scheduled']);
  });
});

describe('a new clone', () => {
  it('is asked of the loop, and answered when that has begun', async () => {
    const started = await startApi(replicaState());
    const answer = post(started, '/reinitialize', { force: true });
    const request = await answerWith(started, { kind: 'done', because: '' });
    expect(request.kind).toBe('reinitialize');
    expect(await answer).toEqual([200, 'reinitialize started']);
  });

  it('is refused where it cannot be', async () => {
    const leader = await startApi(primaryState());
    expect(await post(leader, '/reinitialize')).toEqual([
      503,
      'I am the leader, can not reinitialize',
    ]);
    const headless = await startApi(replicaState({}, { leader: undefined }));
    expect(await post(headless, '/reinitialize')).toEqual([
      503,
      'Cluster has no leader, can not reinitialize',
    ]);
    const busy = await startApi(withState(replicaState(), busyWith('reinitialize')));
    expect(await post(busy, '/reinitialize')).toEqual([503, 'reinitialize already in progress']);
  });

  it('is refused by the loop, too', async () => {
    const started = await startApi(replicaState());
    const answer = post(started, '/reinitialize');
    await answerWith(started, { kind: 'refused', because: 'pg1 cannot be reached from here' });
    expect(await answer).toEqual([503, 'pg1 cannot be reached from here']);
  });
});
