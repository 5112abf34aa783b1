import { Socket } from 'node:net';
import { readFile } from 'node:fs/promises';
import { Client } from 'pg';
import { codeOf, messageOf } from './answer.ts';

/** Where and as whom to connect. */
export interface SqlTarget {
  /** A host, or the directory of a unix socket. */
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly password: string | undefined;
  readonly database: string;
  readonly applicationName: string;
  /** libpq's TLS words. */
  readonly options: Readonly<Record<string, string>>;
  /** A connection of the replication protocol: no parameters, IDENTIFY_SYSTEM and the like. */
  readonly replication?: boolean | undefined;
  /** After this time the server itself ends a statement, so that none is left behind on it. */
  readonly statementLimitMs: number;
}

export type SqlRow = Readonly<Record<string, unknown>>;

export type SqlAnswer =
  | { readonly kind: 'rows'; readonly rows: readonly SqlRow[] }
  /** The server answered with an error. `code`: its SQLSTATE. */
  | { readonly kind: 'refused'; readonly code: string; readonly message: string }
  /** No connection, or none any more. */
  | { readonly kind: 'unreachable'; readonly message: string }
  /** The statement may or may not have been carried out. */
  | { readonly kind: 'timed-out'; readonly message: string };

export interface SqlQuery {
  readonly text: string;
  readonly values?: readonly unknown[];
  readonly limitMs: number;
}

/** One connection to one server, made when it is needed and made anew when it is lost. */
export interface SqlSession {
  query(query: SqlQuery): Promise<SqlAnswer>;
  close(): void;
}

export const CONNECT_LIMIT_MS = 3_000;
/** How long an abandoned connection may take to say goodbye. */
const GOODBYE_MS = 200;

const SQLSTATE = /^[0-9A-Z]{5}$/;

interface Connection {
  readonly client: Client;
  readonly socket: Socket;
  /** Set by the first fault; a connection is never used again after one. */
  broken: string | undefined;
}

/**
 * A session on whatever `target` answers; asked again for each new connection, since a server may
 * come back elsewhere. Queries must not overlap: one connection carries one at a time.
 */
export const createSqlSession = (
  target: () => Promise<SqlTarget | undefined>,
  noTarget = 'there is no server to connect to',
): SqlSession => {
  let connection: Connection | undefined;
  const drop = (reason: string): void => {
    if (connection !== undefined) abandon(connection, reason);
    connection = undefined;
  };
  return {
    query: async (query) => {
      const deadline = performance.now() + query.limitMs;
      if (connection?.broken !== undefined) drop(connection.broken);
      if (connection === undefined) {
        const wanted = await target();
        if (wanted === undefined) return { kind: 'unreachable', message: noTarget };
        const limitMs = Math.min(CONNECT_LIMIT_MS, query.limitMs);
        const made = await connect(wanted, limitMs);
        if ('kind' in made) return made;
        connection = made;
      }
      const leftMs = Math.max(1, Math.ceil(deadline - performance.now()));
      const answer = await ask(connection, query, leftMs);
      // After an error of the server's the connection is as good as before.
      if (answer.kind === 'unreachable' || answer.kind === 'timed-out') drop(answer.message);
      return answer;
    },
    close: () => drop('closed'),
  };
};

/** One query on a connection of its own. */
export const querySql = async (target: SqlTarget, query: SqlQuery): Promise<SqlAnswer> => {
  const session = createSqlSession(() => Promise.resolve(target));
  try {
    return await session.query(query);
  } finally {
    session.close();
  }
};

const abandon = (connection: Connection, reason: string): void => {
  connection.broken = reason;
  // A polite end waits for the server, which may never answer.
  if (connection.socket.writable) connection.client.end().catch(() => undefined);
  connection.socket.destroySoon();
  setTimeout(() => connection.socket.destroy(), GOODBYE_MS).unref();
};

type Unconnected = Exclude<SqlAnswer, { kind: 'rows' }>;

const connect = async (target: SqlTarget, limitMs: number): Promise<Connection | Unconnected> => {
  const ssl = await tlsOptions(target).catch((error: unknown) => messageOf(error));
  if (typeof ssl === 'string')
    return { kind: 'unreachable', message: `a file for TLS cannot be read: ${ssl}` };
  const first = await connectOnce(target, limitMs, ssl);
  // sslmode=prefer, libpq's default: encrypted where the server can, plain where it cannot.
  const mayBePlain = ['prefer', 'allow'].includes(target.options['sslmode'] ?? 'prefer');
  const noTls = 'kind' in first && first.kind === 'unreachable' && NO_TLS.test(first.message);
  return noTls && mayBePlain ? connectOnce(target, limitMs, false) : first;
};

const NO_TLS = /does not support SSL/;

const connectOnce = async (
  target: SqlTarget,
  limitMs: number,
  ssl: false | object,
): Promise<Connection | Unconnected> => {
  const socket = new Socket();
  const settings = {
    host: target.host,
    port: target.port,
    user: target.user,
    database: target.database,
    application_name: target.applicationName,
    connectionTimeoutMillis: limitMs,
    statement_timeout: target.statementLimitMs,
    lock_timeout: target.statementLimitMs,
    stream: () => socket,
    ssl,
    ...(target.password === undefined ? {} : { password: target.password }),
    ...(target.replication === true ? { replication: 'true' } : {}),
  };
  const client = new Client(settings);
  const connection: Connection = { client, socket, broken: undefined };
  // Without a listener an 'error' event ends the process.
  client.on('error', (error) => {
    connection.broken = messageOf(error);
  });
  try {
    await client.connect();
    return connection;
  } catch (error) {
    abandon(connection, messageOf(error));
    return refusal(error);
  }
};

const refusal = (error: unknown): Unconnected => {
  const code = codeOf(error);
  const message = messageOf(error);
  return code !== undefined && SQLSTATE.test(code)
    ? { kind: 'refused', code, message }
    : { kind: 'unreachable', message: code === undefined ? message : `${code}: ${message}` };
};

const ask = async (
  connection: Connection,
  { text, values }: SqlQuery,
  limitMs: number,
): Promise<SqlAnswer> => {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<SqlAnswer>((resolve) => {
    const message = `no answer within ${limitMs} ms`;
    timer = setTimeout(() => resolve({ kind: 'timed-out', message }), limitMs);
  });
  const work = connection.client
    .query(values === undefined ? { text } : { text, values: [...values] })
    .then(
      (result): SqlAnswer => ({ kind: 'rows', rows: rowsOf(result) }),
      (error: unknown): SqlAnswer => {
        const answer = refusal(error);
        return connection.broken === undefined || answer.kind === 'refused'
          ? answer
          : { kind: 'unreachable', message: connection.broken };
      },
    );
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
};

/** Several statements in one text answer with one result each: the last one's rows count. */
const rowsOf = (result: unknown): readonly SqlRow[] => {
  const last: unknown = Array.isArray(result) ? result.at(-1) : result;
  if (typeof last !== 'object' || last === null || !('rows' in last)) return [];
  return asRows(last.rows);
};

/** A list of rows, as a query's result or as JSON inside one. */
export const asRows = (value: unknown): readonly SqlRow[] =>
  Array.isArray(value) ? (value as readonly SqlRow[]) : [];

/** A column that is text; for any other value the empty text. */
export const textOf = (value: unknown): string => (typeof value === 'string' ? value : '');

/** libpq's sslmode in Node's words. Through a unix socket nothing is encrypted. */
const tlsOptions = async ({ host, options }: SqlTarget): Promise<false | object> => {
  const mode = options['sslmode'] ?? 'prefer';
  if (host.startsWith('/') || mode === 'disable' || mode === 'allow') return false;
  const file = async (name: string): Promise<Buffer | undefined> => {
    const path = options[name];
    if (path === undefined || path === 'system') return undefined;
    return readFile(path);
  };
  const ca = await file('sslrootcert');
  const verifies = mode === 'verify-ca' || mode === 'verify-full' || ca !== undefined;
  return {
    rejectUnauthorized: verifies,
    ca,
    cert: await file('sslcert'),
    key: await file('sslkey'),
    passphrase: options['sslpassword'],
    ...(mode === 'verify-full' ? {} : { checkServerIdentity: () => undefined }),
  };
};
