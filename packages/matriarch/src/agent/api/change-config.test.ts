/** `PATCH` and `PUT /config` over real HTTP, with a store written by compare-and-swap. */
import { describe, expect, it } from 'vitest';
import { primaryState } from './testing/build-state.ts';
import { exchange } from './testing/exchange.ts';
import { type StartedApi, startApi } from './testing/start-api.ts';

const patch = ({ address }: StartedApi, body: string) =>
  exchange(address, '/config', { method: 'PATCH', body });

const put = ({ address }: StartedApi, body: string) =>
  exchange(address, '/config', { method: 'PUT', body });

describe('a change of the configuration', () => {
  it('is written, and the whole is answered', async () => {
    const started = await startApi(primaryState());
    const got = await patch(started, '{"pause": true}');
    expect([got.status, JSON.parse(got.body)]).toEqual([
      200,
      { ttl: 30, loop_wait: 10, pause: true },
    ]);
    const shown = await exchange(started.address, '/patroni');
    expect(JSON.parse(shown.body)).toMatchObject({ pause: true });
    const cluster = await exchange(started.address, '/cluster');
    expect(JSON.parse(cluster.body)).toMatchObject({ pause: true });
    const metrics = await exchange(started.address, '/metrics');
    expect(metrics.body).toMatch(/^patroni_is_paused\{.*\} 1$/m);
    const back = await patch(started, '{"pause": null}');
    expect(JSON.parse(back.body)).toEqual({ ttl: 30, loop_wait: 10 });
  });

  it('is not written when somebody else was faster', async () => {
    const started = await startApi(primaryState());
    started.source.filing = () => Promise.resolve({ kind: 'changed' });
    const got = await patch(started, '{"pause": true}');
    expect(got.status).toBe(409);
    expect(got.headers['content-type']).toBe('text/html;charset=utf-8');
  });

  it('is not written when it changes nothing', async () => {
    const started = await startApi(primaryState());
    const before = started.source.current.snapshot?.value.revision;
    const got = await patch(started, '{"ttl": "30"}');
    expect([got.status, JSON.parse(got.body)]).toEqual([200, { ttl: 30, loop_wait: 10 }]);
    expect(started.source.current.snapshot?.value.revision).toBe(before);
  });

  it('is refused when the members could not act on it', async () => {
    const started = await startApi(primaryState());
    const got = await patch(started, '{"ttl": "soon"}');
    expect(got.status).toBe(400);
    expect(got.body).toContain('ttl');
    expect(started.source.current.snapshot?.value.config?.value).toEqual({
      ttl: 30,
      loop_wait: 10,
    });
  });

  it.each(['', '{}', '[1]', 'pause'])('%j is none', async (body) => {
    const started = await startApi(primaryState());
    expect((await patch(started, body)).status).toBe(400);
  });

  it('says when the store is out, or did not confirm', async () => {
    const started = await startApi(primaryState());
    started.source.documents = () => Promise.resolve({ kind: 'failed', cause: 'refused' });
    expect((await patch(started, '{"pause": true}')).status).toBe(503);
    started.source.documents = undefined;
    started.source.filing = () => Promise.resolve({ kind: 'unknown', cause: 'time' });
    const got = await patch(started, '{"pause": true}');
    expect([got.status, got.body.includes('store-outcome-unknown')]).toEqual([503, true]);
  });
});

describe('a replacement of the configuration', () => {
  const storedIn = ({ source }: StartedApi) => source.current.snapshot?.value.config?.value;

  it('leaves nothing of what was there, and is answered', async () => {
    const started = await startApi(primaryState());
    const got = await put(started, '{"ttl": 20, "pause": true, "loop_wait": null}');
    expect([got.status, JSON.parse(got.body)]).toEqual([200, { ttl: 20, pause: true }]);
    expect(storedIn(started)).toEqual({ ttl: 20, pause: true });
  });

  it('is not written when nothing differs', async () => {
    const started = await startApi(primaryState());
    const before = started.source.current.snapshot?.value.revision;
    const got = await put(started, '{"loop_wait": 10, "ttl": "30"}');
    expect([got.status, JSON.parse(got.body)]).toEqual([200, { ttl: 30, loop_wait: 10 }]);
    expect(started.source.current.snapshot?.value.revision).toBe(before);
  });

  it.each(['', '{}', '[1]', 'pause', '{"ttl": "soon"}'])('%j is none', async (body) => {
    const started = await startApi(primaryState());
    expect((await put(started, body)).status).toBe(400);
    expect(storedIn(started)).toEqual({ ttl: 30, loop_wait: 10 });
  });

  it('is a bad gateway when the store is out, or did not confirm', async () => {
    const started = await startApi(primaryState());
    started.source.filing = () => Promise.resolve({ kind: 'failed', cause: 'refused' });
    const failed = await put(started, '{"ttl": 20}');
    expect([failed.status, failed.body.includes('store-unreachable')]).toEqual([502, true]);
    started.source.filing = () => Promise.resolve({ kind: 'unknown', cause: 'time' });
    const unknown = await put(started, '{"ttl": 20}');
    expect([unknown.status, unknown.body.includes('store-outcome-unknown')]).toEqual([502, true]);
    started.source.filing = () => Promise.resolve({ kind: 'changed' });
    expect((await put(started, '{"ttl": 20}')).status).toBe(409);
  });
});
