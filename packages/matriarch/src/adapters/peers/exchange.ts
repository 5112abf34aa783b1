import {
  type ClientRequest,
  type Agent as HttpAgent,
  type IncomingMessage,
  request as httpRequest,
} from 'node:http';
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https';

/** An answer is a few kilobytes; whatever sends more is not one of our members. */
const BODY_LIMIT_BYTES = 256 * 1024;

export interface Exchange {
  readonly url: string;
  readonly agent: HttpAgent | HttpsAgent;
  readonly limitMs: number;
  /** With a body it is a POST. */
  readonly body?: string | undefined;
  readonly headers?: Readonly<Record<string, string>> | undefined;
}

export type ExchangeResult =
  | { readonly kind: 'answered'; readonly status: number; readonly body: string }
  | { readonly kind: 'no-answer'; readonly cause: string };

/** One question and its answer, within the limit. What is asked may be asked twice. */
export const exchange = (question: Exchange): Promise<ExchangeResult> =>
  new Promise((resolve) => {
    const { url, limitMs } = question;
    let call: ClientRequest | undefined;
    let isSettled = false;
    const settle = (answer: ExchangeResult): void => {
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
      const sent = open(question);
      call = sent;
      sent.on('error', (error) => {
        // The member may have closed a kept connection just when we used it again.
        if (!isSettled && sent.reusedSocket && isReset(error)) send();
        else fail(error.message);
      });
      sent.on('response', (response) => readAnswer(response, settle, fail));
      sent.end(question.body);
    };
    try {
      send();
    } catch (error) {
      fail(`${url} cannot be asked: ${String(error)}`);
    }
  });

const open = ({ url, agent, body, headers }: Exchange): ClientRequest => {
  const options = {
    agent,
    method: body === undefined ? 'GET' : 'POST',
    headers:
      body === undefined
        ? { ...headers }
        : {
            ...headers,
            'content-type': 'application/json',
            'content-length': Buffer.byteLength(body),
          },
  };
  return agent instanceof HttpsAgent ? httpsRequest(url, options) : httpRequest(url, options);
};

const isReset = (error: Error): boolean => 'code' in error && error.code === 'ECONNRESET';

const readAnswer = (
  response: IncomingMessage,
  settle: (answer: ExchangeResult) => void,
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
    if (body.length > BODY_LIMIT_BYTES) return;
    settle({ kind: 'answered', status: response.statusCode ?? 0, body });
  });
  // What is settled by then stays so.
  response.on('close', () => fail('the connection was closed in the middle of the answer'));
};
