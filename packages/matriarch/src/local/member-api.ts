/** The REST API of a member, as the command line uses it. */
import { request as httpRequest } from 'node:http';
import { request as httpsRequest } from 'node:https';

export interface ApiCall {
  readonly method: 'GET' | 'POST' | 'DELETE';
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
    const timer = setTimeout(
      () => request.destroy(new Error(`no answer within ${call.limitMs} ms`)),
      call.limitMs,
    );
    request.on('error', (error) => {
      clearTimeout(timer);
      resolve({ kind: 'no-answer', cause: error.message });
    });
    request.on('response', (response) => {
      let answer = '';
      response.setEncoding('utf8');
      response.on('data', (chunk: string) => {
        answer += chunk;
      });
      response.on('end', () => {
        clearTimeout(timer);
        resolve({ kind: 'answered', status: response.statusCode ?? 0, text: answer });
      });
    });
    request.end(text);
  });

const basic = ({ username, password }: { username: string; password: string }): string =>
  `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`;
