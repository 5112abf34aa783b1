/**
 * Shows that a standby reads, from its spool, what a killed primary had not sent, to the last byte; and
 * that nothing is taken that is not that cluster's WAL, or less of it than the standby has. With real
 * servers: what PostgreSQL does with a file is up to PostgreSQL.
 */
import { type Lsn, parseLsn, timeline } from '@matriarch/core';
import { existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  openPostgresLab,
  type PostgresLab,
  type TestServer,
  upstreamOf,
} from '../../testing/postgres.ts';
import { prepareServer } from './prepare-server.ts';
import { measureWalEnd } from './wal-end.ts';
import { fetchWal, type GetSegment, readSegment, restoreCommand } from './wal-spool.ts';

let lab: PostgresLab;
let primary: TestServer;
let standby: TestServer;
let start: Lsn;
let end: Lsn;

const one = timeline(1);
const HBA = ['host all all 127.0.0.1/32 scram-sha-256', 'host replication all all scram-sha-256'];
const contextOf = (server: TestServer) =>
  server.context({ settings: { ...server.context().settings(), pgHba: HBA } });

const follow = async (upstream: TestServer | undefined): Promise<void> => {
  const wish = { as: 'standby', upstream: upstream && upstreamOf(upstream) } as const;
  expect(await prepareServer(contextOf(standby), wish)).toMatchObject({ kind: 'done' });
};

/** As the agent of the killed primary answers. */
const fromPrimary: GetSegment = async (name) => {
  const answer = await readSegment(contextOf(primary), { name, end: { timeline: one, lsn: end } });
  return answer.kind === 'done' ? answer : { kind: 'failed', cause: answer.cause };
};

const fetch = (get: GetSegment, from = start) =>
  fetchWal(
    contextOf(standby),
    { start: { timeline: one, lsn: from }, end: { timeline: one, lsn: end } },
    get,
  );

const must = (text: string): Lsn => {
  const position = parseLsn(text);
  if (position === undefined) throw new Error(`${text} is no LSN`);
  return position;
};

const spoolOf = (server: TestServer): string =>
  join(contextOf(server).config.matriarch.stateDirectory, 'wal-spool');

beforeAll(async () => {
  lab = await openPostgresLab();
  primary = await lab.createServer('pg-1');
  const asPrimary = { as: 'primary', upstream: undefined } as const;
  expect(await prepareServer(contextOf(primary), asPrimary)).toMatchObject({ kind: 'done' });
  await primary.start();
  await primary.query('create table t (i int, filler text)');
  await primary.query("select pg_create_physical_replication_slot('pg_2', true)");
  standby = await lab.cloneServer(primary, 'pg-2');
  await follow(primary);
  await standby.start();
  await standby.until('select status from pg_stat_wal_receiver', 'streaming');
  await primary.query('insert into t select i from generate_series(1, 100) i');
  await standby.until('select count(*) from t', '100');
  await follow(undefined);
  await standby.query('select pg_reload_conf()');
  await standby.until('select count(*) from pg_stat_wal_receiver', '0');
  start = must(await standby.value('select pg_last_wal_receive_lsn()'));
  // Two segments and a part of the third.
  for (const rows of [20_000, 20_000, 500]) {
    await primary.query(
      `insert into t select i, repeat(md5(i::text), 20) from generate_series(1, ${rows}) i`,
    );
    if (rows > 500) await primary.query('select pg_switch_wal()');
  }
  await primary.crash();
  const measured = await measureWalEnd(contextOf(primary), { from: undefined });
  if (measured.kind !== 'done') throw new Error(measured.cause);
  end = measured.end;
}, 120_000);
afterAll(() => lab?.close());

describe('what is asked for', () => {
  it.each([
    ['of another timeline', '000000020000000000000001'],
    ['beyond the end', '0000000100000000000000FF'],
    // It is there, as seen from pg_wal.
    ['no segment', '../postgresql.conf'],
  ])('is refused when it is %s', async (_what, name) => {
    expect(await fromPrimary(name)).toEqual({
      kind: 'failed',
      cause: `${name} is not a segment of what is offered`,
    });
  });
});

describe('what comes is not taken', () => {
  const altered =
    (alter: (bytes: Buffer) => Buffer): GetSegment =>
    async (name) => {
      const got = await fromPrimary(name);
      return got.kind === 'done' ? { kind: 'done', bytes: alter(Buffer.from(got.bytes)) } : got;
    };

  it.each<[string, GetSegment, string]>([
    ['when there is no answer', async () => ({ kind: 'failed', cause: 'gone' }), 'gone'],
    ['when it is shorter', altered((bytes) => bytes.subarray(0, -1)), 'are needed'],
    [
      'when it is of another cluster',
      altered((bytes) => {
        bytes.writeBigUInt64LE(7n, 24);
        return bytes;
      }),
      'of system identifier 7',
    ],
    [
      'when it differs from what is here',
      altered((bytes) => {
        bytes.writeUInt8(bytes.readUInt8(100) ^ 1, 100);
        return bytes;
      }),
      'differs from our own',
    ],
    [
      'when it is of a later timeline',
      altered((bytes) => {
        bytes.writeUInt32LE(9, 4);
        return bytes;
      }),
      'timeline 9',
    ],
  ])('%s', async (_when, get, cause) => {
    expect(await fetch(get)).toMatchObject({
      kind: 'failed',
      cause: expect.stringContaining(cause),
    });
    expect(existsSync(spoolOf(standby))).toBe(false);
  });

  it('when it is not more than what is here', async () => {
    expect(await fetch(fromPrimary, end)).toMatchObject({ kind: 'failed' });
  });
});

describe('what was fetched', () => {
  it('is gone when the server is prepared for something else', async () => {
    mkdirSync(spoolOf(standby));
    writeFileSync(join(spoolOf(standby), '0000000100000000000000EE'), '');
    await follow(undefined);
    expect(existsSync(spoolOf(standby))).toBe(false);
  });

  it('is read by the running standby to the last byte, and each file once', async () => {
    expect(await fetch(fromPrimary)).toEqual({ kind: 'done', bytes: Number(end - start) });
    await standby.until('select count(*) from t', '40600');
    expect(must(await standby.value('select pg_last_wal_replay_lsn()'))).toBe(end);
    expect(readdirSync(spoolOf(standby))).toEqual([]);
    await standby.query('select pg_promote()');
    expect(await standby.value('select count(*) from t')).toBe('40600');
  });
});

it('restore_command leaves room for the operator’s own, and for strange directories', () => {
  const context = contextOf(standby);
  const command = restoreCommand(context, 'cp /archive/%f %p');
  expect(command).toMatch(
    /^test -f '.*wal-spool'\/%f && mv '.*wal-spool'\/%f %p \|\| cp \/archive\/%f %p$/u,
  );
  const { config } = context;
  const matriarch = { ...config.matriarch, stateDirectory: "/it's 100%" };
  expect(restoreCommand({ ...context, config: { ...config, matriarch } }, undefined)).toBe(
    `test -f '/it'\\''s 100%%/wal-spool'/%f && mv '/it'\\''s 100%%/wal-spool'/%f %p`,
  );
});
