import { connect } from 'node:net';
import type { PortOutcome } from '../../proxy/ports/outcome.ts';

export interface SocketQuestion {
  readonly path: string;
  readonly text: string;
  /** HAProxy's master answers only once it has seen the end of the question. */
  readonly endsInput: boolean;
}

/** HAProxy answers within a millisecond; this is for a machine that is busy. */
const ANSWER_LIMIT_MS = 2_000;
/** "show sess" of thousands of sessions. */
const ANSWER_BYTES_MAX = 16 * 1_024 * 1_024;

/** One connection, one line of commands, the whole answer. Never rejects. */
export const askSocket = (question: SocketQuestion): Promise<PortOutcome<{ answer: string }>> =>
  new Promise((resolve) => {
    const { path, text, endsInput } = question;
    const chunks: Buffer[] = [];
    let size = 0;
    const socket = connect({ path });
    const settle = (outcome: PortOutcome<{ answer: string }>): void => {
      clearTimeout(timer);
      socket.destroy();
      resolve(outcome);
    };
    const fail = (cause: string): void => settle({ kind: 'failed', cause: `${path}: ${cause}` });
    const timer = setTimeout(() => fail(`no answer in ${ANSWER_LIMIT_MS} ms`), ANSWER_LIMIT_MS);
    socket.on('error', (error) => fail(error.message));
    socket.on('connect', () => {
      if (endsInput) socket.end(`${text}\n`);
      else socket.write(`${text}\n`);
    });
    socket.on('data', (chunk) => {
      size += chunk.length;
      chunks.push(chunk);
      if (size > ANSWER_BYTES_MAX) fail(`an answer of more than ${ANSWER_BYTES_MAX} bytes`);
    });
    socket.on('end', () =>
      settle({ kind: 'done', answer: Buffer.concat(chunks).toString('utf8') }),
    );
  });
