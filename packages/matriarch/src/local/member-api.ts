/** The REST API of a member, as the command line uses it. */
import { request as httpRequest } from 'node:http';
import { request as httpsRequest } from 'node:https';

/** Whatever says more is no member of ours. */
const ANSWER_LIMIT_CHARACTERS = 1_048_576;

export interface ApiCall {
  readonly method: 'GET' | 'POST' | 'PATCH' | 'DELETE';
  readonly url: string;
  readonly body?: unknown;
  readonly authentication?: { readonly username: string; readonly password: string } | undefined;
  readonly limitMs: number;
}

export type ApiAnswer =
  | { readonly kind: 'answered'; readonly status: number; readonly text: string }
  | { readonly kind: 'no-answer'; readonly cause: string };

export const callApi = (call: ApiCall): Promise<ApiAnswer> =>
  new Promise((resolve) => {
    const { authentication, body } = call;
    const text = body === undefined ? undefined : JSON.stringify(body);
    const send = call.url.startsWith('https:') ? httpsRequest : httpRequest;
    const request = send(call.url, {
      method: call.method,
      // Members verify the client; their certificates are of whatever authority signed them.
      rejectUnauthorized: false,
      headers: {
        ...(text === undefined
          ? {}
          : { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) }),
        ...(authentication === undefined ? {} : { authorization: basic(authentication) }),
      },
    });
    const settle = (answer: ApiAnswer): void => {
      clearTimeout(timer);
      resolve(answer);
      request.destroy();
    };
    const fail = (cause: string): void => settle({ kind: 'no-answer', cause });
    const timer = setTimeout(() => fail(`no answer within ${call.limitMs} ms`), call.limitMs);
    request.on('error', ({ message }) => fail(message));
    request.on('response', (response) => {
      let answer = '';
      response.setEncoding('utf8');
      response.on('error', ({ message }) => fail(message));
      response.on('data', (chunk: string) => {
        answer += chunk;
        if (answer.length > ANSWER_LIMIT_CHARACTERS) fail('the answer is too long');
      });
      response.on('end', () =>
        settle({ kind: 'answered', status: response.statusCode ?? 0, text: answer }),
      );
      // What is settled by then stays so.
      response.on('close', () => fail('the connection was closed in the middle of the answer'));
    });
    request.end(text);
  });

const basic = ({ username, password }: { username: string; password: string }): string =>
  `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`;
