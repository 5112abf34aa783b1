/**
 * Whether the postmaster still takes new connections. A session that is open tells nothing of it:
 * its backend goes on when the postmaster is stopped, and so do the applications' sessions.
 */
import { connect } from 'node:net';
import type { PostgresContext } from './context.ts';
import { ownServerTarget } from './own-server.ts';

/** A knock costs the server a process: once in a while is enough while all is well. */
const INTERVAL_MS = 1_000;
const LIMIT_MS = 1_000;

/**
 * The protocol's first question, whether the server speaks TLS: length 8, code 80877103. It is
 * answered with one byte by a process that the postmaster starts for it, before anybody has to log
 * in, and leaves nothing in the server's log.
 */
const QUESTION = Buffer.from([0, 0, 0, 8, 4, 210, 22, 47]);

export interface Knocker {
  /** False: nobody answered within the limit. True also when it is not time to knock again. */
  isAnswered(): Promise<boolean>;
}

export const createKnocker = (context: PostgresContext): Knocker => {
  let answeredAt: number | undefined;
  return {
    isAnswered: async () => {
      const now = performance.now();
      if (answeredAt !== undefined && now - answeredAt < INTERVAL_MS) return true;
      const target = await ownServerTarget(context, {
        applicationName: 'matriarch',
        statementLimitMs: LIMIT_MS,
      });
      // No postmaster.pid: the probe says so better.
      if (target === undefined) return true;
      const answered = await knock(target);
      answeredAt = answered ? now : undefined;
      return answered;
    },
  };
};

interface Door {
  /** A directory of unix sockets when it begins with a slash. */
  readonly host: string;
  readonly port: number;
}

/** A refused connection is an answer too: there is no postmaster, and the guard knows. */
const knock = ({ host, port }: Door): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = host.startsWith('/')
      ? connect(`${host}/.s.PGSQL.${port}`)
      : connect({ host, port });
    const end = (answered: boolean): void => {
      clearTimeout(timer);
      socket.destroy();
      resolve(answered);
    };
    const timer = setTimeout(() => end(false), LIMIT_MS);
    socket.on('connect', () => socket.write(QUESTION));
    socket.on('data', () => end(true));
    socket.on('error', () => end(true));
    socket.on('close', () => end(true));
  });
