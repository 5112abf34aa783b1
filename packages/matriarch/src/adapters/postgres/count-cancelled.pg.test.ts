/**
 * Shows that commits whose wait was cancelled are found in the log of a real server, in every way in
 * which they can be and in every format of its log: each once, whatever becomes of the log and of
 * whoever reads it; and that a stop is none of these ways.
 */
import { connect } from 'node:net';
import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { CancelledWaits } from '@matriarch/core';
import { Client } from 'pg';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import {
  openPostgresLab,
  type PostgresLab,
  type TestServer,
  waitUntil,
} from '../../testing/postgres.ts';
import { SUPERUSER } from '../../testing/postgres-context.ts';
import { createCancelCounter, type CancelCounter } from './count-cancelled.ts';
import { LOG_FORMATS } from './log-scan.ts';

let lab: PostgresLab;
const open: Client[] = [];

beforeAll(async () => {
  lab = await openPostgresLab();
}, 60_000);
afterEach(async () => {
  for (const client of open.splice(0)) await client.end().catch(() => undefined);
});
afterAll(() => lab?.close());

/** A server whose commits wait for nobody who is there, and which collects its log. */
const startServer = async (settings: Readonly<Record<string, string>>): Promise<TestServer> => {
  const server = await lab.createServer();
  await server.configure({
    synchronous_standby_names: 'nobody',
    log_filename: 'log-%S',
    lc_messages: 'C',
    ...settings,
  });
  await server.start({ until: /redirecting log output|accept connections/ });
  await waitUntil(
    'connections',
    async () => (await server.value('select 1').catch(() => '')) === '1',
  );
  await server.query('set synchronous_commit = local; create table if not exists t (i int)');
  return server;
};

interface Secret {
  readonly processID: number;
  readonly secretKey: number;
}

interface Waiting extends Secret {
  /** How the statement ended for its client. */
  readonly end: Promise<'committed' | 'lost'>;
}

const INSERT = 'insert into t values (1)';

/** A session whose commit waits. */
const commit = async (
  { port }: TestServer,
  statement = INSERT,
  limitMs?: number,
): Promise<Waiting> => {
  const client = new Client({
    host: '127.0.0.1',
    port,
    user: SUPERUSER.username,
    password: SUPERUSER.password,
    database: 'postgres',
    ...(limitMs === undefined ? {} : { statement_timeout: limitMs }),
  });
  client.on('error', () => undefined);
  open.push(client);
  await client.connect();
  const end = client.query(statement).then(
    () => 'committed' as const,
    () => 'lost' as const,
  );
  const { processID, secretKey } = client as unknown as Secret;
  return { processID, secretKey, end };
};

const untilWaiting = (server: TestServer, count: number): Promise<void> =>
  server.until("select count(*) from pg_stat_activity where wait_event = 'SyncRep'", String(count));

/** The request that libpq, psql and drivers send over a connection of its own. */
const requestCancel = ({ port }: TestServer, { processID, secretKey }: Secret): Promise<void> =>
  new Promise((resolve, reject) => {
    const message = Buffer.alloc(16);
    message.writeInt32BE(16, 0);
    message.writeInt32BE(80_877_102, 4);
    message.writeInt32BE(processID, 8);
    message.writeInt32BE(secretKey, 12);
    const socket = connect(port, '127.0.0.1', () => socket.end(message));
    socket.on('close', () => resolve());
    socket.on('error', reject);
  });

const pidOf = (server: TestServer): number => server.pid() ?? 0;

const look = async (counter: CancelCounter, server: TestServer): Promise<CancelledWaits> => {
  const answer = await counter.count(pidOf(server));
  if (answer.kind !== 'done') throw new Error(answer.cause);
  return answer;
};

/** Looks until so many were found: the log is written by a process of its own. */
const untilFound = async (
  counter: CancelCounter,
  server: TestServer,
  wanted: Pick<CancelledWaits, 'cancelled' | 'terminated'>,
): Promise<void> => {
  const sum = { cancelled: 0, terminated: 0 };
  await waitUntil(`${JSON.stringify(wanted)} in the log`, async () => {
    const found = await look(counter, server);
    sum.cancelled += found.cancelled;
    sum.terminated += found.terminated;
    return sum.cancelled >= wanted.cancelled && sum.terminated >= wanted.terminated;
  });
  expect(sum).toEqual(wanted);
  expect(await look(counter, server)).toMatchObject({ cancelled: 0, terminated: 0 });
};

const collectedFiles = ({ dataDirectory }: TestServer): Promise<string> =>
  readFile(join(dataDirectory, 'current_logfiles'), 'utf8');

const cancelOne = async (server: TestServer): Promise<void> => {
  const waiting = await commit(server);
  await untilWaiting(server, 1);
  await requestCancel(server, waiting);
  expect(await waiting.end).toBe('committed');
};

describe.each(LOG_FORMATS)('a log in the format %s', (format) => {
  it('tells of waits that were cancelled in each way', async () => {
    const server = await startServer({ logging_collector: 'on', log_destination: format });
    const counter = createCancelCounter(server.context());
    expect(await look(counter, server)).toEqual({
      kind: 'done',
      cancelled: 0,
      terminated: 0,
      isBehind: false,
      blind: undefined,
    });

    const asked = await commit(server);
    const told = await commit(server);
    const ended = await commit(server);
    await untilWaiting(server, 3);
    await requestCancel(server, asked);
    await server.query(`select pg_cancel_backend(${told.processID})`);
    await server.query(`select pg_terminate_backend(${ended.processID})`);
    // A statement's limit ends before its own commit begins; it holds for one inside of it.
    const late = await commit(server, `do $$ begin ${INSERT}; commit; end $$`, 500);
    expect(await Promise.all([asked.end, told.end, ended.end, late.end])).toEqual([
      'committed',
      'committed',
      'lost',
      'committed',
    ]);
    await untilFound(counter, server, { cancelled: 3, terminated: 1 });
    await server.stop();
  });
});

describe('a log that is read', () => {
  it('goes on in another file, under another reader, each line once', async () => {
    const server = await startServer({ logging_collector: 'on' });
    const first = createCancelCounter(server.context());
    await look(first, server);
    await cancelOne(server);
    const before = await collectedFiles(server);
    await waitUntil('another file', async () => {
      await server.query('select pg_rotate_logfile()');
      return (await collectedFiles(server)) !== before;
    });
    await cancelOne(server);
    await untilFound(first, server, { cancelled: 2, terminated: 0 });

    // The loop dies; while there is none, another wait is cancelled.
    await cancelOne(server);
    const second = createCancelCounter(server.context());
    await untilFound(second, server, { cancelled: 1, terminated: 0 });
    await server.stop();
  });

  it('says nothing of sessions that a stop has terminated', async () => {
    const server = await startServer({ logging_collector: 'on' });
    const counter = createCancelCounter(server.context());
    await look(counter, server);
    const waiting = await commit(server);
    await untilWaiting(server, 1);
    await server.stop();
    expect(await waiting.end).toBe('lost');
    await server.start({ until: /redirecting log output/ });
    await waitUntil(
      'connections',
      async () => (await server.value('select 1').catch(() => '')) === '1',
    );
    const ended = await commit(server);
    await untilWaiting(server, 1);
    await server.query(`select pg_terminate_backend(${ended.processID})`);
    // That of the stop stands before it in the log.
    await untilFound(counter, server, { cancelled: 0, terminated: 1 });
    await server.stop();
  });
});

describe('a server whose log does not tell', () => {
  it('is told of with the reason: its log cannot be found', async () => {
    const server = await startServer({ logging_collector: 'on' });
    const counter = createCancelCounter(server.context());
    await look(counter, server);
    const [, name = ''] = /^stderr (.+)$/m.exec(await collectedFiles(server)) ?? [];
    await rm(join(server.dataDirectory, name));
    const { blind } = await look(counter, server);
    expect(blind).toMatch(/^cannot look at the log of the server: ENOENT/);
    await server.stop();
  });

  it('is told of with the reason: the log goes nowhere, or has no warnings', async () => {
    const server = await startServer({});
    const piped = await look(createCancelCounter(server.context()), server);
    expect(piped.blind).toMatch(
      /^the server writes its log to (pipe|socket):\[\d+\], which is no file$/,
    );

    await server.query("alter system set log_min_messages = 'error'");
    await server.query('select pg_reload_conf()');
    await server.until('show log_min_messages', 'error');
    const silent = await look(createCancelCounter(server.context()), server);
    expect(silent.blind).toContain('log_min_messages = error');
    await server.stop();
  });
});
