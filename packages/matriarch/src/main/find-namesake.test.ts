/** Whether somebody of our name answers already: real servers on loopback. */
import { once } from 'node:events';
import { type RequestListener, createServer } from 'node:http';
import { type AddressInfo, createServer as createPlainServer } from 'node:net';
import { describe, expect, it, onTestFinished } from 'vitest';
import { buildSnapshot, memberDocument } from '../agent/api/testing/build-state.ts';
import { findNamesake } from './find-namesake.ts';

const serve = async (listener: RequestListener): Promise<string> => {
  const server = createServer(listener).listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/patroni`;
};

const snapshotOf = (apiUrl: string) =>
  buildSnapshot({ members: { pg1: memberDocument(1, { apiUrl }), pg2: memberDocument(2) } });

describe('a namesake', () => {
  it.each([200, 404, 503])('is found by any answer, also %i', async (status) => {
    const asked: unknown[] = [];
    const url = await serve(({ url: path }, response) => {
      asked.push(path);
      response.writeHead(status).end();
    });
    expect(await findNamesake('pg1', snapshotOf(url))).toBe(url);
    expect(asked).toEqual(['/liveness']);
  });

  it('is found by the beginning of an answer', async () => {
    const url = await serve((_request, response) => {
      response.writeHead(200);
      response.write('and so on');
    });
    expect(await findNamesake('pg1', snapshotOf(url))).toBe(url);
  });

  it('is only who has our name', async () => {
    const url = await serve((_request, response) => response.end());
    expect(await findNamesake('pg2', snapshotOf(url))).toBeUndefined();
    expect(await findNamesake('pg9', snapshotOf(url))).toBeUndefined();
  });

  it('that is gone does not count', async () => {
    const closed = createPlainServer().listen(0, '127.0.0.1');
    await once(closed, 'listening');
    const { port } = closed.address() as AddressInfo;
    closed.close();
    await once(closed, 'close');
    const url = `http://127.0.0.1:${port}/patroni`;
    expect(await findNamesake('pg1', snapshotOf(url))).toBeUndefined();
  });

  it('that says nothing does not count', async () => {
    const url = await serve(() => undefined);
    const begun = performance.now();
    expect(await findNamesake('pg1', snapshotOf(url))).toBeUndefined();
    expect(performance.now() - begun).toBeGreaterThan(1_000);
  });

  it.each(['', 'not a URL', 'ftp://127.0.0.1/'])('at %j cannot be asked', async (url) => {
    expect(await findNamesake('pg1', snapshotOf(url))).toBeUndefined();
  });
});
