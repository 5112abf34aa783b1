/**
 * PostgreSQL's postmaster is killed. A standby that has everything takes over, or the server starts
 * again where it was; backends that outlive their postmaster are silenced first (rule S4), and no
 * acknowledged write is lost.
 */
import { Client } from 'pg';
import { describe, expect, it } from 'vitest';
import { SUPERUSER } from './harness/agent-file.ts';
import type { Member } from './harness/member.ts';
import { signal } from './harness/processes.ts';
import { openStage } from './harness/scenes.ts';
import { NOTHING_LOST } from './harness/writer.ts';

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

describe('a crash of an idle primary', () => {
  const stage = openStage();

  it('hands over to a standby, and the old primary follows it', async () => {
    const cluster = stage.cluster();
    const old = stage.primary();
    const load = await cluster.write();
    await load.stop();
    await cluster.untilWell();
    await old.kill('postmaster');
    const fresh = await cluster.untilOtherPrimary(old);
    expect(await cluster.untilWell()).toBe(fresh);
    expect(await load.account(fresh)).toMatchObject({ lost: [], risen: [] });
    expect(old.events('lease.handed-over')).toMatchObject([{ heir: fresh.name, cause: 'crash' }]);
  });

  it('starts again in place when it comes once more within the minute', async () => {
    const cluster = stage.cluster();
    const primary = stage.primary();
    const before = (await primary.status())?.timeline;
    const load = await cluster.write();
    const postmaster = primary.postmasterPid;
    const since = Date.now();
    await primary.kill('postmaster');
    await cluster.waitUntil('another postmaster of the same member', () => {
      const now = primary.postmasterPid;
      return now !== undefined && now !== postmaster;
    });
    await cluster.moreRows(load, 300);
    await load.stop();
    expect(await cluster.untilWell()).toBe(primary);
    expect((await primary.status())?.timeline).toBe(before);
    expect(await load.account(primary)).toMatchObject(NOTHING_LOST);
    expect(primary.events('primary.crashed-again', since)).toMatchObject([{ crashes: 1 }]);
  });
});

describe('a crash of a busy primary', () => {
  const stage = openStage({ members: 2 });

  it('of a replica is mended where it happened, and nobody else notices', async () => {
    const cluster = stage.cluster();
    const replica = cluster.other(stage.primary());
    const { postmasterPid } = stage.primary();
    const load = await cluster.write();
    await replica.kill('postmaster');
    await cluster.moreRows(load, 300);
    await load.stop();
    expect(await cluster.untilWell()).toBe(stage.primary());
    expect(stage.primary().postmasterPid).toBe(postmasterPid);
    expect(await load.account(stage.primary())).toMatchObject({ lost: [], unknown: 0, failed: 0 });
  });

  // Whether it hands over or starts in place depends on what the standby had at that moment.
  it('loses nothing under four writers', async () => {
    const cluster = stage.cluster();
    const load = await cluster.write({ writers: 4, restMs: 0 });
    await cluster.moreRows(load, 500);
    const before = await stage.primary().status();
    await stage.primary().kill('postmaster');
    const gone = performance.now();
    await cluster.waitUntil('writes to be acknowledged again', () =>
      load.records.some(({ outcome, sentAt }) => outcome === 'acknowledged' && sentAt > gone),
    );
    await cluster.moreRows(load, 500);
    await load.stop();
    const primary = await cluster.untilWell();
    const status = await primary.status();
    expect(status?.timeline === before?.timeline).toBe(primary === stage.primary());
    expect(await load.account(primary)).toMatchObject(NOTHING_LOST);
  });

  it('is noticed by the next loop when the loop died with it', async () => {
    const cluster = stage.cluster();
    const old = stage.primary();
    const load = await cluster.write();
    await Promise.all([old.kill('loop'), old.kill('postmaster')]);
    await cluster.moreRows(load, 300);
    await load.stop();
    const primary = await cluster.untilWell();
    expect(await load.account(primary)).toMatchObject(NOTHING_LOST);
  });

  it('begins with a backend that is killed, too', async () => {
    const cluster = stage.cluster();
    const old = stage.primary();
    const { postmasterPid } = old;
    const load = await cluster.write();
    const [backend] = old.serverProcess('postgres: herd: postgres postgres');
    if (backend === undefined) throw new Error('the writers have no backends');
    signal(backend, 'SIGKILL');
    await cluster.waitUntil('another postmaster', () => old.postmasterPid !== postmasterPid);
    await cluster.moreRows(load, 300);
    await load.stop();
    const primary = await cluster.untilWell();
    expect(await load.account(primary)).toMatchObject(NOTHING_LOST);
  });

  it('silences a backend that commits without end', async () => {
    const cluster = stage.cluster();
    const old = stage.primary();
    const load = await cluster.write({ writers: 2 });
    const whenCommittingEnds = await startCommitting(old);
    await cluster.moreRows(load, 300);
    const servers = old.serverProcesses().map(({ pid }) => pid);
    await old.kill('postmaster');
    await whenCommittingEnds();
    await cluster.moreRows(load, 300);
    await load.stop();
    const primary = await cluster.untilWell();
    for (const { pid } of old.serverProcesses()) expect(servers).not.toContain(pid);
    expect(await load.account(primary)).toMatchObject(NOTHING_LOST);
  });
});
