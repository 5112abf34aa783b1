import { type ClientRequest, get as httpGet, type IncomingMessage } from 'node:http';
import { get as httpsGet } from 'node:https';

export interface BytesRequest {
  readonly url: string;
  readonly authorization: string;
  readonly limitMs: number;
  readonly bytesMax: number;
  /** Without an authority the members' certificates are not verified. */
  readonly tls: {
    readonly ca: Buffer | undefined;
    readonly cert: Buffer | undefined;
    readonly key: Buffer | undefined;
  };
}

export type BytesAnswer =
  | { readonly kind: 'done'; readonly bytes: Buffer }
  | { readonly kind: 'failed'; readonly cause: string };

/** One file from another member, whole or not at all. */
export const getBytes = (request: BytesRequest): Promise<BytesAnswer> =>
  new Promise((resolve) => {
    const { url, authorization, limitMs, tls } = request;
    let call: ClientRequest | undefined;
    const settle = (answer: BytesAnswer): void => {
      clearTimeout(timer);
      resolve(answer);
    };
    const fail = (cause: string): void => {
      settle({ kind: 'failed', cause });
      call?.destroy();
    };
    const timer = setTimeout(() => fail(`no answer within ${limitMs} ms`), limitMs);
    try {
      const headers = { authorization };
      call = url.startsWith('https:')
        ? httpsGet(url, { headers, ...tls, rejectUnauthorized: tls.ca !== undefined })
        : httpGet(url, { headers });
      call.on('error', (error) => fail(error.message));
      call.on('response', (response) => collect(response, { request, settle, fail }));
    } catch (error) {
      fail(`${url} cannot be asked: ${String(error)}`);
    }
  });

interface Collecting {
  readonly request: BytesRequest;
  readonly settle: (answer: BytesAnswer) => void;
  readonly fail: (cause: string) => void;
}

const collect = (response: IncomingMessage, { request, settle, fail }: Collecting): void => {
  const chunks: Buffer[] = [];
  let length = 0;
  response.on('data', (chunk: Buffer) => {
    length += chunk.length;
    if (length > request.bytesMax) fail('the answer is too long');
    else chunks.push(chunk);
  });
  response.on('error', (error) => fail(error.message));
  response.on('end', () => {
    const bytes = Buffer.concat(chunks);
    if (response.statusCode === 200) settle({ kind: 'done', bytes });
    else fail(`status ${response.statusCode ?? 0}: ${bytes.toString('utf8', 0, 200)}`);
  });
  response.on('close', () => fail('the connection was closed in the middle of the answer'));
};
