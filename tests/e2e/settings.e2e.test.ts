/**
 * The cluster-wide configuration is changed while the cluster works, as patronictl does it: by a
 * comparison and a write in the store. What a changed ttl means for the lease is shown by the store's
 * own word on that lease, and by how soon a lost host is replaced. Nobody is fenced for it.
 */
import { expect, it } from 'vitest';
import type { Member } from './harness/member.ts';
import { changeConfig, endpointOf, keyOf } from './harness/documents.ts';
import { askEtcd, readKey } from './harness/etcd-gateway.ts';
import { openStage } from './harness/scenes.ts';
import { NOTHING_LOST } from './harness/writer.ts';

const stage = openStage();

const change = async (settings: object): Promise<void> => changeConfig(stage.cluster(), settings);

/** The ttl that was granted to the lease a key hangs on. */
const grantedTtl = async (key: string): Promise<number> => {
  const endpoint = endpointOf(stage.cluster());
  const lease = (await readKey(endpoint, keyOf(key)))?.lease;
  if (lease === undefined) return 0;
  const { grantedTTL } = await askEtcd<{ grantedTTL?: string }>(endpoint, 'lease/timetolive', {
    ID: lease,
  });
  return Number(grantedTTL ?? 0);
};

const untilTtl = async (seconds: number): Promise<void> => {
  const keys = ['leader', ...stage.cluster().members.map(({ name }) => `members/${name}`)];
  await stage.cluster().waitUntil(`a ttl of ${seconds} s on every key`, async () => {
    const granted = await Promise.all(keys.map(grantedTtl));
    return granted.every((ttl) => ttl === seconds);
  });
};

const exchanges = (member: Member): number => member.events('lease.exchanged').length;

it('has a lease with another ttl as soon as the ttl is another one, and nobody notices', async () => {
  const cluster = stage.cluster();
  const primary = stage.primary();
  const { postmasterPid } = primary;
  const fences = primary.events('server.fencing').length;
  const before = exchanges(primary);
  await untilTtl(5);
  const load = await cluster.write();
  for (const ttl of [20, 7, 5]) {
    await change({ ttl });
    await untilTtl(ttl);
    await cluster.moreRows(load, 100);
  }
  await load.stop();
  expect(exchanges(primary)).toBe(before + 3);
  expect(primary.events('server.fencing')).toHaveLength(fences);
  expect(primary.postmasterPid).toBe(postmasterPid);
  expect(await cluster.untilPrimary()).toBe(primary);
  const balance = await load.account(primary);
  expect(balance).toMatchObject({ ...NOTHING_LOST, unknown: 0, failed: 0 });
  expect(balance.longestGapMs).toBeLessThan(1_000);
});

it('fails over as soon as the ttl of now lets it', async () => {
  const cluster = stage.cluster();
  await change({ ttl: 20 });
  await untilTtl(20);
  await change({ ttl: 5 });
  await untilTtl(5);
  const old = stage.primary();
  const killedAt = performance.now();
  await old.kill('host');
  await cluster.untilOtherPrimary(old);
  expect(performance.now() - killedAt).toBeLessThan(12_000);
  old.start();
  await cluster.untilWell();
});

it('has another loop take over a lease that was exchanged', async () => {
  const cluster = stage.cluster();
  const primary = await cluster.untilPrimary();
  const { postmasterPid, loopPid } = primary;
  await change({ ttl: 9 });
  await untilTtl(9);
  await primary.kill('loop');
  await cluster.waitUntil('another loop', () => ![undefined, loopPid].includes(primary.loopPid));
  await change({ ttl: 5 });
  await untilTtl(5);
  expect(primary.postmasterPid).toBe(postmasterPid);
  expect(await cluster.untilPrimary()).toBe(primary);
});
