/**
 * What befalls a member that follows: its data directory is removed, the WAL it needs is gone, its
 * host dies in the middle of a clone and of a rewind. Each ends with a streaming replica that has
 * every row, and with nothing left of what was replaced.
 */
import { readFileSync, rmSync } from 'node:fs';
import { expect, it } from 'vitest';
import type { Member } from './harness/member.ts';
import { listProcesses } from './harness/processes.ts';
import { openStage } from './harness/scenes.ts';
import { NOTHING_LOST } from './harness/writer.ts';

const WAL_KEPT = '32MB';

const stage = openStage({
  members: 2,
  file: {
    bootstrap: {
      dcs: {
        postgresql: {
          parameters: {
            wal_keep_size: WAL_KEPT,
            max_slot_wal_keep_size: WAL_KEPT,
            max_wal_size: '64MB',
            min_wal_size: '32MB',
          },
        },
      },
    },
  },
});

const MEGABYTE_ROWS = 1_000;

/** Rows that take so many megabytes, and as much WAL. */
const fill = async (member: Member, table: string, megabytes: number): Promise<void> => {
  await member.query(`
    create table if not exists ${table} (n int, filling text);
    alter table ${table} alter column filling set storage plain;
    insert into ${table}
      select n, repeat('x', 1000) from generate_series(1, ${megabytes * MEGABYTE_ROWS}) n`);
};

const bytesWritten = (pid: number): number => {
  const [, bytes = '0'] = /^wchar: (\d+)$/mu.exec(readFileSync(`/proc/${pid}/io`, 'utf8')) ?? [];
  return Number(bytes);
};

/** Waits until a program that works for this member has written so much. */
const untilWritten = async (member: Member, program: string, bytes: number): Promise<void> => {
  await stage.cluster().waitUntil(
    `${program} of ${member.name} to have written ${bytes} bytes`,
    () =>
      member.processes(listProcesses()).some(({ pid, commandLine }) => {
        if (!commandLine.split(' ')[0]?.endsWith(`/${program}`)) return false;
        try {
          return bytesWritten(pid) >= bytes;
        } catch {
          return false;
        }
      }),
    { intervalMs: 1 },
  );
};

it('gets a new copy when the data directory is removed under the running server', async () => {
  const cluster = stage.cluster();
  const primary = stage.primary();
  const replica = cluster.other(primary);
  const load = await cluster.write();
  const since = Date.now();
  rmSync(replica.dataDirectory, { recursive: true });
  await cluster.waitUntil('a clone', () => replica.events('member.cloning', since).length > 0);
  await cluster.moreRows(load, 100);
  await load.stop();
  expect(await cluster.untilWell()).toBe(primary);
  expect(await load.account(primary)).toMatchObject(NOTHING_LOST);
});

it('keeps no WAL for the primary of now, which may follow it one day', async () => {
  const cluster = stage.cluster();
  const primary = stage.primary();
  const replica = cluster.other(primary);
  await fill(primary, 'written_for_slots', 20);
  const [end] = await primary.query<{ lsn: string }>('select pg_current_wal_lsn()::text as lsn');
  const slot = primary.name.replaceAll('-', '_');
  await cluster.waitUntil('its slot to move on', async () => {
    const moved = await replica.query(
      `select from pg_replication_slots
        where slot_name = '${slot}' and restart_lsn >= '${end?.lsn ?? ''}'`,
    );
    return moved.length === 1;
  });
});

it('is cloned again when the WAL it needs is gone', async () => {
  const cluster = stage.cluster();
  const primary = stage.primary();
  const replica = cluster.other(primary);
  await replica.stop();
  // Twice what the slot may hold back, and a checkpoint that takes it.
  for (let round = 0; round < 3; round += 1) {
    await fill(primary, 'ballast', 48);
    await primary.query('truncate ballast');
    await primary.query('checkpoint');
  }
  const since = Date.now();
  replica.start();
  expect(await cluster.untilWell()).toBe(primary);
  expect(replica.events('member.cloning', since)).toMatchObject([
    { because: expect.stringContaining('keeps WAL from') },
  ]);
});

it('finishes a clone in the middle of which its host died', async () => {
  const cluster = stage.cluster();
  const primary = stage.primary();
  const replica = cluster.other(primary);
  await fill(primary, 'goods', 40);
  await replica.stop();
  rmSync(replica.dataDirectory, { recursive: true });
  replica.configure({ postgresql: { basebackup: [{ 'max-rate': '8M' }] } });
  replica.start();
  await untilWritten(replica, 'pg_basebackup', 10_000_000);
  await cluster.waitUntil('a list that tells of the clone', async () => {
    const rows = (await cluster.list(primary))?.members ?? [];
    const row = rows.find(({ name }) => name === replica.name);
    return row?.state === 'creating replica' && row.matriarch?.job?.kind === 'clone';
  });
  await replica.kill('host');
  expect(replica.processes()).toEqual([]);
  replica.configure({ postgresql: { basebackup: undefined } });
  replica.start();
  expect(await cluster.untilWell()).toBe(primary);
});

it('finishes a rewind in the middle of which its host died', async () => {
  const cluster = stage.cluster();
  const old = stage.primary();
  // The old primary goes on alone for a moment, so that it is forked when it comes back.
  const load = await cluster.write();
  old.holdBackWal();
  await cluster.moreRows(load, 100);
  await old.kill('host');
  await load.stop();
  const fresh = await cluster.untilOtherPrimary(old);
  await fill(fresh, 'more_goods', 64);
  const since = Date.now();
  old.start();
  await untilWritten(old, 'pg_rewind', 4_000_000);
  await old.kill('host');
  expect(old.processes()).toEqual([]);
  expect(old.events('member.rewinding', since)).not.toHaveLength(0);
  old.start();
  expect(await cluster.untilWell()).toBe(fresh);
  // What pg_rewind has begun to write cannot be used any more.
  expect(old.events('member.cloning', since)).toMatchObject([
    { because: expect.stringContaining('rewind') },
  ]);
});
