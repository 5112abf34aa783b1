/**
 * Clients that are slow, loud, endless or many, played with raw sockets: each loses its connection,
 * and the API goes on answering. Limits are shortened so that the tests wait for events, not long.
 */
import { type Socket, connect } from 'node:net';
import type { Endpoint } from '@matriarch/protocol';
import { describe, expect, it, onTestFinished } from 'vitest';
import { primaryState } from './testing/build-state.ts';
import { exchange, exchangeRaw } from './testing/exchange.ts';
import { startApi } from './testing/start-api.ts';

/** Nothing ends by itself within a test; each test shortens the one limit it is about. */
const LONG = {
  headersMs: 60_000,
  requestMs: 60_000,
  idleMs: 60_000,
  silenceMs: 60_000,
  checkMs: 50,
};

const EVENT_LIMIT_MS = 15_000;

const open = ({ host, port }: Endpoint): Promise<Socket> =>
  new Promise((resolve, reject) => {
    const socket = connect(port, host, () => resolve(socket));
    socket.once('error', reject);
    socket.on('error', () => undefined);
    onTestFinished(() => {
      socket.destroy();
    });
  });

const closed = (socket: Socket): Promise<void> =>
  new Promise((resolve) => {
    socket.resume();
    socket.once('close', () => resolve());
  });

const alive = async (address: Endpoint): Promise<boolean> =>
  (await exchange(address, '/primary')).status === 200;

/** Asks until there is room for the question. */
const until = async (address: Endpoint, what: string): Promise<void> => {
  const startedMs = performance.now();
  for (;;) {
    const isFree = await alive(address).catch(() => false);
    if (isFree) return;
    if (performance.now() - startedMs > EVENT_LIMIT_MS) throw new Error(`never came free: ${what}`);
  }
};

describe('a client loses its connection', () => {
  it.each([
    ['says nothing', ''],
    ['never ends its first line', 'GET /prim'],
    ['never ends its headers', 'GET /primary HTTP/1.1\r\nA: b\r\n'],
  ])('when it %s', async (_name, bytes) => {
    const { address } = await startApi(primaryState(), { limits: { ...LONG, headersMs: 200 } });
    const received = await exchangeRaw(address, bytes);
    expect(received).not.toContain('200 OK');
    expect(await alive(address)).toBe(true);
  });

  it('when it never ends its body', async () => {
    const { address, source } = await startApi(primaryState(), {
      limits: { ...LONG, headersMs: 200, requestMs: 400 },
    });
    const head = 'POST /switchover HTTP/1.1\r\nContent-Length: 100\r\n\r\n';
    expect(await exchangeRaw(address, `${head}{"leader":`)).toMatch(/^HTTP\/1\.1 408 /);
    expect(source.filed).toEqual([]);
    expect(await alive(address)).toBe(true);
  });

  it('when it has nothing more to ask', async () => {
    const { address } = await startApi(primaryState(), { limits: { ...LONG, idleMs: 200 } });
    const received = await exchangeRaw(address, 'GET /primary HTTP/1.1\r\n\r\n');
    expect(received).toMatch(/^HTTP\/1\.1 200 OK/);
  });

  it.each([
    ['does not speak HTTP', '\u0016\u0003\u0001 hello there\r\n\r\n', /^HTTP\/1\.1 400 /],
    ['sends endless headers', `GET / HTTP/1.1\r\nA: ${'x'.repeat(20_000)}`, /^HTTP\/1\.1 431 /],
    ['sends an endless path', `GET /${'x'.repeat(20_000)}`, /^HTTP\/1\.1 431 /],
    [
      'sends two lengths',
      'POST /reload HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n',
      /^HTTP\/1\.1 400 /,
    ],
    ['opens a tunnel', 'CONNECT a:1 HTTP/1.1\r\n\r\n', /^$/],
  ])('when it %s', async (_name, bytes, expected) => {
    const { address } = await startApi(primaryState());
    expect(await exchangeRaw(address, bytes)).toMatch(expected);
    expect(await alive(address)).toBe(true);
  });
});

describe('a body', () => {
  const end = 'Connection: close\r\n\r\n';

  it('is refused by its declared length, before it is sent', async () => {
    const { address } = await startApi(primaryState(), { limits: { bodyBytes: 100 } });
    const head = `POST /switchover HTTP/1.1\r\nContent-Length: 101\r\n${end}`;
    const received = await exchangeRaw(address, head);
    expect(received).toMatch(/^HTTP\/1\.1 413 /);
    expect(received).toContain('"code": "request-too-large"');
    expect(received).toContain('longer than 100 bytes');
  });

  it('is refused when it turns out too long', async () => {
    const { address } = await startApi(primaryState(), { limits: { bodyBytes: 100 } });
    const chunk = `40\r\n${'x'.repeat(64)}\r\n`;
    const head = `POST /switchover HTTP/1.1\r\nTransfer-Encoding: chunked\r\n${end}`;
    expect(await exchangeRaw(address, `${head}${chunk}${chunk}${chunk}`)).toMatch(
      /^HTTP\/1\.1 413 /,
    );
    expect(await alive(address)).toBe(true);
  });

  it('is read to its last byte when it is as long as allowed, and when it comes in chunks', async () => {
    const { address } = await startApi(primaryState(), { limits: { bodyBytes: 100 } });
    const body = JSON.stringify({ leader: 'pg9' }).padEnd(100);
    const chunks = `32\r\n${body.slice(0, 50)}\r\n32\r\n${body.slice(50)}\r\n0\r\n\r\n`;
    const head = 'POST /switchover HTTP/1.1\r\n';
    for (const request of [
      `${head}Content-Length: 100\r\n${end}${body}`,
      `${head}Transfer-Encoding: chunked\r\n${end}${chunks}`,
    ])
      expect(await exchangeRaw(address, request)).toMatch(/^HTTP\/1\.1 412 /);
  });

  it('has to have a length', async () => {
    const { address } = await startApi(primaryState());
    expect(await exchangeRaw(address, `POST /failover HTTP/1.1\r\n${end}`)).toMatch(
      /^HTTP\/1\.1 411 /,
    );
  });

  it('is not read where nobody asked for it', async () => {
    const { address, source } = await startApi(primaryState(), { limits: { bodyBytes: 100 } });
    const body = 'x'.repeat(100_000);
    const got = await exchange(address, '/reload', { method: 'POST', body });
    expect(got.status).toBe(202);
    expect(source.counts.reloads).toBe(1);
  });
});

describe('many connections', () => {
  it('of one address are closed from a number on', async () => {
    const { address, log } = await startApi(primaryState(), {
      limits: { ...LONG, connectionsOfOneAddress: 3 },
    });
    const sockets = [await open(address), await open(address), await open(address)];
    await closed(await open(address));
    await closed(await open(address));
    expect(log.lines.filter((line) => line.includes('too many connections'))).toHaveLength(1);
    sockets[0]?.destroy();
    await until(address, 'the place of the connection that ended');
  });

  it('in all are bounded', async () => {
    const { address, log } = await startApi(primaryState(), {
      limits: { ...LONG, connections: 2 },
    });
    await open(address);
    await open(address);
    await closed(await open(address));
    expect(log.lines.filter((line) => line.includes('too many connections'))).toHaveLength(1);
  });
});

describe('a client that does not read', () => {
  it('is left when nothing moves any more', async () => {
    const { address } = await startApi(primaryState(), {
      limits: { ...LONG, silenceMs: 500, connections: 1 },
    });
    const socket = await open(address);
    socket.pause();
    // More answers than any buffer between the two takes.
    socket.write('GET /patroni HTTP/1.1\r\n\r\n'.repeat(20_000));
    await expect(exchange(address, '/primary')).rejects.toThrow();
    await until(address, 'the place of the client that does not read');
  });
});
