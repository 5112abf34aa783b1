/** Applications: writers that insert rows of their own, readers that count them. */
import { setTimeout as sleep } from 'node:timers/promises';
import { Client } from 'pg';
import type { Ledger } from './ledger.ts';

/**
 * Rest between two statements of one client. At a few milliseconds two cores with three servers on
 * them are busy all the time, and what is measured is how long everything waits for a processor.
 */
const THINK_MS = 20;
const RECONNECT_MS = 20;
const CONNECT_LIMIT_MS = 10_000;
/** A statement without an answer for so long counts as broken. */
const STATEMENT_LIMIT_MS = 10_000;

export interface Door {
  readonly port: number;
  readonly database: string;
}

export interface TrafficParts {
  readonly user: string;
  readonly password: string;
  readonly writeDoors: readonly Door[];
  readonly readDoors: readonly Door[];
  readonly ledger: Ledger;
}

export interface Traffic {
  stop(): Promise<void>;
}

export const TABLE = 'matriarch_drill';

export const connect = async (
  { user, password }: Pick<TrafficParts, 'user' | 'password'>,
  { port, database }: Door,
): Promise<Client> => {
  const client = new Client({
    host: '127.0.0.1',
    port,
    database,
    user,
    password,
    connectionTimeoutMillis: CONNECT_LIMIT_MS,
    query_timeout: STATEMENT_LIMIT_MS,
    application_name: 'matriarch drill',
  });
  // Without a listener a broken connection between two statements would end the process.
  client.on('error', () => undefined);
  await client.connect();
  return client;
};

/** One client per door; each keeps going until it is stopped, whatever its connection does. */
export const startTraffic = (parts: TrafficParts): Traffic => {
  let stopped = false;
  const isStopped = (): boolean => stopped;
  const clients = [
    ...parts.writeDoors.map((door, index) =>
      keepGoing(parts, isStopped, { door, turn: writer(parts.ledger, index) }),
    ),
    ...parts.readDoors.map((door) =>
      keepGoing(parts, isStopped, { door, turn: reader(parts.ledger) }),
    ),
  ];
  return {
    stop: async () => {
      stopped = true;
      await Promise.all(clients);
    },
  };
};

/** One statement; false when the connection is of no use any more. */
type Turn = (client: Client) => Promise<boolean>;

const keepGoing = async (
  parts: TrafficParts,
  isStopped: () => boolean,
  { door, turn }: { readonly door: Door; readonly turn: Turn },
): Promise<void> => {
  while (!isStopped()) {
    let client: Client;
    try {
      client = await connect(parts, door);
    } catch {
      await sleep(RECONNECT_MS);
      continue;
    }
    while (!isStopped() && (await turn(client))) await sleep(THINK_MS);
    client.end().catch(() => undefined);
    if (!isStopped()) await sleep(RECONNECT_MS);
  }
};

const writer = (ledger: Ledger, index: number): Turn => {
  let count = 0;
  return async (client) => {
    count += 1;
    const id = `${index}-${count}`;
    try {
      await client.query(`insert into ${TABLE} (id) values ($1)`, [id]);
      ledger.recordWrite(id, 'acknowledged');
      return true;
    } catch (error) {
      ledger.recordWrite(id, isRefusal(error) ? 'failed' : 'unknown');
      return false;
    }
  };
};

/** An SQL error is an answer: the row is not there. A broken connection is none. */
const isRefusal = (error: unknown): boolean =>
  error instanceof Error && 'severity' in error && error.severity === 'ERROR';

const reader =
  (ledger: Ledger): Turn =>
  async (client) => {
    try {
      await client.query(`select id from ${TABLE} where id = '0-1'`);
      ledger.recordRead(true);
      return true;
    } catch {
      ledger.recordRead(false);
      return false;
    }
  };
