/**
 * `/restart` and `/reinitialize` over real HTTP: what cannot be right is refused in Patroni's
 * sentences, the rest is handed to the loop, and the answer is the loop's. The test plays the loop.
 */
import {
  type MemberState,
  type OperationAnswer,
  type OperationRequest,
  type PromiseRequest,
  type ScheduleRequest,
  type ScheduledRestart,
  withAnswer,
} from '@matriarch/core';
import { describe, expect, it } from 'vitest';
import {
  SCHEDULE,
  buildSnapshot,
  memberDocument,
  primaryState,
  replicaState,
} from './testing/build-state.ts';
import { exchange } from './testing/exchange.ts';
import { type StartedApi, startApi } from './testing/start-api.ts';

const EVENT_LIMIT_MS = 10_000;

const post = async ({ address }: StartedApi, path: string, body?: object) => {
  const text = body === undefined ? {} : { body: JSON.stringify(body) };
  const { status, body: said } = await exchange(address, path, { method: 'POST', ...text });
  return [status, said];
};

type Asked = OperationRequest | PromiseRequest | ScheduleRequest;

const untilAsked = async ({ source }: StartedApi): Promise<Asked> => {
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
): Promise<Asked> => {
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
    [{ role: 'standby_leader' }, 503, 'restart conditions are not satisfied'],
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

  it('waits for nothing while another one is under way, or the server is starting', async () => {
    const busy = await startApi(withState(primaryState(), busyWith('restart')));
    expect(await post(busy, '/restart', {})).toEqual([503, 'restart already in progress']);
    const starting = await startApi(withState(primaryState(), { probe: undefined }));
    expect(await post(starting, '/restart', {})).toEqual([503, 'postgres is still starting']);
  });
});

describe('a restart at a time', () => {
  const schedule = '2030-01-01T00:00Z';
  const filed = { schedule: SCHEDULE, conditions: { pendingOnly: false }, limitMs: undefined };

  const waitingState = (): MemberState => {
    const { schedules } = primaryState();
    const restart = { ...filed, postmasterStartedAt: undefined };
    return withState(primaryState(), { schedules: { ...schedules, restart } });
  };

  /** The loop has it in our key. */
  const publish = ({ source }: StartedApi, restart: ScheduledRestart | undefined): void => {
    const members = { pg1: memberDocument(1, { scheduledRestart: restart }) };
    source.see(buildSnapshot({ members }));
  };

  it('is asked of the loop, and answered when the store shows it', async () => {
    const started = await startApi(primaryState());
    const body = { schedule, role: 'replica', postgres_version: '15.9', timeout: 5 };
    const answer = post(started, '/restart', { ...body, restart_pending: 'on' });
    const request = await answerWith(started, { kind: 'done', because: 'Restart scheduled' });
    const restart = {
      schedule: SCHEDULE,
      conditions: { role: 'replica', postgresVersion: '15.9', pendingOnly: true },
      limitMs: 5_000,
    } as const;
    expect(request).toMatchObject({ kind: 'schedule-restart', restart });
    publish(started, { ...restart, postmasterStartedAt: undefined });
    expect(await answer).toEqual([202, 'Restart scheduled']);
  });

  it('is answered also when etcd is away, after a moment', async () => {
    const started = await startApi(primaryState());
    const answer = post(started, '/restart', { schedule });
    const request = await answerWith(started, { kind: 'done', because: 'Restart scheduled' });
    expect(request).toMatchObject({ restart: filed });
    expect(await answer).toEqual([202, 'Restart scheduled']);
  });

  it('is refused while another one waits', async () => {
    const started = await startApi(primaryState());
    const answer = post(started, '/restart', { schedule });
    const because = 'Another restart is already scheduled';
    await answerWith(started, { kind: 'refused', because });
    expect(await answer).toEqual([409, because]);
  });

  it('is not looked at for whether it could be now', async () => {
    const started = await startApi(withState(replicaState(), busyWith('restart')));
    const answer = post(started, '/restart', { schedule, role: 'primary' });
    await answerWith(started, { kind: 'refused', because: '' });
    expect((await answer)[0]).toBe(409);
  });

  it.each([
    ['2030-01-01T00:00', 400, 'Timezone information is mandatory for the scheduled restart'],
    ['2026-11-23T08:29:59Z', 422, 'Cannot schedule restart in the past'],
    [
      'soon',
      422,
      'Unable to parse scheduled timestamp. It should be in an unambiguous format, e.g. ISO 8601',
    ],
    [
      17,
      422,
      'Unable to parse scheduled timestamp. It should be in an unambiguous format, e.g. ISO 8601',
    ],
  ])('%s is refused', async (wrong, status, said) => {
    const started = await startApi(primaryState());
    expect(await post(started, '/restart', { schedule: wrong })).toEqual([status, said]);
    expect(started.source.asked).toEqual([]);
  });

  it('is refused in a pause, whatever else is wrong with it', async () => {
    const paused = await startApi(primaryState({}, { config: { pause: true } }));
    expect(await post(paused, '/restart', { foo: 1, schedule: 'soon' })).toEqual([
      500,
      "Can't schedule restart in the paused state",
    ]);
  });

  it('is taken back', async () => {
    const started = await startApi(waitingState());
    publish(started, { ...filed, postmasterStartedAt: undefined });
    const answer = exchange(started.address, '/restart', { method: 'DELETE' });
    const because = 'scheduled restart deleted';
    const request = await answerWith(started, { kind: 'done', because });
    expect(request.kind).toBe('cancel-restart');
    publish(started, undefined);
    expect(await answer).toMatchObject({ status: 200, body: because });
  });

  it('cannot be taken back where there is none, or none any more', async () => {
    const because = 'no restarts are scheduled';
    const none = await startApi(primaryState());
    const refused = await exchange(none.address, '/restart', { method: 'DELETE' });
    expect(refused).toMatchObject({ status: 404, body: because });
    expect(none.source.asked).toEqual([]);
    const started = await startApi(waitingState());
    const answer = exchange(started.address, '/restart', { method: 'DELETE' });
    await answerWith(started, { kind: 'refused', because });
    expect(await answer).toMatchObject({ status: 404, body: because });
  });

  it.each(['POST', 'DELETE'])('is not known before the store is read: %s', async (method) => {
    const started = await startApi(withState(primaryState(), { snapshot: undefined }));
    const body = method === 'POST' ? { body: JSON.stringify({ schedule }) } : {};
    const got = await exchange(started.address, '/restart', { method, ...body });
    expect(got.status).toBe(503);
    expect(JSON.parse(got.body)).toMatchObject({ code: 'store-unreachable' });
    expect(started.source.asked).toEqual([]);
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
