/**
 * Calls of a member's REST API. Real servers on loopback: one that answers, and some that do not, or
 * not to the end. Whatever happens, there is an answer within the limit.
 */
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { type RequestListener, createServer } from 'node:http';
import { createServer as createSecureServer } from 'node:https';
import { type AddressInfo, type Socket, createServer as createPlainServer } from 'node:net';
import { describe, expect, it, onTestFinished } from 'vitest';
import { createAuthority, createCertificate } from '../adapters/etcd/testing/certificates.ts';
import { callApi } from './member-api.ts';
import { openTemporaryDirectory } from './testing/temporary-directory.ts';

const LIMIT_MS = 10_000;

const serve = async (listener: RequestListener): Promise<string> => {
  const server = createServer(listener);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
};

/** Speaks for itself, without HTTP's good manners. */
const serveRaw = async (answer: (socket: Socket) => void): Promise<string> => {
  const sockets = new Set<Socket>();
  const server = createPlainServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined);
    socket.once('data', () => answer(socket));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
};

describe('callApi', () => {
  it('sends what it is told to, and answers status and text', async () => {
    const seen: unknown[] = [];
    const url = await serve((request, response) => {
      let body = '';
      request.setEncoding('utf8');
      request.on('data', (chunk: string) => {
        body += chunk;
      });
      request.on('end', () => {
        const { method, url: path, headers } = request;
        seen.push([method, path, headers['content-type'], headers.authorization, body]);
        response.writeHead(412).end('nö');
      });
    });
    const answer = await callApi({
      method: 'POST',
      url: `${url}/switchover`,
      body: { leader: 'ä' },
      authentication: { username: 'matriarch', password: 'a:b' },
      limitMs: LIMIT_MS,
    });
    expect(answer).toEqual({ kind: 'answered', status: 412, text: 'nö' });
    const basic = `Basic ${Buffer.from('matriarch:a:b').toString('base64')}`;
    expect(seen).toEqual([['POST', '/switchover', 'application/json', basic, '{"leader":"ä"}']]);
  });

  it('sends nothing that it is not told to', async () => {
    const url = await serve((request, response) => {
      const { authorization } = request.headers;
      response.end(JSON.stringify([authorization, request.headers['content-length']]));
    });
    const answer = await callApi({ method: 'GET', url, limitMs: LIMIT_MS });
    expect(answer).toEqual({ kind: 'answered', status: 200, text: '[null,null]' });
  });

  it('takes the answer of an HTTP/1.0 server, whose end is that of the connection', async () => {
    const url = await serveRaw((socket) => socket.end('HTTP/1.0 200 OK\r\n\r\nall of it'));
    expect(await callApi({ method: 'GET', url, limitMs: LIMIT_MS })).toEqual({
      kind: 'answered',
      status: 200,
      text: 'all of it',
    });
  });

  it('speaks TLS, whoever has signed the certificate', async () => {
    const directory = openTemporaryDirectory();
    const authority = createAuthority(directory, 'authority');
    const { certFile, keyFile } = createCertificate(authority, directory);
    const server = createSecureServer(
      { cert: readFileSync(certFile), key: readFileSync(keyFile) },
      (_request, response) => response.end('over TLS'),
    );
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    onTestFinished(() => {
      server.closeAllConnections();
      server.close();
    });
    const url = `https://127.0.0.1:${(server.address() as AddressInfo).port}`;
    expect(await callApi({ method: 'GET', url, limitMs: LIMIT_MS })).toMatchObject({
      text: 'over TLS',
    });
  });

  it('says when nobody listens', async () => {
    const closed = createPlainServer().listen(0, '127.0.0.1');
    await once(closed, 'listening');
    const url = `http://127.0.0.1:${(closed.address() as AddressInfo).port}`;
    closed.close();
    await once(closed, 'close');
    const answer = await callApi({ method: 'GET', url, limitMs: LIMIT_MS });
    expect(answer).toMatchObject({ kind: 'no-answer' });
    expect(answer.kind === 'no-answer' ? answer.cause : '').toContain('ECONNREFUSED');
  });

  it.each([
    ['never answers', () => undefined],
    [
      'stops in the middle',
      (socket: Socket) => {
        socket.write('HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf');
      },
    ],
  ])('waits no longer than the limit for a server that %s', async (_, answer) => {
    const url = await serveRaw(answer);
    expect(await callApi({ method: 'GET', url, limitMs: 100 })).toEqual({
      kind: 'no-answer',
      cause: 'no answer within 100 ms',
    });
  });

  it('says at once when the server dies in the middle of its answer', async () => {
    const url = await serveRaw((socket) => {
      socket.write('HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf', () => socket.destroy());
    });
    const begun = performance.now();
    expect(await callApi({ method: 'GET', url, limitMs: 60_000 })).toMatchObject({
      kind: 'no-answer',
    });
    expect(performance.now() - begun).toBeLessThan(30_000);
  });

  it('does not read on for ever', async () => {
    const url = await serve((_request, response) => {
      const more = (): void => {
        while (response.write('x'.repeat(65_536)));
        response.once('drain', more);
      };
      more();
    });
    expect(await callApi({ method: 'GET', url, limitMs: 60_000 })).toEqual({
      kind: 'no-answer',
      cause: 'the answer is too long',
    });
  });
});
