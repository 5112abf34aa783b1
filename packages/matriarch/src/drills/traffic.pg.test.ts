/**
 * Writers and readers on a real server: what they record is compared with the rows that are there,
 * also when the server is killed under them and comes back.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  type PostgresLab,
  type TestServer,
  openPostgresLab,
  waitUntil,
} from '../testing/postgres.ts';
import { SUPERUSER } from '../testing/postgres-context.ts';
import { Ledger } from './ledger.ts';
import { TABLE, type TrafficParts, connect, startDirectWriter, startTraffic } from './traffic.ts';
import { beginNextSegment, createTable, dropTable } from './traffic-of-cluster.ts';

let lab: PostgresLab;
let server: TestServer;

beforeAll(async () => {
  lab = await openPostgresLab();
  server = await lab.createServer();
  await server.start();
});
afterAll(async () => lab.close());

const partsFor = (ledger: Ledger): TrafficParts => {
  const door = { port: server.port, database: 'postgres' };
  return {
    user: SUPERUSER.username,
    password: SUPERUSER.password,
    writeDoors: [door, door],
    readDoors: [door],
    ledger,
  };
};

const rows = async (): Promise<Set<string>> => {
  const found = await server.query(`select id from ${TABLE}`);
  return new Set(found.map(([id]) => id ?? ''));
};

it('begins the next WAL segment, with a checkpoint in it', async () => {
  const parts = partsFor(new Ledger());
  await createTable(parts);
  const before = await server.value('select pg_walfile_name(pg_current_wal_lsn())');
  await beginNextSegment(parts);
  const redo = await server.value('select pg_walfile_name(redo_lsn) from pg_control_checkpoint()');
  expect(BigInt(`0x${redo}`)).toBeGreaterThan(BigInt(`0x${before}`));
});

describe('traffic', () => {
  it('records what it was told, and nothing else', async () => {
    const ledger = new Ledger();
    const parts = partsFor(ledger);
    await createTable(parts);
    await createTable(parts);
    const traffic = startTraffic(parts);
    await waitUntil('some writes', () => ledger.acknowledgedIds().length > 50);
    await waitUntil('some reads', () => ledger.reads.length > 20);
    await traffic.stop();
    const ids = ledger.acknowledgedIds();
    expect(new Set(ids).size).toBe(ids.length);
    expect(new Set(ids)).toEqual(await rows());
    // Both writers have rows of their own.
    expect(new Set(ids.map((id) => id.split('-')[0]))).toEqual(new Set(['0', '1']));
    const { length } = ledger.writes;
    expect(ledger.readErrors).toEqual([]);
    await server.value('select pg_sleep(0.1)');
    expect(ledger.writes).toHaveLength(length);
  });

  it('goes on after a crash, and does not know what became of what was under way', async () => {
    const ledger = new Ledger();
    const parts = partsFor(ledger);
    await server.query(`truncate ${TABLE}`);
    // Every statement is under way long enough to be hit.
    await server.query(`
      create function slow() returns trigger language plpgsql as
        $$ begin perform pg_sleep(0.02); return new; end $$;
      create trigger slow before insert on ${TABLE} for each row execute function slow()
    `);
    const traffic = startTraffic(parts);
    await waitUntil('some writes', () => ledger.acknowledgedIds().length > 10);
    await server.crash();
    const before = ledger.acknowledgedIds().length;
    await server.start();
    await waitUntil('more writes', () => ledger.acknowledgedIds().length > before + 10);
    await traffic.stop();
    const outcomes = new Set(ledger.writes.map(({ outcome }) => outcome));
    expect(outcomes).toEqual(new Set(['acknowledged', 'unknown']));
    const present = await rows();
    expect(ledger.countNewlyLost(present, ledger.acknowledgedIds())).toBe(0);
  });

  it('takes an SQL error for an answer: the row is not there', async () => {
    const ledger = new Ledger();
    await server.query(`alter table ${TABLE} rename to elsewhere`);
    const traffic = startTraffic(partsFor(ledger));
    await waitUntil(
      'some refusals',
      () => ledger.writes.length > 5 && ledger.readErrors.length > 5,
    );
    await traffic.stop();
    expect(new Set(ledger.writes.map(({ outcome }) => outcome))).toEqual(new Set(['failed']));
    expect(ledger.reads).toEqual([]);
  });

  it('of who knows the servers finds the primary among them, and says so when it is gone', async () => {
    const standby = await lab.cloneServer(server, 'pg2');
    await standby.start();
    const ledger = new Ledger();
    const parts = partsFor(ledger);
    await createTable(parts);
    const doors = [standby, server].map(({ port }) => ({ port, database: 'postgres' }));
    const writer = startDirectWriter(parts, doors);
    await waitUntil('some writes', () => ledger.acknowledgedIds().length > 20);
    expect(ledger.troubles).toEqual([]);
    await server.crash();
    await waitUntil('trouble', () => ledger.troubles.length > 0);
    await server.start();
    const { length } = ledger.acknowledgedIds();
    await waitUntil('more writes', () => ledger.acknowledgedIds().length > length);
    await writer.stop();
    const present = await rows();
    expect(ledger.acknowledgedIds().filter((id) => !present.has(id))).toEqual([]);
    const everything = { fromMs: 0, toMs: performance.now() };
    expect(Object.keys(ledger.countTroubles(everything)).length).toBeGreaterThan(0);

    await dropTable(parts);
    expect(await server.value(`select to_regclass('${TABLE}') is null`)).toBe('t');
  });

  it('ends also while nobody lets it in', async () => {
    const ledger = new Ledger();
    await server.stop();
    const traffic = startTraffic(partsFor(ledger));
    await traffic.stop();
    expect(ledger.writes).toEqual([]);
    await expect(connect(partsFor(ledger), { port: server.port, database: 'x' })).rejects.toThrow(
      'ECONNREFUSED',
    );
  });
});
