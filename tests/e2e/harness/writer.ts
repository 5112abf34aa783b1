/**
 * Applications for tests. Each writer inserts rows nobody else inserts, on a connection of its own,
 * finds the primary by the members' REST API, and writes down what became of each row. Afterwards
 * every acknowledged row has to be found on the primary.
 */
import { setTimeout as pause } from 'node:timers/promises';
import { Client } from 'pg';
import { SUPERUSER } from './agent-file.ts';
import type { Member } from './member.ts';

const CONNECT_LIMIT_MS = 2_000;
const STATEMENT_LIMIT_MS = 3_000;
const LOOK_LIMIT_MS = 500;
const LOOK_INTERVAL_MS = 20;

/** The timeline a primary writes, from the name of the file it writes to. */
const TIMELINE = `
  select ('x' || left(pg_walfile_name(pg_current_wal_lsn()), 8))::bit(32)::int as timeline`;

export interface WriteRecord {
  readonly row: string;
  readonly member: string;
  readonly timeline: number;
  readonly sentAt: number;
  readonly answeredAt: number;
  /** `unknown`: the connection broke before an answer came; the row may be there or not. */
  readonly outcome: 'acknowledged' | 'failed' | 'unknown';
  readonly error?: string | undefined;
}

/** What a balance says when all is as the applications were told. */
export const NOTHING_LOST = { lost: [], risen: [], split: [] };

export interface LoadOptions {
  readonly writers?: number | undefined;
  /** Rest of a writer between two rows. */
  readonly restMs?: number | undefined;
}

export interface Balance {
  readonly acknowledged: number;
  readonly unknown: number;
  readonly failed: number;
  /** Acknowledged rows that are not there. */
  readonly lost: readonly WriteRecord[];
  /** Rows the server said it had not written, and that are there all the same. */
  readonly risen: readonly string[];
  /** Writes acknowledged by a primary although a later primary had begun to acknowledge. */
  readonly split: readonly WriteRecord[];
  /** Longest time between two acknowledged writes of one writer. */
  readonly longestGapMs: number;
}

let tables = 0;

/** Errors with which a server says goodbye: the commit before may have happened. */
const isGoodbye = (code: string): boolean => code.startsWith('57P') || code.startsWith('08');

export class Load {
  readonly table: string;
  readonly records: WriteRecord[] = [];
  readonly #members: readonly Member[];
  readonly #options: LoadOptions;
  readonly #writers: Promise<void>[];
  #stopped = false;
  #acknowledged = 0;

  constructor(members: readonly Member[], options: LoadOptions = {}) {
    tables += 1;
    this.table = `written_${tables}`;
    this.#members = members;
    this.#options = options;
    const count = options.writers ?? 4;
    this.#writers = Array.from({ length: count }, (_, index) => this.#write(index + 1));
  }

  get acknowledged(): number {
    return this.#acknowledged;
  }

  /** Rows a member acknowledged. */
  acknowledgedBy(member: Member): number {
    return this.records.filter(
      ({ outcome, member: name }) => outcome === 'acknowledged' && name === member.name,
    ).length;
  }

  /** Ends all writers; what is under way is still answered, or counted as unknown. */
  async stop(): Promise<void> {
    this.#stopped = true;
    await Promise.all(this.#writers);
  }

  async #write(writer: number): Promise<void> {
    for (let row = 1; !this.#stopped; ) {
      const session = await this.#connect();
      if (session === undefined) {
        await pause(LOOK_INTERVAL_MS);
        continue;
      }
      while (!this.#stopped && !session.isBroken()) {
        await this.#insert(session, `${writer}-${row}`);
        row += 1;
        await pause(this.#options.restMs ?? 2);
      }
      session.client.end().catch(() => undefined);
    }
  }

  async #insert(session: Session, row: string): Promise<void> {
    const { client, member, timeline } = session;
    const sentAt = performance.now();
    const note = (outcome: WriteRecord['outcome'], error?: string): void => {
      const answeredAt = performance.now();
      this.records.push({ row, member, timeline, sentAt, answeredAt, outcome, error });
    };
    try {
      await client.query(`insert into ${this.table} values ($1)`, [row]);
      this.#acknowledged += 1;
      note('acknowledged');
    } catch (error) {
      const { code, message } = error as { code?: string; message: string };
      const isAnswer = code !== undefined && /^[0-9A-Z]{5}$/u.test(code) && !isGoodbye(code);
      note(isAnswer ? 'failed' : 'unknown', `${code ?? ''} ${message}`);
      session.break();
    }
  }

  async #connect(): Promise<Session | undefined> {
    const member = await this.#findPrimary();
    if (member === undefined || this.#stopped) return undefined;
    const client = new Client({
      host: '127.0.0.1',
      port: member.postgresPort,
      user: SUPERUSER.username,
      password: SUPERUSER.password,
      database: 'postgres',
      application_name: 'load',
      connectionTimeoutMillis: CONNECT_LIMIT_MS,
      query_timeout: STATEMENT_LIMIT_MS,
    });
    let broken = false;
    const isDone = (): void => {
      broken = true;
    };
    client.on('error', isDone);
    client.on('end', isDone);
    try {
      await client.connect();
      await client.query(`create table if not exists ${this.table} (row text primary key)`);
      const { rows } = await client.query<{ timeline: number }>(TIMELINE);
      const timeline = rows[0]?.timeline ?? 0;
      return { client, member: member.name, timeline, isBroken: () => broken, break: isDone };
    } catch {
      // Not the primary any more, or two writers made the table at once: look again.
      client.end().catch(() => undefined);
      return undefined;
    }
  }

  async #findPrimary(): Promise<Member | undefined> {
    const answers = this.#members.map(async (member) => {
      const answer = await member.rest('/primary', { limitMs: LOOK_LIMIT_MS });
      if (answer?.status !== 200) throw new Error('not the primary');
      return member;
    });
    return Promise.any(answers).catch(() => undefined);
  }

  /** Compares what was acknowledged with what is there. Stop the load first. */
  async account(finalPrimary: Member): Promise<Balance> {
    const rows = await finalPrimary.query<{ row: string }>(`select row from ${this.table}`);
    const there = new Set(rows.map(({ row }) => row));
    const of = (outcome: WriteRecord['outcome']): readonly WriteRecord[] =>
      this.records.filter((record) => record.outcome === outcome);
    return {
      acknowledged: of('acknowledged').length,
      unknown: of('unknown').length,
      failed: of('failed').length,
      lost: of('acknowledged').filter(({ row }) => !there.has(row)),
      risen: of('failed').flatMap(({ row }) => (there.has(row) ? [row] : [])),
      split: findSplit(of('acknowledged')),
      longestGapMs: Math.round(longestGapMs(of('acknowledged'))),
    };
  }
}

interface Session {
  readonly client: Client;
  readonly member: string;
  readonly timeline: number;
  readonly isBroken: () => boolean;
  readonly break: () => void;
}

/**
 * A timeline ends with the promotion to the next one. A write that was sent when a later timeline had
 * acknowledged one already, and that was acknowledged all the same, shows two primaries.
 */
const findSplit = (acknowledged: readonly WriteRecord[]): readonly WriteRecord[] => {
  const begun = new Map<number, number>();
  for (const { timeline, answeredAt } of acknowledged)
    begun.set(timeline, Math.min(begun.get(timeline) ?? Infinity, answeredAt));
  return acknowledged.filter(({ timeline, sentAt }) =>
    [...begun].some(([later, since]) => later > timeline && since < sentAt),
  );
};

const longestGapMs = (acknowledged: readonly WriteRecord[]): number => {
  const last = new Map<string, number>();
  let longest = 0;
  for (const { row, answeredAt } of acknowledged) {
    const writer = row.split('-')[0] ?? '';
    longest = Math.max(longest, answeredAt - (last.get(writer) ?? answeredAt));
    last.set(writer, answeredAt);
  }
  return longest;
};
