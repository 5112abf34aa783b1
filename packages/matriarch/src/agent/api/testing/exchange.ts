import { type IncomingHttpHeaders, request as plainRequest } from 'node:http';
import { request as tlsRequest } from 'node:https';
import { connect } from 'node:net';
import type { Endpoint } from '@matriarch/protocol';

/** No answer may take longer; what is slower hangs. */
const ANSWER_LIMIT_MS = 15_000;

export interface Exchanged {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

export interface ExchangeOptions {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  /** Present: over TLS with these. */
  readonly tls?: { readonly ca: Buffer; readonly cert?: Buffer; readonly key?: Buffer };
  readonly signal?: AbortSignal;
}

/** One request over a connection of its own. */
export const exchange = (
  address: Endpoint,
  path: string,
  options: ExchangeOptions = {},
): Promise<Exchanged> =>
  new Promise((resolve, reject) => {
    const { method = 'GET', headers = {}, body, tls, signal } = options;
    const request = (tls === undefined ? plainRequest : tlsRequest)({
      ...address,
      path,
      method,
      headers: {
        ...(body === undefined ? {} : { 'content-length': String(Buffer.byteLength(body)) }),
        ...headers,
      },
      agent: false,
      timeout: ANSWER_LIMIT_MS,
      ...tls,
      ...(signal === undefined ? {} : { signal }),
    });
    request.on('timeout', () => request.destroy(new Error(`no answer to ${method} ${path}`)));
    request.on('error', reject);
    request.on('response', (response) => {
      let text = '';
      response.setEncoding('utf8');
      response.on('data', (chunk: string) => {
        text += chunk;
      });
      response.on('error', reject);
      response.on('end', () =>
        resolve({ status: response.statusCode ?? 0, headers: response.headers, body: text }),
      );
    });
    request.end(body);
  });

/** Sends bytes as they are and gathers whatever comes until the other side closes. */
export const exchangeRaw = (
  { host, port }: Endpoint,
  bytes: string,
  onData: (received: string) => void = () => undefined,
): Promise<string> =>
  new Promise((resolve, reject) => {
    const socket = connect(port, host);
    let received = '';
    const timer = setTimeout(() => {
      socket.destroy();
      reject(new Error(`the connection stayed open; received: ${received}`));
    }, ANSWER_LIMIT_MS);
    socket.setEncoding('utf8');
    socket.on('connect', () => socket.write(bytes));
    socket.on('data', (chunk: string) => {
      received += chunk;
      onData(received);
    });
    socket.on('error', () => undefined);
    socket.on('close', () => {
      clearTimeout(timer);
      resolve(received);
    });
  });
