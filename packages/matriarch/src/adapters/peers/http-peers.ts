import { readFileSync } from 'node:fs';
import { Agent as HttpAgent } from 'node:http';
import { Agent as HttpsAgent } from 'node:https';
import type { PeerAnswer, PromiseAnswer } from '@matriarch/core';
import { parsePeerStatus } from '@matriarch/protocol';
import type { PeerAddress, Peers, PromiseQuestion } from '../../agent/ports/peers.ts';
import { type Exchange, exchange } from './exchange.ts';

export interface PeerTls {
  /** Certificate authority of the members' certificates; without it they are not verified. */
  readonly caFile: string | undefined;
  readonly certFile: string | undefined;
  readonly keyFile: string | undefined;
}

/** What members want to see of whoever asks them for something. */
export interface PeerCredentials {
  readonly username: string;
  readonly password: string;
}

/** Patroni's whole answer to a primary it promises to. */
const ACCEPTED = 'Accepted';
const SAID_LENGTH = 200;

/** Asks members over their REST API, with connections kept open between two questions. */
export const createHttpPeers = (tls: PeerTls | undefined, credentials?: PeerCredentials): Peers => {
  const read = (file: string | undefined): Buffer | undefined =>
    file === undefined ? undefined : readFileSync(file);
  const plain = new HttpAgent({ keepAlive: true, maxSockets: 2 });
  const secure = new HttpsAgent({
    keepAlive: true,
    maxSockets: 2,
    rejectUnauthorized: tls?.caFile !== undefined,
    ca: read(tls?.caFile),
    cert: read(tls?.certFile),
    key: read(tls?.keyFile),
  });
  const agentFor = (url: string): Exchange['agent'] => (url.startsWith('https:') ? secure : plain);
  const askAll = async <T>(
    peers: readonly PeerAddress[],
    ask: (apiUrl: string) => Promise<T>,
  ): Promise<Readonly<Record<string, T>>> =>
    Object.fromEntries(
      await Promise.all(peers.map(async ({ name, apiUrl }) => [name, await ask(apiUrl)] as const)),
    );
  return {
    ask: (peers, limitMs) =>
      askAll(peers, (url) => askStatus({ url, agent: agentFor(url), limitMs })),
    askPromises: (peers, question) =>
      askAll(peers, (url) => askPromise(url, agentFor(url), { question, credentials })),
    close: () => {
      plain.destroy();
      secure.destroy();
    },
  };
};

const askStatus = async (question: Exchange): Promise<PeerAnswer> => {
  const answer = await exchange(question);
  return answer.kind === 'answered' ? parsePeerStatus(answer.body) : answer;
};

interface PromiseCall {
  readonly question: PromiseQuestion;
  readonly credentials: PeerCredentials | undefined;
}

const askPromise = async (
  apiUrl: string,
  agent: Exchange['agent'],
  { question: { body, limitMs }, credentials }: PromiseCall,
): Promise<PromiseAnswer> => {
  const url = failsafeUrl(apiUrl);
  if (url === undefined) return { kind: 'no-answer', cause: `${apiUrl} cannot be asked` };
  const headers = credentials === undefined ? {} : { authorization: basicOf(credentials) };
  const answer = await exchange({ url, agent, limitMs, body, headers });
  if (answer.kind !== 'answered') return answer;
  if (answer.status === 200 && answer.body.trim() === ACCEPTED) return { kind: 'promised' };
  const said = answer.body
    .replaceAll(/<[^>]*>/g, ' ')
    .replaceAll(/\s+/g, ' ')
    .trim();
  return { kind: 'refused', because: `${answer.status} ${said}`.slice(0, SAID_LENGTH).trim() };
};

const failsafeUrl = (apiUrl: string): string | undefined =>
  URL.canParse(apiUrl) ? new URL('/failsafe', apiUrl).href : undefined;

const basicOf = ({ username, password }: PeerCredentials): string =>
  `Basic ${Buffer.from(`${username}:${password}`, 'utf8').toString('base64')}`;
