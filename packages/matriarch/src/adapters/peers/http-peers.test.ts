/**
 * Asking other members, on real servers of the loopback interface: good ones, slow, dead and odd ones.
 * Whoever is asked, all answers are there within the limit.
 */
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { type RequestListener, type Server, createServer } from 'node:http';
import { createServer as createSecureServer } from 'node:https';
import { type AddressInfo, type Socket, createServer as createPlainServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { memberName } from '@matriarch/core';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { Peers } from '../../agent/ports/peers.ts';
import { createAuthority, createCertificate } from '../etcd/testing/certificates.ts';
import { type PeerTls, createHttpPeers } from './http-peers.ts';

const LIMIT_MS = 10_000;
const SHORT_LIMIT_MS = 100;

const STATUS = JSON.stringify({
  state: 'running',
  role: 'replica',
  server_version: 150018,
  xlog: { received_location: 117_441_856, replayed_location: 117_441_856, paused: false },
  timeline: 5,
  replication_state: 'streaming',
  patroni: { version: '4.0.0', scope: 'demo', name: 'pg2' },
});

const listen = async (server: Server | ReturnType<typeof createPlainServer>): Promise<number> => {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return (server.address() as AddressInfo).port;
};

interface TestServer {
  readonly url: string;
  readonly connections: () => number;
  readonly server: Server;
}

const serve = async (listener: RequestListener): Promise<TestServer> => {
  const server = createServer({ keepAliveTimeout: 60_000 }, listener);
  let connections = 0;
  server.on('connection', () => {
    connections += 1;
  });
  const port = await listen(server);
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return { url: `http://127.0.0.1:${port}/patroni`, connections: () => connections, server };
};

/** What the first words of a client are answered with, byte by byte as it is written here. */
const serveRaw = async (answer: (socket: Socket) => void): Promise<string> => {
  const sockets = new Set<Socket>();
  const server = createPlainServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined);
    socket.once('data', () => answer(socket));
  });
  const port = await listen(server);
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return `http://127.0.0.1:${port}/patroni`;
};

const openPeers = (tls: Partial<PeerTls> = {}): Peers => {
  const peers = createHttpPeers({
    caFile: undefined,
    certFile: undefined,
    keyFile: undefined,
    ...tls,
  });
  onTestFinished(() => peers.close());
  return peers;
};

const askAll = (peers: Peers, urls: Readonly<Record<string, string>>, limitMs = LIMIT_MS) =>
  peers.ask(
    Object.entries(urls).map(([name, apiUrl]) => ({ name: memberName(name), apiUrl })),
    limitMs,
  );

const ask = async (url: string, limitMs = LIMIT_MS, peers = openPeers()) =>
  (await askAll(peers, { pg2: url }, limitMs))['pg2'];

const good: RequestListener = (_request, response) => response.end(STATUS);

describe('a member', () => {
  it('is asked where its key says, and its answer is read', async () => {
    const seen: unknown[] = [];
    const { url } = await serve(({ method, url: path }, response) => {
      seen.push([method, path]);
      response.end(STATUS);
    });
    expect(await ask(url)).toMatchObject({
      kind: 'answers',
      running: true,
      primary: false,
      position: { known: true, position: { timeline: 5, lsn: 117_441_856n } },
    });
    expect(seen).toEqual([['GET', '/patroni']]);
  });

  it('counts also when it says that it is not well', async () => {
    const { url } = await serve((_request, response) => {
      response.writeHead(503).end(STATUS);
    });
    expect(await ask(url)).toMatchObject({ kind: 'answers' });
  });

  it('of the old kind ends its answer with the connection', async () => {
    const url = await serveRaw((socket) => socket.end(`HTTP/1.0 200 OK\r\n\r\n${STATUS}`));
    expect(await ask(url)).toMatchObject({ kind: 'answers' });
  });
});

describe('several members', () => {
  it('are asked at once, and each answer is with its name', async () => {
    const slow: RequestListener = (_request, response) => {
      setTimeout(() => response.end(STATUS), 150);
    };
    const [one, two] = [await serve(slow), await serve(slow)];
    const url = await serveRaw((socket) => socket.destroy());
    const begun = performance.now();
    const answers = await askAll(openPeers(), { pg1: one.url, pg2: url, pg3: two.url });
    expect(performance.now() - begun).toBeLessThan(LIMIT_MS);
    expect(Object.entries(answers).map(([name, { kind }]) => [name, kind])).toEqual([
      ['pg1', 'answers'],
      ['pg2', 'no-answer'],
      ['pg3', 'answers'],
    ]);
  });

  it('do not wait for one that is slow beyond the limit', async () => {
    const { url } = await serve(good);
    const hung = await serveRaw(() => undefined);
    const answers = await askAll(openPeers(), { pg1: url, pg2: hung }, SHORT_LIMIT_MS);
    expect(answers).toMatchObject({
      pg1: { kind: 'answers' },
      pg2: { kind: 'no-answer', cause: `no answer within ${SHORT_LIMIT_MS} ms` },
    });
  });

  it('may be none', async () => {
    expect(await askAll(openPeers(), {})).toEqual({});
  });
});

describe('a member that', () => {
  it('does not listen is told apart at once', async () => {
    const closed = createPlainServer();
    const port = await listen(closed);
    closed.close();
    await once(closed, 'close');
    const answer = await ask(`http://127.0.0.1:${port}/patroni`, 60_000);
    expect(answer).toMatchObject({ kind: 'no-answer' });
    expect(JSON.stringify(answer)).toContain('ECONNREFUSED');
  });

  it.each([
    ['says nothing', () => undefined],
    [
      'begins and does not end',
      (socket: Socket) => {
        socket.write('HTTP/1.1 200 OK\r\nContent-Length: 900\r\n\r\n{"state"');
      },
    ],
    [
      'says a little now and then',
      (socket: Socket) => {
        socket.write('HTTP/1.1 200 OK\r\nContent-Length: 900\r\n\r\n{');
        const timer = setInterval(() => socket.write(' '), 20);
        socket.on('close', () => clearInterval(timer));
      },
    ],
  ])('%s has no answer after the limit', async (_, answer) => {
    const url = await serveRaw(answer);
    const begun = performance.now();
    expect(await ask(url, SHORT_LIMIT_MS)).toEqual({
      kind: 'no-answer',
      cause: `no answer within ${SHORT_LIMIT_MS} ms`,
    });
    expect(performance.now() - begun).toBeGreaterThanOrEqual(SHORT_LIMIT_MS - 5);
  });

  it('dies in the middle of its answer is told apart at once', async () => {
    const url = await serveRaw((socket) => {
      socket.write('HTTP/1.1 200 OK\r\nContent-Length: 900\r\n\r\n{"state"', () =>
        socket.destroy(),
      );
    });
    const begun = performance.now();
    expect(await ask(url, 60_000)).toMatchObject({ kind: 'no-answer' });
    expect(performance.now() - begun).toBeLessThan(30_000);
  });

  it('says too much is not listened to', async () => {
    let sent = 0;
    const { url } = await serve((_request, response) => {
      const more = (): void => {
        do sent += 65_536;
        while (response.write(' '.repeat(65_536)));
        response.once('drain', more);
      };
      more();
    });
    expect(await ask(url)).toEqual({ kind: 'no-answer', cause: 'the answer is too long' });
    // The rest is not read: what the kernel takes in advance is all that it could send.
    expect(sent).toBeLessThan(64 * 1_048_576);
  });

  it.each(['', 'Service Unavailable', '[]', '{"state":"running"}'])(
    'says %j has no answer',
    async (text) => {
      const { url } = await serve((_request, response) => response.end(text));
      expect(await ask(url)).toMatchObject({ kind: 'no-answer' });
    },
  );

  it('speaks another protocol has no answer', async () => {
    const url = await serveRaw((socket) => socket.end('220 mail.example.org ESMTP\r\n'));
    expect(await ask(url)).toMatchObject({ kind: 'no-answer' });
  });

  it.each(['', 'not a URL', 'ftp://127.0.0.1/patroni', 'http://127.0.0.1:99999/'])(
    'has published %j cannot be asked',
    async (url) => {
      const answer = await ask(url);
      expect(answer).toMatchObject({ kind: 'no-answer' });
      expect(JSON.stringify(answer)).toContain('cannot be asked');
    },
  );
});

describe('a connection', () => {
  it('is kept for the next question', async () => {
    const { url, connections } = await serve(good);
    const peers = openPeers();
    for (let count = 0; count < 5; count += 1)
      expect(await ask(url, LIMIT_MS, peers)).toMatchObject({ kind: 'answers' });
    expect(connections()).toBe(1);
  });

  it('that the member has closed meanwhile is replaced by a new one', async () => {
    const { url, connections, server } = await serve(good);
    const peers = openPeers();
    await ask(url, LIMIT_MS, peers);
    // Our side has not heard of it when it asks again.
    server.closeAllConnections();
    expect(await ask(url, LIMIT_MS, peers)).toMatchObject({ kind: 'answers' });
    expect(connections()).toBe(2);
  });

  it('is not tried again and again with a member that always breaks it off', async () => {
    let tries = 0;
    const url = await serveRaw((socket) => {
      tries += 1;
      socket.resetAndDestroy();
    });
    expect(await ask(url)).toMatchObject({ kind: 'no-answer' });
    expect(tries).toBe(1);
  });

  it('that hangs does not hold up later questions', async () => {
    let isWell = false;
    const { url } = await serve((_request, response) => {
      if (isWell) response.end(STATUS);
    });
    const peers = openPeers();
    for (let count = 0; count < 4; count += 1)
      expect(await ask(url, 30, peers)).toMatchObject({ kind: 'no-answer' });
    isWell = true;
    expect(await ask(url, LIMIT_MS, peers)).toMatchObject({ kind: 'answers' });
  });

  it('is closed in the end', async () => {
    const { url, server } = await serve(good);
    const peers = openPeers();
    await ask(url, LIMIT_MS, peers);
    const closed = once(server, 'close');
    peers.close();
    server.close();
    await closed;
    expect(server.listening).toBe(false);
  });
});

describe('TLS', () => {
  const openCertificates = () => {
    const directory = mkdtempSync(join(tmpdir(), 'matriarch-peers-'));
    onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
    const authority = createAuthority(directory, 'authority');
    const other = createAuthority(directory, 'other');
    return { authority, other, member: createCertificate(authority, directory) };
  };

  type Certificates = ReturnType<typeof openCertificates>;

  const serveSecurely = async ({ member, authority }: Certificates, asksForClient: boolean) => {
    const server = createSecureServer(
      {
        cert: readFileSync(member.certFile),
        key: readFileSync(member.keyFile),
        ca: readFileSync(authority.certFile),
        requestCert: asksForClient,
        rejectUnauthorized: asksForClient,
      },
      good,
    );
    const port = await listen(server);
    onTestFinished(() => {
      server.closeAllConnections();
      server.close();
    });
    return `https://127.0.0.1:${port}/patroni`;
  };

  it('is spoken, and without an authority nobody is verified', async () => {
    const url = await serveSecurely(openCertificates(), false);
    expect(await ask(url)).toMatchObject({ kind: 'answers' });
  });

  it('verifies members with the authority of their certificates', async () => {
    const certificates = openCertificates();
    const url = await serveSecurely(certificates, false);
    const trusting = openPeers({ caFile: certificates.authority.certFile });
    expect(await ask(url, LIMIT_MS, trusting)).toMatchObject({ kind: 'answers' });
    const distrusting = openPeers({ caFile: certificates.other.certFile });
    expect(await ask(url, LIMIT_MS, distrusting)).toMatchObject({ kind: 'no-answer' });
  });

  it('shows our own certificate to those who ask for one', async () => {
    const certificates = openCertificates();
    const url = await serveSecurely(certificates, true);
    expect(await ask(url, LIMIT_MS, openPeers(certificates.member))).toMatchObject({
      kind: 'answers',
    });
    expect(await ask(url)).toMatchObject({ kind: 'no-answer' });
  });
});

describe('asking for a promise', () => {
  const question = { body: '{"name":"pg1"}', limitMs: LIMIT_MS };
  const askOf = async (listener: RequestListener, peers = openPeers()) => {
    const { url } = await serve(listener);
    const answers = await peers.askPromises([{ name: memberName('pg2'), apiUrl: url }], question);
    return answers['pg2'];
  };

  it('posts the question to /failsafe, with credentials', async () => {
    const seen: unknown[] = [];
    const credentials = { username: 'admin', password: 'sécret' };
    const peers = createHttpPeers(
      { caFile: undefined, certFile: undefined, keyFile: undefined },
      credentials,
    );
    onTestFinished(() => peers.close());
    const answer = await askOf((request, response) => {
      let body = '';
      request.on('data', (chunk: Buffer) => {
        body += chunk.toString('utf8');
      });
      request.on('end', () => {
        const { method, url, headers } = request;
        seen.push({ method, url, body, authorization: headers.authorization });
        response.end('Accepted');
      });
    }, peers);
    expect(answer).toEqual({ kind: 'promised' });
    const authorization = `Basic ${Buffer.from('admin:sécret').toString('base64')}`;
    expect(seen).toEqual([
      { method: 'POST', url: '/failsafe', body: '{"name":"pg1"}', authorization },
    ]);
  });

  it.each([
    [500, 'Running as a leader', '500 Running as a leader'],
    [502, '<html><p>Failsafe mode is\nnot active</p></html>', '502 Failsafe mode is not active'],
    [200, 'Welcome', '200 Welcome'],
    [401, '', '401'],
  ])('takes %i %s for a refusal', async (status, said, because) => {
    const answer = await askOf((_request, response) => {
      response.writeHead(status).end(said);
    });
    expect(answer).toEqual({ kind: 'refused', because });
  });

  it('takes silence and nonsense for no answer', async () => {
    const peers = openPeers();
    const apiUrls = ['http://127.0.0.1:1/patroni', 'nonsense'];
    for (const apiUrl of apiUrls) {
      const asked = [{ name: memberName('pg2'), apiUrl }];
      const answers = await peers.askPromises(asked, { ...question, limitMs: SHORT_LIMIT_MS });
      expect(answers['pg2'], apiUrl).toMatchObject({ kind: 'no-answer' });
    }
  });
});
