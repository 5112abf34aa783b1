import { readFileSync } from 'node:fs';
import {
  type Agent,
  type ClientRequest,
  Agent as HttpAgent,
  type IncomingMessage,
  get as httpGet,
} from 'node:http';
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

/** One question and its answer, within the limit. */
const askOne = (peer: PeerAddress, agent: Agent, limitMs: number): Promise<PeerAnswer> =>
  new Promise((resolve) => {
    let call: ClientRequest | undefined;
    let isSettled = false;
    const settle = (answer: PeerAnswer): void => {
      isSettled = true;
      clearTimeout(timer);
      resolve(answer);
    };
    const fail = (cause: string): void => {
      if (isSettled) return;
      settle({ kind: 'no-answer', cause });
      call?.destroy();
    };
    const timer = setTimeout(() => fail(`no answer within ${limitMs} ms`), limitMs);
    const send = (): void => {
      const sent = (agent instanceof HttpsAgent ? httpsGet : httpGet)(peer.apiUrl, { agent });
      call = sent;
      sent.on('error', (error) => {
        // The member may have closed a kept connection just when we used it again.
        if (!isSettled && sent.reusedSocket && isReset(error)) send();
        else fail(error.message);
      });
      sent.on('response', (response) => readAnswer(response, settle, fail));
    };
    try {
      send();
    } catch (error) {
      fail(`${peer.apiUrl} cannot be asked: ${String(error)}`);
    }
  });

const isReset = (error: Error): boolean => 'code' in error && error.code === 'ECONNRESET';

const readAnswer = (
  response: IncomingMessage,
  settle: (answer: PeerAnswer) => void,
  fail: (cause: string) => void,
): void => {
  let body = '';
  response.setEncoding('utf8');
  response.on('data', (chunk: string) => {
    body += chunk;
    if (body.length > BODY_LIMIT_BYTES) fail('the answer is too long');
  });
  response.on('error', (error) => fail(error.message));
  response.on('end', () => {
    if (body.length <= BODY_LIMIT_BYTES) settle(parsePeerStatus(body));
  });
  // What is settled by then stays so.
  response.on('close', () => fail('the connection was closed in the middle of the answer'));
};
