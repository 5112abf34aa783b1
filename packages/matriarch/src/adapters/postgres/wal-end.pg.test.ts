/**
 * Shows that the end of WAL we measure on a silent server is where PostgreSQL itself recovers to,
 * in every shape a tail of WAL can have. Real servers are killed; then they are started again, and
 * what the recovery says it read last is compared with what was measured before.
 */
import { type Lineage, type Lsn, lsn, parseLsn } from '@matriarch/core';
import { cp, readdir, rm, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openPostgresLab, type PostgresLab, type TestServer } from '../../testing/postgres.ts';
import { inspectDisk } from './inspect-disk.ts';
import { measureWalEnd } from './wal-end.ts';

let lab: PostgresLab;
let primary: TestServer;

beforeAll(async () => {
  lab = await openPostgresLab();
  primary = await lab.createServer('pg1');
  await primary.start();
  await primary.query('create table t (i int, filler text)');
}, 60_000);
afterAll(() => lab?.close());

const lineageOf = async (server: TestServer): Promise<Lineage> => {
  const answer = await inspectDisk(server.context());
  if (answer.kind !== 'done' || answer.disk.content.kind !== 'data')
    throw new Error(JSON.stringify(answer));
  return answer.disk.content.lineage;
};

const measure = async (server: TestServer, from?: Lsn): Promise<Lsn> => {
  const answer = await measureWalEnd(server.context(), { from });
  if (answer.kind !== 'done') throw new Error(answer.cause);
  return answer.end;
};

const readLsn = async (server: TestServer, sql: string): Promise<Lsn> => {
  const position = parseLsn(await server.value(sql));
  if (position === undefined) throw new Error(`${sql} is no LSN`);
  return position;
};

const flushed = (server: TestServer): Promise<Lsn> =>
  readLsn(server, 'select pg_current_wal_flush_lsn()');

/**
 * Where recovery ended: the first thing a server writes after it is a checkpoint. Behind a page's
 * header that record begins later; what there was before ended at the page's border.
 */
const recoveredTo = async (server: TestServer): Promise<Lsn> => {
  await server.start();
  const position = await readLsn(server, 'select checkpoint_lsn from pg_control_checkpoint()');
  const offset = position % 8192n;
  return offset === 24n || offset === 40n ? lsn(position - offset) : position;
};

describe('measureWalEnd', () => {
  it('is what a killed primary had flushed, and where it recovers to', async () => {
    await primary.query(
      'insert into t select i, repeat(md5(i::text), 10) from generate_series(1, 20000) i',
    );
    const said = await flushed(primary);
    await primary.crash();
    const end = await measure(primary, said);
    expect(end).toBeGreaterThanOrEqual(said);
    expect(await measure(primary)).toBe(end);
    expect(await measure(primary, lsn(end + 123_456n))).toBe(end);
    expect(await recoveredTo(primary)).toBe(end);
  });

  it('is found at once from a position nearby', async () => {
    const said = await flushed(primary);
    await primary.crash();
    const ask = { from: said };
    const times: number[] = [];
    for (let round = 0; round < 5; round += 1) {
      const startedAt = performance.now();
      expect((await measureWalEnd(primary.context(), ask)).kind).toBe('done');
      times.push(performance.now() - startedAt);
    }
    // 25 ms on an idle machine; from the checkpoint on and printed it would be seconds.
    expect(Math.min(...times)).toBeLessThan(250);
    await primary.start();
  });

  it('is behind the shutdown checkpoint of a clean stop', async () => {
    const said = await flushed(primary);
    await primary.stop();
    const end = await measure(primary, said);
    expect(end).toBeGreaterThan(said);
    await primary.start();
    expect(await readLsn(primary, 'select pg_current_wal_lsn()')).toBe(end);
  });

  it('is the border of a segment after a switch, with and without a next segment', async () => {
    await primary.query('insert into t values (1)');
    await primary.query('select pg_switch_wal()');
    const said = await flushed(primary);
    expect(said % 0x1000000n).toBe(0n);
    await primary.crash();
    const walDirectory = join(primary.dataDirectory, 'pg_wal');
    const end = await measure(primary, said);
    expect(end).toBe(said);
    expect(await measure(primary)).toBe(said);

    const next = (await readdir(walDirectory))
      .filter((name) => /^[0-9A-F]{24}$/.test(name))
      .sort()
      .at(-1);
    await writeFile(join(walDirectory, nextName(next ?? '')), Buffer.alloc(16 * 1024 * 1024));
    await writeFile(join(walDirectory, '000000010000000900000001'), Buffer.alloc(16 * 1024 * 1024));
    const withNext = await measureWalEnd(primary.context(), { from: undefined });
    expect(withNext).toEqual({ kind: 'done', end: said });
    await rm(join(walDirectory, nextName(next ?? '')));
    await rm(join(walDirectory, '000000010000000900000001'));
    await primary.start();
  });

  it('leaves out a record that was flushed in part only', async () => {
    // The WAL writer must not finish what this is about before the server is killed.
    await primary.query(`alter system set wal_writer_delay = '10s'`);
    await primary.query('select pg_reload_conf()');
    await primary.query('checkpoint');
    const before = await flushed(primary);
    // Nothing waits for this record of 3 MB: the buffers it filled are written, its end is not.
    await primary.query(`select pg_logical_emit_message(false, 'x', repeat('y', 3000000))`);
    const after = await flushed(primary);
    await primary.crash();
    const end = await measure(primary, after);
    expect(end).toBe(await measure(primary, before));
    expect(end).toBeGreaterThanOrEqual(before);
    expect(end).toBeLessThan(after);
    const log = primary.log().length;
    await primary.start();
    const last = parseLsn(/redo done at (\S+)/.exec(primary.log().slice(log))?.[1] ?? '');
    expect(last).toBeLessThan(end);
    expect(last).toBeGreaterThan(end - 8192n);
  });

  it('leaves out a record whose last pages never reached the disk', async () => {
    const before = await flushed(primary);
    await primary.query(`select pg_logical_emit_message(true, 'x', repeat('y', 3000000))`);
    const after = await flushed(primary);
    await primary.crash();
    expect(await measure(primary, before)).toBeGreaterThanOrEqual(after);
    const offset = Number((after - 1n) % 0x1000000n);
    await cutFrom(segmentOf(primary, after), offset - (offset % 8192) - 8192);
    const end = await measure(primary, before);
    expect(end).toBeGreaterThanOrEqual(before);
    expect(end).toBeLessThan(before + 8192n);
    await primary.start();
  });

  it('is on the new timeline of a server that died right after its promotion', async () => {
    const standby = await lab.cloneServer(primary, 'pg2');
    await standby.start();
    await primary.query('insert into t values (2)');
    const there = await flushed(primary);
    await standby.until(`select pg_last_wal_replay_lsn() >= '${formatted(there)}'`, 't');
    // No checkpoint on the new timeline: the control file still names the old one.
    await standby.query('select pg_promote()');
    await standby.query('insert into t select i from generate_series(1, 1000) i');
    const said = await flushed(standby);
    await standby.crash();
    const lineage = await lineageOf(standby);
    expect(lineage.timeline).toBe(2);
    const end = await measure(standby);
    expect(end).toBeGreaterThanOrEqual(said);
    expect(await measure(standby, there)).toBe(end);
    expect(await recoveredTo(standby)).toBe(end);
    await standby.crash();
  });

  it('is what a killed standby has received', async () => {
    const standby = await lab.cloneServer(primary, 'pg3');
    await standby.start();
    await primary.query('insert into t select i from generate_series(1, 5000) i');
    const there = await flushed(primary);
    await standby.until(`select pg_last_wal_replay_lsn() >= '${formatted(there)}'`, 't');
    const received = await readLsn(standby, 'select pg_last_wal_receive_lsn()');
    await standby.crash();
    expect(await measure(standby, there)).toBeGreaterThanOrEqual(received);
  });

  it('says so when the WAL from the checkpoint on is missing', async () => {
    await primary.query('checkpoint');
    await primary.crash();
    const walDirectory = join(primary.dataDirectory, 'pg_wal');
    const kept = join(lab.directory, 'kept');
    await cp(walDirectory, kept, { recursive: true });
    for (const name of await readdir(walDirectory))
      if (/^[0-9A-F]{24}$/.test(name)) await rm(join(walDirectory, name));
    const answer = await measureWalEnd(primary.context(), { from: undefined });
    expect(answer.kind).toBe('failed');
    expect(answer.kind === 'failed' && answer.cause).toContain('no valid WAL');
  });
});

const formatted = (position: Lsn): string =>
  `${(position >> 32n).toString(16)}/${(position & 0xffffffffn).toString(16)}`;

const nextName = (name: string): string =>
  name.slice(0, 16) +
  (Number.parseInt(name.slice(16), 16) + 1).toString(16).toUpperCase().padStart(8, '0');

const segmentOf = (server: TestServer, position: Lsn): string => {
  const number = ((position - 1n) / 0x1000000n).toString(16).toUpperCase().padStart(8, '0');
  return join(server.dataDirectory, 'pg_wal', `0000000100000000${number}`);
};

/** Everything from `offset` on is zeros, as after a write that never happened. */
const cutFrom = async (file: string, offset: number): Promise<void> => {
  await truncate(file, offset);
  await truncate(file, 16 * 1024 * 1024);
};
