/**
 * A store that is gone, with failsafe mode on, on real PostgreSQL and etcd: writes go on as long as
 * nobody else could be elected, and end before the lease can where somebody could. What a member has
 * promised outlives its loop.
 */
import { statSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { Cluster } from './harness/cluster.ts';
import { readDocument, untilProtected } from './harness/documents.ts';
import type { Member } from './harness/member.ts';
import { openStage } from './harness/scenes.ts';
import { NOTHING_LOST } from './harness/writer.ts';

const TTL_MS = 5_000;
const OUTAGE_MS = 3 * TTL_MS;

const untilNamed = async (cluster: Cluster): Promise<void> =>
  cluster.waitUntil('all members to be named in failsafe', async () => {
    const named = await readDocument<object>(cluster, 'failsafe');
    return Object.keys(named ?? {}).length === cluster.members.length;
  });

const freezeStore = async ({ etcd }: Cluster): Promise<void> => {
  await Promise.all(etcd.members.map(async (member) => member.freeze()));
};

const thawStore = ({ etcd }: Cluster): void => {
  for (const member of etcd.members) member.thaw();
};

const freezeAgent = async (member: Member): Promise<void> => {
  await member.freeze('guard');
  await member.freeze('loop');
};

const takesWrites = async (member: Member): Promise<boolean> => {
  const rows = await member
    .query<{ recovering: boolean }>('select pg_is_in_recovery() as recovering')
    .catch(() => []);
  return rows[0]?.recovering === false;
};

const passed = (since: number, ms: number) => (): boolean => performance.now() - since > ms;

describe('with asynchronous replication', () => {
  const stage = openStage({ file: { bootstrap: { dcs: { failsafe_mode: true } } } });

  it.each(['frozen', 'killed'])('writes go on without an error while etcd is %s', async (how) => {
    const cluster = stage.cluster();
    const primary = stage.primary();
    const { postmasterPid } = primary;
    await untilNamed(cluster);
    const begun = Date.now();
    const load = await cluster.write();
    if (how === 'frozen') await freezeStore(cluster);
    else await Promise.all(cluster.etcd.members.map(async (member) => member.kill()));
    await cluster.waitUntil('the outage to be over', passed(performance.now(), OUTAGE_MS));
    await cluster.moreRows(load, 200);
    expect((await primary.rest('/primary'))?.status).toBe(200);
    for (const member of cluster.members)
      expect((await member.rest('/patroni'))?.body, member.name).toContain(
        '"failsafe_mode_is_active": true',
      );
    if (how === 'frozen') thawStore(cluster);
    else await Promise.all(cluster.etcd.members.map(async (member) => member.restart()));
    await cluster.waitUntil(
      'the lease to count again',
      () => primary.events('failsafe.over', begun).length > 0,
    );
    await cluster.moreRows(load, 200);
    await load.stop();
    expect(await cluster.untilWell()).toBe(primary);
    expect(primary.postmasterPid).toBe(postmasterPid);
    expect(await load.account(primary)).toMatchObject({ ...NOTHING_LOST, unknown: 0, failed: 0 });
    expect(primary.events('failsafe.begun', begun)).toHaveLength(1);
  });

  it('writes end before the lease can when one standby cannot promise', async () => {
    const cluster = stage.cluster();
    const primary = stage.primary();
    await untilNamed(cluster);
    const begun = Date.now();
    const load = await cluster.write();
    await freezeAgent(cluster.other(primary));
    await freezeStore(cluster);
    const frozenAt = performance.now();
    await cluster.waitUntil('the primary to take no writes', async () => {
      return !(await takesWrites(primary));
    });
    await cluster.waitUntil('a ttl to pass', passed(performance.now(), TTL_MS));
    expect(await takesWrites(primary)).toBe(false);
    await load.stop();
    const last = load.records.filter(({ outcome }) => outcome === 'acknowledged').at(-1);
    expect((last?.answeredAt ?? 0) - frozenAt).toBeLessThan(TTL_MS);
    expect(primary.events('failsafe.refused', begun)).not.toHaveLength(0);
    expect(primary.events('failsafe.begun', begun)).toHaveLength(0);
    thawStore(cluster);
    const after = await cluster.untilPrimary();
    expect(await load.account(after)).toMatchObject({ lost: [], split: [] });
  });

  it('a member whose loop dies right after it promised does not stand before that ends', async () => {
    const cluster = stage.cluster();
    const primary = stage.primary();
    await untilNamed(cluster);
    const begun = Date.now();
    await freezeStore(cluster);
    const standbys = cluster.others(primary);
    const hasPromised = (member: Member): boolean =>
      member.events('promise.given', begun).length > 0;
    await cluster.waitUntil('promises', () => standbys.every(hasPromised));
    // Longer than the lease: it is gone when the store is back.
    await cluster.waitUntil('the lease to end', passed(performance.now(), TTL_MS + 1_000));
    await primary.freeze('host');
    await Promise.all(standbys.map(async (member) => member.kill('loop')));
    thawStore(cluster);
    const kept = standbys.map((member) =>
      statSync(join(member.stateDirectory, 'failsafe-promise.json')),
    );
    const boundUntil = Math.min(...kept.map(({ mtimeMs }) => mtimeMs)) + TTL_MS;
    const fresh = await cluster.untilOtherPrimary(primary);
    const [acquiring] = fresh.events('lease.acquiring', begun);
    expect(Date.parse(acquiring?.at ?? '')).toBeGreaterThan(boundUntil - 100);
    primary.thaw();
    expect(await cluster.untilWell()).toBe(fresh);
  });
});

describe('in quorum mode', () => {
  const stage = openStage({
    file: { bootstrap: { dcs: { failsafe_mode: true, synchronous_mode: 'quorum' } } },
  });

  it('writes go on without the agent of one of two standbys: it alone elects nobody', async () => {
    const cluster = stage.cluster();
    const primary = stage.primary();
    await untilNamed(cluster);
    await untilProtected(cluster, primary);
    const load = await cluster.write();
    const standby = cluster.other(primary);
    await freezeAgent(standby);
    await freezeStore(cluster);
    await cluster.waitUntil('the outage to be over', passed(performance.now(), OUTAGE_MS));
    await cluster.moreRows(load, 200);
    thawStore(cluster);
    standby.thaw();
    await cluster.moreRows(load, 200);
    await load.stop();
    expect(await cluster.untilWell()).toBe(primary);
    expect(await load.account(primary)).toMatchObject({ ...NOTHING_LOST, unknown: 0, failed: 0 });
  });

  it('writes end without both: together they could elect', async () => {
    const cluster = stage.cluster();
    const primary = stage.primary();
    await untilNamed(cluster);
    await untilProtected(cluster, primary);
    const load = await cluster.write();
    await Promise.all(cluster.others(primary).map(freezeAgent));
    await freezeStore(cluster);
    const frozenAt = performance.now();
    await cluster.waitUntil('the primary to take no writes', async () => {
      return !(await takesWrites(primary));
    });
    await load.stop();
    const last = load.records.filter(({ outcome }) => outcome === 'acknowledged').at(-1);
    expect((last?.answeredAt ?? 0) - frozenAt).toBeLessThan(TTL_MS);
    thawStore(cluster);
    for (const member of cluster.members) member.thaw();
    const after = await cluster.untilPrimary();
    expect(await load.account(after)).toMatchObject({ lost: [], split: [] });
  });
});
