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
  /** Absent: this machine. */
  readonly host?: string;
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
  { host = '127.0.0.1', port, database }: Door,
): Promise<Client> => {
  const client = new Client({
    host,
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

/**
 * An application that knows the servers themselves, and stays with the primary it has found until
 * that leaves it. Nothing stands between it and a server that should be silent.
 */
export const startDirectWriter = (
  parts: Pick<TrafficParts, 'user' | 'password' | 'ledger'>,
  doors: readonly Door[],
): Traffic => {
  let stopped = false;
  const turn = writer(parts.ledger, 'direct');
  const work = async (): Promise<void> => {
    for (let index = 0; !stopped; index += 1) {
      const door = doors[index % doors.length];
      const client = door === undefined ? undefined : await enterPrimary(parts, door);
      if (client === undefined) {
        await sleep(RECONNECT_MS);
        continue;
      }
      while (!stopped && (await turn(client))) await sleep(THINK_MS);
      client.end().catch(() => undefined);
    }
  };
  const working = work();
  return {
    stop: async () => {
      stopped = true;
      await working;
    },
  };
};

/** Undefined: it is not the primary, or nobody is let in. */
const enterPrimary = async (
  parts: Pick<TrafficParts, 'user' | 'password'>,
  door: Door,
): Promise<Client | undefined> => {
  let client: Client | undefined;
  try {
    client = await connect(parts, door);
    const { rows } = await client.query<{ standby: boolean }>(
      'select pg_is_in_recovery() as standby',
    );
    if (rows[0]?.standby === false) return client;
  } catch {
    // Another one is tried next.
  }
  client?.end().catch(() => undefined);
  return undefined;
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
    } catch (error) {
      parts.ledger.recordTrouble(error, 'login');
      await sleep(RECONNECT_MS);
      continue;
    }
    while (!isStopped() && (await turn(client))) await sleep(THINK_MS);
    client.end().catch(() => undefined);
    if (!isStopped()) await sleep(RECONNECT_MS);
  }
};

const writer = (ledger: Ledger, name: number | string): Turn => {
  let count = 0;
  return async (client) => {
    count += 1;
    const id = `${name}-${count}`;
    try {
      await client.query(`insert into ${TABLE} (id) values ($1)`, [id]);
      ledger.recordWrite(id, 'acknowledged');
      return true;
    } catch (error) {
      ledger.recordWrite(id, isRefusal(error) ? 'failed' : 'unknown');
      ledger.recordTrouble(error, 'statement');
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
    } catch (error) {
      ledger.recordRead(false);
      ledger.recordTrouble(error, 'statement');
      return false;
    }
  };
