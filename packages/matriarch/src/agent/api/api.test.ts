/**
 * The API over real HTTP on loopback: paths, methods, statuses, headers, bodies. The loop, the store
 * and PostgreSQL are played by a source that the test moves by hand.
 */
import { Agent, get } from 'node:http';
import { type MemberState, lsn } from '@matriarch/core';
import { MATRIARCH_VERSION } from '@matriarch/protocol';
import { describe, expect, it } from 'vitest';
import { createAgentCounters } from '../metrics/agent-counters.ts';
import { parseMetrics } from '../metrics/testing/parse-metrics.ts';
import { createApi } from './create-api.ts';
import {
  NOW,
  buildSnapshot,
  buildState,
  primaryAnswer,
  primaryState,
  replicaState,
} from './testing/build-state.ts';
import { exchange, exchangeRaw } from './testing/exchange.ts';
import { LOOPBACK, startApi } from './testing/start-api.ts';
import { createTestLog, createTestSource } from './testing/test-source.ts';

describe('health checks', () => {
  it('answer with the status document, and keep their word for GET, HEAD and OPTIONS', async () => {
    const { address } = await startApi(primaryState());
    const expected: Readonly<Record<string, number>> = {
      '/': 200,
      '/primary': 200,
      '/master?lag=10MB': 200,
      '/read-only': 200,
      '/health': 200,
      '/replica': 503,
      '/no/such/path': 503,
    };
    for (const [path, status] of Object.entries(expected)) {
      const got = await exchange(address, path);
      expect(got.status, path).toBe(status);
      expect(got.headers['content-type'], path).toBe('application/json');
      expect(got.body, path).toContain('"state": "running"');
      for (const method of ['HEAD', 'OPTIONS']) {
        const bare = await exchange(address, path, { method });
        expect([bare.status, bare.body], `${method} ${path}`).toEqual([status, '']);
      }
    }
  });

  it('follow the state of the loop, without a look at the server', async () => {
    const { address, source } = await startApi(replicaState());
    expect((await exchange(address, '/primary')).status).toBe(503);
    source.become(primaryState());
    expect((await exchange(address, '/primary')).status).toBe(200);
    source.time = (NOW + 20_000) as typeof NOW;
    expect((await exchange(address, '/primary')).status).toBe(503);
    expect(source.counts.looks).toBe(0);
  });

  it('remember a primary that is silent for a moment, and only that one', async () => {
    const { address, source } = await startApi(primaryState());
    const silence = { value: { kind: 'no-answer', cause: 'timeout' }, at: NOW } as const;
    const silent = primaryState({}, { state: { probe: silence } });
    expect((await exchange(address, '/primary')).status).toBe(200);
    source.become(silent);
    expect((await exchange(address, '/primary')).status).toBe(200);
    expect((await exchange(address, '/health')).status).toBe(503);
    const process = { kind: 'running', pid: 1, startedAs: 'primary', promoted: false } as const;
    source.become({ ...silent, process });
    expect((await exchange(address, '/primary')).status).toBe(503);
  });

  it('do not take a standby under promotion for a primary because it is silent', async () => {
    const promoted = {
      tenure: { term: 1 as never, deadline: (NOW + 9_000) as typeof NOW },
      process: { kind: 'running', pid: 4712, startedAs: 'standby', promoted: true },
    } as const;
    const state = replicaState({}, { leader: 'pg2', state: promoted });
    const { address, source } = await startApi(state);
    expect((await exchange(address, '/primary')).status).toBe(503);
    const silence = { value: { kind: 'no-answer', cause: 'timeout' }, at: NOW } as const;
    source.become({ ...state, probe: silence });
    expect((await exchange(address, '/primary')).status).toBe(503);
    source.become({ ...state, probe: { value: primaryAnswer(), at: NOW } });
    expect((await exchange(address, '/primary')).status).toBe(200);
  });

  it('of the process are a status and nothing else, also for HEAD', async () => {
    const { address, source } = await startApi(replicaState());
    for (const method of ['GET', 'HEAD', 'OPTIONS']) {
      for (const path of ['/liveness', '/readiness', '/liveness/of/all']) {
        const got = await exchange(address, path, { method });
        expect([got.status, got.body], `${method} ${path}`).toEqual([200, '']);
      }
    }
    source.lastRan = (NOW - 61_000) as typeof NOW;
    source.become(replicaState({ streaming: false }));
    for (const path of ['/liveness', '/readiness'])
      expect((await exchange(address, path)).status, path).toBe(503);
  });
});

describe('/patroni', () => {
  it('takes a fresh look at the server, and is 200 in every state', async () => {
    const { address, source } = await startApi(replicaState({ replayedLsn: lsn(1) }));
    source.look = () => Promise.resolve(primaryAnswer({ inRecovery: true, replayedLsn: lsn(7) }));
    const fresh = await exchange(address, '/patroni');
    expect(fresh.status).toBe(200);
    expect(JSON.parse(fresh.body)).toMatchObject({ xlog: { replayed_location: 7 } });
    source.become(buildState());
    const down = await exchange(address, '/patroni');
    expect(down.status).toBe(200);
    expect(JSON.parse(down.body)).not.toHaveProperty('xlog');
    expect((await exchange(address, '/patroni', { method: 'HEAD' })).status).toBe(200);
  });

  it('answers from the last facts when the look hangs, within milliseconds', async () => {
    const { address, source } = await startApi(replicaState({ replayedLsn: lsn(5) }));
    await exchange(address, '/health');
    source.look = () => new Promise(() => {});
    const startedMs = performance.now();
    const got = await exchange(address, '/patroni');
    const tookMs = performance.now() - startedMs;
    expect(JSON.parse(got.body)).toMatchObject({ xlog: { replayed_location: 5 } });
    // The look's limit is 40 ms; the rest is for a busy machine.
    expect(tookMs).toBeLessThan(1_000);
  });
});

describe('documents of the cluster', () => {
  it('come from the loop while they are young, and from the store when they are old', async () => {
    const { address, source } = await startApi(primaryState());
    const first = await exchange(address, '/cluster');
    expect(first.status).toBe(200);
    expect(first.body.startsWith('{"members": [{"name": "pg1", "role": "leader"')).toBe(true);
    expect(source.counts.reads).toBe(0);
    source.time = (NOW + 1_001) as typeof NOW;
    const snapshot = buildSnapshot({ leader: 'pg3' });
    source.documents = () => Promise.resolve({ kind: 'done', snapshot });
    const second = await exchange(address, '/cluster');
    expect(second.body).toContain('"name": "pg3", "role": "leader"');
    expect(source.counts.reads).toBe(1);
  });

  it('are not shown stale when the store is out, but as a problem', async () => {
    const { address, source } = await startApi(primaryState());
    source.time = (NOW + 60_000) as typeof NOW;
    source.documents = () => Promise.resolve({ kind: 'failed', cause: 'no endpoint answered' });
    const got = await exchange(address, '/cluster');
    expect([got.status, got.headers['content-type']]).toEqual([503, 'application/json']);
    expect(JSON.parse(got.body)).toMatchObject({
      code: 'store-unreachable',
      message: 'the store did not answer: no endpoint answered',
      retriable: true,
    });
    expect((await exchange(address, '/config')).body).toBe('{"ttl": 30, "loop_wait": 10}');
  });

  it('of a member that has just started are read', async () => {
    const state = { ...buildState({ history: [] }), snapshot: undefined };
    const { address, source } = await startApi(state);
    source.documents = () => Promise.resolve({ kind: 'done', snapshot: buildSnapshot() });
    expect((await exchange(address, '/history')).body).toBe('[]');
    expect(source.counts.reads).toBe(1);
  });

  it('that are not there are 502', async () => {
    const { config: _config, ...snapshot } = buildSnapshot();
    const { address } = await startApi({ ...buildState(), snapshot: { value: snapshot, at: NOW } });
    for (const path of ['/config', '/failsafe']) {
      const got = await exchange(address, path);
      expect([got.status, got.headers['content-type']], path).toEqual([
        502,
        'text/html;charset=utf-8',
      ]);
    }
  });
});

describe('/metrics', () => {
  const values = async (state = primaryState()): Promise<Record<string, string>> => {
    const { address } = await startApi(state);
    const got = await exchange(address, '/metrics');
    expect(got.headers['content-type']).toBe('text/plain; version=0.0.4; charset=utf-8');
    const families = parseMetrics(got.body);
    for (const [name, { samples }] of families)
      for (const { labels } of samples)
        expect(labels, name).toMatchObject({ scope: 'demo', name: state.self.name });
    return Object.fromEntries(
      Array.from(families, ([name, { samples }]) => [name, samples[0]?.value ?? '']),
    );
  };

  it('of a primary', async () => {
    expect(await values()).toEqual({
      patroni_version: '040104',
      patroni_postgres_running: '1',
      patroni_postgres_state: '5',
      patroni_postmaster_start_time: '1795422319.152',
      patroni_postgres_server_version: '150018',
      patroni_postgres_timeline: '5',
      patroni_pending_restart: '0',
      patroni_postgres_streaming: '0',
      patroni_postgres_in_archive_recovery: '0',
      patroni_primary: '1',
      patroni_standby_leader: '0',
      patroni_replica: '0',
      patroni_sync_standby: '0',
      patroni_quorum_standby: '0',
      patroni_xlog_location: '117441856',
      patroni_xlog_received_location: '0',
      patroni_xlog_replayed_location: '0',
      patroni_xlog_replayed_timestamp: '0',
      patroni_xlog_paused: '0',
      patroni_cluster_unlocked: '0',
      patroni_failsafe_mode_is_active: '0',
      patroni_dcs_last_seen: '1795422600',
      patroni_is_paused: '0',
      matriarch_info: '1',
      matriarch_lease_held: '1',
      matriarch_lease_remaining_seconds: '20',
      matriarch_store_failing_seconds: '0',
      matriarch_position_known: '1',
      matriarch_commits_cancelled_total: '0',
      matriarch_commits_exposed_total: '0',
      matriarch_loop_last_step_seconds: '0',
      matriarch_loop_steps_total: '0',
    });
  });

  it('of a standby', async () => {
    const server = {
      receivedLsn: lsn(117_441_000),
      replayedLsn: lsn(117_440_000),
      replayedAt: '2026-11-23 08:30:00.5+00:00',
      replayPaused: true,
    };
    expect(await values(replicaState(server))).toMatchObject({
      patroni_primary: '0',
      patroni_replica: '1',
      patroni_postgres_streaming: '1',
      patroni_xlog_location: '0',
      patroni_xlog_received_location: '117441000',
      patroni_xlog_replayed_location: '117440000',
      patroni_xlog_replayed_timestamp: '1795422600.5',
      patroni_xlog_paused: '1',
      matriarch_lease_held: '0',
      matriarch_lease_remaining_seconds: '0',
      matriarch_replay_lag_bytes: '1856',
    });
  });

  it('of a member without a server, with work under way', async () => {
    const job = { kind: 'clone', doneBytes: 10, totalBytes: 100 } as const;
    const state = { job, storeFailingSince: (NOW - 1_500) as typeof NOW, vacating: undefined };
    expect(await values(buildState({ leader: undefined, state }))).toMatchObject({
      patroni_postgres_running: '0',
      patroni_postgres_state: '12',
      patroni_postgres_timeline: '0',
      patroni_postmaster_start_time: '0',
      patroni_cluster_unlocked: '1',
      matriarch_store_failing_seconds: '1.5',
      matriarch_position_known: '0',
      matriarch_job_done_bytes: '10',
      matriarch_job_total_bytes: '100',
    });
  });

  it('of a member whose commits nobody can promise', async () => {
    const of = (changes: Partial<MemberState['unpromised']>) => {
      const state = primaryState();
      return values({ ...state, unpromised: { ...state.unpromised, ...changes } });
    };
    expect(await of({ cancelled: 2, terminated: 1, exposed: 4, blind: 'no log' })).toMatchObject({
      matriarch_commits_cancelled_total: '3',
      matriarch_commits_exposed_total: '4',
    });
    // Nothing was seen, and nothing could have been.
    expect(await of({ blind: 'no log' })).not.toHaveProperty('matriarch_commits_cancelled_total');
  });

  it('count what the loop did', async () => {
    const { address, source } = await startApi();
    const counters = createAgentCounters();
    counters.countStep(
      {
        state: source.current,
        dispatches: [{ id: 1, lane: 'read', action: { kind: 'read-store' }, rule: undefined }],
        decisions: [],
        events: [],
        wakeAt: undefined,
      },
      {
        kind: 'outcome',
        outcome: { id: 0, kind: 'read-store', result: { kind: 'unknown', cause: '' } },
      },
    );
    source.counters = () => counters.read();
    const families = parseMetrics((await exchange(address, '/metrics')).body);
    const common = { scope: 'demo', name: 'pg1' };
    expect(families.get('matriarch_actions_total')).toEqual({
      type: 'counter',
      samples: [{ labels: { ...common, action: 'read-store' }, value: '1' }],
    });
    expect(families.get('matriarch_action_failures_total')?.samples).toEqual([
      { labels: { ...common, action: 'read-store', outcome: 'unknown' }, value: '1' },
    ]);
    expect(families.get('matriarch_info')?.samples[0]?.labels).toEqual({
      ...common,
      version: MATRIARCH_VERSION,
    });
  });
});

describe('calls that change something', () => {
  const authentication = { username: 'admin', password: 'sécret:with:colons' };
  const basic = (text: string): Record<string, string> => ({
    authorization: `Basic ${Buffer.from(text).toString('base64')}`,
  });

  it.each([
    ['POST', '/switchover'],
    ['POST', '/failover'],
    ['DELETE', '/switchover'],
    ['POST', '/reload'],
    ['POST', '/restart'],
    ['DELETE', '/restart'],
    ['POST', '/reinitialize'],
    ['PATCH', '/config'],
    ['PUT', '/config'],
    ['POST', '/failsafe'],
  ])('%s %s needs credentials', async (method, path) => {
    const { address, source } = await startApi(primaryState(), { authentication });
    const attempt = async (headers: Record<string, string> = {}) => {
      const got = await exchange(address, path, { method, headers, body: '[]' });
      return [got.status, got.body, got.headers['www-authenticate']];
    };
    const realm = 'Basic realm="Patroni"';
    expect(await attempt()).toEqual([401, 'no auth header received', realm]);
    for (const wrong of ['admin:other', 'admin:', 'admin', 'Admin:sécret:with:colons', ''])
      expect(await attempt(basic(wrong)), wrong).toEqual([401, 'not authenticated', realm]);
    expect(await attempt({ authorization: 'Bearer x' })).toEqual([401, 'not authenticated', realm]);
    expect((await attempt(basic('admin:sécret:with:colons')))[0]).not.toBe(401);
    expect(source.counts.reloads).toBe(path === '/reload' ? 1 : 0);
  });

  it('read without credentials, also where changes need them', async () => {
    const { address } = await startApi(primaryState(), { authentication });
    for (const path of ['/config', '/patroni', '/metrics', '/cluster', '/primary'])
      expect((await exchange(address, path)).status, path).toBe(200);
  });

  it('need none where none are configured, which is said at the start', async () => {
    const { address, log, source } = await startApi();
    const got = await exchange(address, '/reload', { method: 'POST' });
    expect([got.status, got.body]).toEqual([202, 'reload scheduled']);
    expect(source.counts.reloads).toBe(1);
    expect(log.lines.join('\n')).toContain('warn everybody who reaches the api may change');
    const protectedApi = await startApi(primaryState(), { authentication });
    expect(protectedApi.log.lines).toEqual([]);
  });

  it.each([
    ['PUT', '/restart'],
    ['POST', '/no/such/path'],
    ['POST', '/'],
    ['PUT', '/switchover'],
    ['DELETE', '/config'],
    ['TRACE', '/primary'],
    ['POST', '/constructor'],
  ])('%s %s is not supported, in the words patronictl looks for', async (method, path) => {
    const { address } = await startApi(primaryState());
    const body = method === 'TRACE' ? {} : { body: '{"a": 1}' };
    const got = await exchange(address, path, { method, ...body });
    expect(got.status).toBe(501);
    expect(got.headers['content-type']).toBe('text/html;charset=utf-8');
    expect(got.body).toContain('Server does not support this operation');
  });
});

describe('the wire', () => {
  it('serves HTTP/1.0 without Host and closes', async () => {
    const { address } = await startApi(primaryState());
    const got = await exchangeRaw(address, 'GET /primary HTTP/1.0\r\n\r\n');
    expect(got).toMatch(/^HTTP\/1\.1 200 OK\r\n/);
    expect(got).toMatch(/\r\nConnection: close\r\n/);
    expect(got).toContain('\r\n\r\n{"state": "running"');
    const options = await exchangeRaw(address, 'OPTIONS /master HTTP/1.0\r\n\r\n');
    expect(options).toMatch(/^HTTP\/1\.1 200 OK\r\n/);
    expect(options.endsWith('\r\n\r\n')).toBe(true);
  });

  it('serves HTTP/1.1 without Host, and the address of a proxy', async () => {
    const { address } = await startApi(primaryState());
    const end = 'Connection: close\r\n\r\n';
    expect(await exchangeRaw(address, `GET /primary HTTP/1.1\r\n${end}`)).toMatch(
      /^HTTP\/1\.1 200/,
    );
    expect(await exchangeRaw(address, `GET http://a:1/primary HTTP/1.1\r\n${end}`)).toMatch(
      /^HTTP\/1\.1 200/,
    );
    expect(await exchangeRaw(address, `GET http://a:1 HTTP/1.1\r\n${end}`)).toMatch(
      /^HTTP\/1\.1 200/,
    );
    expect(await exchangeRaw(address, `HEAD /replica HTTP/1.1\r\n${end}`)).toMatch(
      /^HTTP\/1\.1 503/,
    );
  });

  it('keeps a connection for the next check', async () => {
    const { address } = await startApi(primaryState());
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    const portOf = (path: string): Promise<number | undefined> =>
      new Promise((resolve, reject) => {
        get({ ...address, path, agent }, (response) => {
          const { localPort } = response.socket;
          response.resume();
          response.on('end', () => resolve(localPort));
        }).on('error', reject);
      });
    const first = await portOf('/primary');
    expect(first).toBeTypeOf('number');
    expect(await portOf('/replica')).toBe(first);
    expect(await portOf('/patroni')).toBe(first);
    agent.destroy();
  });

  it('never shows what went wrong inside', async () => {
    const { address, source, log } = await startApi(primaryState());
    source.counters = () => {
      throw new Error('secret detail');
    };
    const got = await exchange(address, '/metrics');
    expect(got.status).toBe(500);
    expect(JSON.parse(got.body)).toMatchObject({ code: 'internal-error' });
    expect(got.body).not.toMatch(/secret|\bat \S+:\d+|\.ts/);
    expect(log.lines.join('\n')).toContain('error request could not be answered');
    expect((await exchange(address, '/primary')).status).toBe(200);
  });
});

describe('start and stop', () => {
  it('tells who has the address, and what to do', async () => {
    const { address } = await startApi();
    const second = createApi({
      listen: address,
      tls: undefined,
      authentication: undefined,
      source: createTestSource(buildState()),
      log: createTestLog(),
    });
    const started = await second.start();
    expect(started).toMatchObject({ kind: 'port-taken' });
    const { message } = started as { message: string };
    expect(message).toContain(`127.0.0.1:${address.port} (restapi.listen)`);
    expect(message).toContain('set another port');
    expect(second.address()).toBeUndefined();
    await second.stop();
  });

  it('tells that an address of another host cannot be listened on', async () => {
    const api = createApi({
      listen: { host: '203.0.113.7', port: 0 },
      tls: undefined,
      authentication: undefined,
      source: createTestSource(buildState()),
      log: createTestLog(),
    });
    expect(await api.start()).toMatchObject({
      kind: 'cannot-listen',
      message: expect.stringContaining('203.0.113.7:0 (restapi.listen)') as string,
    });
  });

  it('frees its address when it stops, and can start again', async () => {
    const { api, address } = await startApi(primaryState());
    expect(api.address()).toEqual(address);
    await api.stop();
    expect(api.address()).toBeUndefined();
    await expect(exchange(address, '/primary')).rejects.toThrow();
    expect(await api.start()).toMatchObject({ kind: 'listening' });
    await expect(api.start()).rejects.toThrow('twice');
    await api.stop();
    await api.stop();
  });

  it('listens on every address for a star', async () => {
    const { api } = await startApi(primaryState(), { listen: { ...LOOPBACK, host: '*' } });
    const port = api.address()?.port ?? 0;
    expect((await exchange({ ...LOOPBACK, port }, '/primary')).status).toBe(200);
  });
});
