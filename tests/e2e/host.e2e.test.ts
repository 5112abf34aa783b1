/**
 * A whole host with its agent, PostgreSQL and etcd member: its power is cut, or it stands still and
 * comes to when another primary reigns. Replication is asynchronous here, so what no standby had
 * received is lost: it is counted, kept and reported. And etcd: one of three members, then all.
 */
import { expect, it } from 'vitest';
import { type Fork, readForks } from './harness/fork.ts';
import type { Member } from './harness/member.ts';
import { observeProcess } from './harness/processes.ts';
import { openStage } from './harness/scenes.ts';
import { NOTHING_LOST, type Balance, type Load } from './harness/writer.ts';

const stage = openStage({ etcd: 3 });
const OUTAGE_MS = 20_000;

/** Rows that no standby receives. */
const writeUnreceived = async (member: Member, load: Load): Promise<void> => {
  member.holdBackWal();
  await stage.cluster().moreRows(load, 50);
};

/** What was lost was acknowledged by the old primary, and stands in the WAL it has kept. */
const expectReported = (old: Member, balance: Balance, since: number): void => {
  expect(balance.lost.length).toBeGreaterThan(40);
  expect(new Set(balance.lost.map(({ member }) => member))).toEqual(new Set([old.name]));
  const [reported, ...more] = old.events('fork.keeping', since);
  expect(more).toEqual([]);
  expect(reported).toMatchObject({ from: expect.any(String), to: expect.any(String) });
  const kept = readForks(old).find((fork: Fork) => fork.from === reported?.['from']);
  expect(kept).toMatchObject({ to: reported?.['to'] });
  expect(kept?.commits).toBeGreaterThanOrEqual(balance.lost.length);
};

it('gets another primary when a host dies, and counts what died with it', async () => {
  const cluster = stage.cluster();
  const old = stage.primary();
  const since = Date.now();
  const load = await cluster.write();
  await writeUnreceived(old, load);
  await old.kill('host');
  const fresh = await cluster.untilOtherPrimary(old);
  expect(old.processes()).toEqual([]);
  await cluster.moreRows(load, 300);
  await old.etcd?.restart();
  old.start();
  await cluster.moreRows(load, 300);
  await load.stop();
  expect(await cluster.untilWell()).toBe(fresh);
  const balance = await load.account(fresh);
  expect(balance).toMatchObject({ risen: [], split: [] });
  expectReported(old, balance, since);
});

it('has a frozen primary rejoin when it comes to under another one', async () => {
  const cluster = stage.cluster();
  const old = stage.primary();
  const since = Date.now();
  const load = await cluster.write();
  await writeUnreceived(old, load);
  await old.freeze('host');
  const fresh = await cluster.untilOtherPrimary(old);
  await cluster.moreRows(load, 300);
  old.thaw();
  await cluster.moreRows(load, 300);
  await load.stop();
  expect(await cluster.untilWell()).toBe(fresh);
  const balance = await load.account(fresh);
  expect(balance).toMatchObject({ risen: [], split: [] });
  expectReported(old, balance, since);
});

it('goes on without a word when one of three etcd members dies', async () => {
  const cluster = stage.cluster();
  const primary = stage.primary();
  const timeline = (await primary.status())?.timeline;
  const load = await cluster.write();
  const leader = await cluster.etcd.leader();
  await leader.kill();
  // Longer than a lease lives.
  const end = performance.now() + 7_000;
  await cluster.waitUntil('a while', async () => {
    expect((await primary.rest('/primary'))?.status).toBe(200);
    return performance.now() > end;
  });
  await cluster.moreRows(load, 100);
  await load.stop();
  expect(await cluster.untilWell()).toBe(primary);
  expect((await primary.status())?.timeline).toBe(timeline);
  expect(await load.account(primary)).toMatchObject({ ...NOTHING_LOST, unknown: 0 });
});

it('is read-only while all of etcd is gone, and has the same primary afterwards', async () => {
  const cluster = stage.cluster();
  const primary = stage.primary();
  const load = await cluster.write();
  await Promise.all(cluster.etcd.members.map(async (member) => member.kill()));
  const gone = performance.now();
  await cluster.waitUntil('no server to take writes', async () => {
    const recovering = await Promise.all(cluster.members.map(isReadOnly));
    return recovering.every(Boolean);
  });
  while (performance.now() < gone + OUTAGE_MS) {
    for (const member of cluster.members) {
      expect(await isReadOnly(member), member.name).toBe(true);
      expect((await member.rest('/primary'))?.status).toBe(503);
    }
  }
  await Promise.all(cluster.etcd.members.map(async (member) => member.restart()));
  await cluster.untilPrimary();
  await cluster.moreRows(load, 100);
  await load.stop();
  expect(await cluster.untilWell()).toBe(primary);
  expect(await load.account(primary)).toMatchObject(NOTHING_LOST);
});

it('loses nothing when all hosts lose their power at once, and come back', async () => {
  const cluster = stage.cluster();
  const load = await cluster.write();
  await Promise.all(cluster.members.map(async (member) => member.kill('host')));
  for (const { pid } of cluster.etcd.members) expect(observeProcess(pid)).toBeUndefined();
  await Promise.all(cluster.etcd.members.map(async (member) => member.restart()));
  cluster.start();
  await cluster.moreRows(load, 100);
  await load.stop();
  const primary = await cluster.untilWell();
  expect(await load.account(primary)).toMatchObject(NOTHING_LOST);
});

/** It answers, and refuses to write. */
const isReadOnly = async (member: Member): Promise<boolean> => {
  const rows = await member
    .query<{ recovering: boolean }>('select pg_is_in_recovery() as recovering')
    .catch(() => []);
  return rows[0]?.recovering === true;
};
