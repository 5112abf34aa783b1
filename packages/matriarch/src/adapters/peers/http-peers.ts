import { readFileSync } from 'node:fs';
import { type Agent, Agent as HttpAgent, get as httpGet } from 'node:http';
import { Agent as HttpsAgent, get as httpsGet } from 'node:https';
import type { PeerAnswer } from '@matriarch/core';
import { parsePeerStatus } from '@matriarch/protocol';
import type { PeerAddress, Peers } from '../../agent/ports/peers.ts';

/** A status document is a few kilobytes; whatever sends more is not one of our members. */
const BODY_LIMIT_BYTES = 256 * 1024;

export interface PeerTls {
  /** Certificate authority of the members' certificates; without it they are not verified. */
  readonly caFile: string | undefined;
  readonly certFile: string | undefined;
  readonly keyFile: string | undefined;
}

/** Asks members over their REST API, with connections kept open between two questions. */
export const createHttpPeers = (tls: PeerTls): Peers => {
  const read = (file: string | undefined): Buffer | undefined =>
    file === undefined ? undefined : readFileSync(file);
  const plain = new HttpAgent({ keepAlive: true, maxSockets: 2 });
  const secure = new HttpsAgent({
    keepAlive: true,
    maxSockets: 2,
    rejectUnauthorized: tls.caFile !== undefined,
    ca: read(tls.caFile),
    cert: read(tls.certFile),
    key: read(tls.keyFile),
  });
  return {
    ask: async (peers, limitMs) => {
      const answers = await Promise.all(
        peers.map((peer) =>
          askOne(peer, peer.apiUrl.startsWith('https:') ? secure : plain, limitMs),
        ),
      );
      return Object.fromEntries(peers.map(({ name }, index) => [name, answers[index] ?? silent]));
    },
    close: () => {
      plain.destroy();
      secure.destroy();
    },
  };
};

const silent: PeerAnswer = { kind: 'no-answer', cause: 'not asked' };

const askOne = (peer: PeerAddress, agent: Agent, limitMs: number): Promise<PeerAnswer> =>
  new Promise((resolve) => {
    const fail = (cause: string): void => resolve({ kind: 'no-answer', cause });
    const request = agent instanceof HttpsAgent ? httpsGet : httpGet;
    let call: ReturnType<typeof httpGet>;
    try {
      call = request(peer.apiUrl, { agent });
    } catch (error) {
      fail(`${peer.apiUrl} cannot be asked: ${String(error)}`);
      return;
    }
    const timer = setTimeout(() => {
      fail(`no answer within ${limitMs} ms`);
      call.destroy();
    }, limitMs);
    call.on('error', (error) => {
      clearTimeout(timer);
      fail(error.message);
    });
    call.on('response', (response) => {
      let body = '';
      response.setEncoding('utf8');
      response.on('data', (chunk: string) => {
        body += chunk;
        if (body.length > BODY_LIMIT_BYTES) call.destroy(new Error('the answer is too long'));
      });
      response.on('end', () => {
        clearTimeout(timer);
        resolve(parsePeerStatus(body));
      });
    });
  });
