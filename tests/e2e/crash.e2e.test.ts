/**
 * PostgreSQL's postmaster is killed. A standby that has everything takes over, or the server starts
 * again where it was; backends that outlive their postmaster are silenced first (rule S4), and no
 * acknowledged write is lost.
 */
import { Client } from 'pg';
import { expect, it } from 'vitest';
import { SUPERUSER } from './harness/agent-file.ts';
import type { Member } from './harness/member.ts';
import { openStage } from './harness/scenes.ts';

const stage = openStage();

/** A backend that commits as fast as it can inside one statement, and never looks at its client. */
const startCommitting = async (member: Member): Promise<() => Promise<void>> => {
  await member.query(`create table if not exists committed (n bigint)`);
  await member.query(`
    create or replace procedure commit_for_ever() language plpgsql as $$
    begin
      for n in 1 .. 1000000000 loop
        insert into committed values (n);
        commit;
      end loop;
    end $$`);
  const client = new Client({
    host: '127.0.0.1',
    port: member.postgresPort,
    user: SUPERUSER.username,
    password: SUPERUSER.password,
    database: 'postgres',
  });
  client.on('error', () => undefined);
  await client.connect();
  const ended = client.query('call commit_for_ever()').then(
    () => undefined,
    () => undefined,
  );
  return async () => {
    await ended;
    await client.end().catch(() => undefined);
  };
};

it('hands over under load, also with a backend that commits without end', async () => {
  const cluster = stage.cluster();
  const old = stage.primary();
  const load = await cluster.write({ writers: 4 });
  const whenCommittingEnds = await startCommitting(old);
  await cluster.moreRows(load, 300);
  old.kill('postmaster');
  const fresh = await cluster.untilOtherPrimary(old);
  await whenCommittingEnds();
  await cluster.moreRows(load, 300);
  await load.stop();
  expect(await cluster.untilWell()).toBe(fresh);
  const balance = await load.account(fresh);
  expect(balance).toMatchObject({ lost: [], risen: [], split: [] });
  expect(load.acknowledgedBy(fresh)).toBeGreaterThan(0);
  expect(old.events('lease.handed-over')).toMatchObject([{ heir: fresh.name, cause: 'crash' }]);
});

it('starts again in place when it crashes once more within the minute', async () => {
  const cluster = stage.cluster();
  const primary = stage.primary();
  const before = (await primary.status())?.timeline;
  const load = await cluster.write({ writers: 4 });
  const postmaster = primary.postmasterPid;
  const since = Date.now();
  primary.kill('postmaster');
  await cluster.waitUntil('another postmaster of the same member', () => {
    const now = primary.postmasterPid;
    return now !== undefined && now !== postmaster;
  });
  await cluster.moreRows(load, 300);
  await load.stop();
  expect(await cluster.untilWell()).toBe(primary);
  expect((await primary.status())?.timeline).toBe(before);
  expect(await load.account(primary)).toMatchObject({ lost: [], risen: [], split: [] });
  expect(primary.events('primary.crashed-again', since)).toMatchObject([{ crashes: 1 }]);
});
