import type { IncomingMessage } from 'node:http';
import type { BodyAnswer } from './call.ts';
import { type Reply, pageReply, refuse } from './reply.ts';

const refused = (reply: Reply): BodyAnswer => ({ kind: 'refused', reply });

const tooLarge = (limitBytes: number): BodyAnswer =>
  refused(refuse('request-too-large', `the body is longer than ${limitBytes} bytes`));

/** Whether the client says that it sends one. */
export const hasBody = ({ headers }: IncomingMessage): boolean =>
  headers['content-length'] !== undefined || headers['transfer-encoding'] !== undefined;

/**
 * Reads a whole body of at most `limitBytes`. What is longer is not kept. How long it may take is
 * the web server's limit: it closes the connection of a client that does not come to an end.
 */
export const readBody = async (
  request: IncomingMessage,
  limitBytes: number,
): Promise<BodyAnswer> => {
  const { 'content-length': length } = request.headers;
  if (!hasBody(request)) return refused(pageReply(411, 'Content-Length is required'));
  if (Number(length) > limitBytes) return tooLarge(limitBytes);
  return new Promise((resolve) => {
    const chunks: Buffer[] = [];
    let bytes = 0;
    request.on('data', (chunk: Buffer) => {
      bytes += chunk.length;
      if (bytes <= limitBytes) chunks.push(chunk);
      else resolve(tooLarge(limitBytes));
    });
    request.on('end', () =>
      resolve({ kind: 'body', text: Buffer.concat(chunks).toString('utf8') }),
    );
    request.on('close', () =>
      resolve(refused(refuse('request-invalid', 'the connection ended before the body did'))),
    );
    request.on('error', () => undefined);
  });
};
