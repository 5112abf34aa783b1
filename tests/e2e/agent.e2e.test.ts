/**
 * What the agent's own processes suffer, and what is asked of them: the loop and the guard are killed,
 * PostgreSQL stops answering, SIGTERM, SIGHUP. Writers go on all the while; whatever they were told is
 * there must be there. (Loop and guard that hang: in `synchronous`, since only commits that wait are
 * sure to outlive a fence at the deadline.)
 */
import { appendFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { openStage } from './harness/scenes.ts';
import { NOTHING_LOST } from './harness/writer.ts';

const stage = openStage();
const TTL_MS = 5_000;
it('lets PostgreSQL go on while a killed loop is replaced', async () => {
  const cluster = stage.cluster();
  const primary = stage.primary();
  const { postmasterPid, loopPid, guardPid } = primary;
  const timeline = (await primary.status())?.timeline;
  const load = await cluster.write();
  await primary.kill('loop');
  await cluster.waitUntil('another loop', () => {
    const now = primary.loopPid;
    return now !== undefined && now !== loopPid;
  });
  await cluster.moreRows(load, 300);
  await load.stop();
  expect(await cluster.untilWell()).toBe(primary);
  expect(primary).toMatchObject({ postmasterPid, guardPid });
  expect((await primary.status())?.timeline).toBe(timeline);
  expect(await load.account(primary)).toMatchObject({ ...NOTHING_LOST, unknown: 0, failed: 0 });
});

it('has a killed guard’s server end with it, and goes on when it is started again', async () => {
  const cluster = stage.cluster();
  const old = stage.primary();
  const load = await cluster.write();
  const servers = old.serverProcesses().map(({ pid }) => pid);
  const { loopPid } = old;
  await old.kill('guard');
  await cluster.waitUntil('PostgreSQL and the loop to be gone', () =>
    old.processes().every(({ pid }) => !servers.includes(pid) && pid !== loopPid),
  );
  old.start();
  await cluster.moreRows(load, 300);
  await load.stop();
  const primary = await cluster.untilWell();
  expect(await load.account(primary)).toMatchObject(NOTHING_LOST);
});

it('treats a PostgreSQL that does not answer as crashed', async () => {
  const cluster = stage.cluster();
  const old = stage.primary();
  const load = await cluster.write();
  const stopped = old.postmasterPid;
  await old.freeze('postmaster');
  await cluster.waitUntil('the end of it', () => old.postmasterPid !== stopped, {
    limitMs: 30_000,
  });
  await cluster.untilPrimary();
  await cluster.moreRows(load, 300);
  await load.stop();
  const primary = await cluster.untilWell();
  expect(await load.account(primary)).toMatchObject(NOTHING_LOST);
});

it('hands over on SIGTERM, and ends with status 0', async () => {
  const cluster = stage.cluster();
  const old = stage.primary();
  const load = await cluster.write();
  const begun = performance.now();
  expect(await old.stop()).toEqual({ code: 0, signal: null });
  expect(old.processes()).toEqual([]);
  const fresh = await cluster.untilOtherPrimary(old);
  await cluster.moreRows(load, 300);
  await load.stop();
  expect(await cluster.untilWell(cluster.others(old))).toBe(fresh);
  const balance = await load.account(fresh);
  expect(balance).toMatchObject(NOTHING_LOST);
  expect(old.events('lease.handed-over').at(-1)).toMatchObject({ cause: 'shutdown' });
  // It was handed over, not waited for.
  const first = load.records.find(
    ({ outcome, member }) => outcome === 'acknowledged' && member === fresh.name,
  );
  expect((first?.answeredAt ?? Infinity) - begun).toBeLessThan(2 * TTL_MS);
});

it('stops a replica on SIGTERM without a word to the others', async () => {
  const cluster = stage.cluster();
  const primary = stage.primary();
  const replica = cluster.other(primary);
  const timeline = (await primary.status())?.timeline;
  expect(await replica.stop()).toEqual({ code: 0, signal: null });
  expect(replica.processes()).toEqual([]);
  await cluster.waitUntil('a list that says so', async () => {
    const rows = (await cluster.list(primary))?.members ?? [];
    return rows.every(({ name, state }) => name !== replica.name || state === 'stopped');
  });
  expect((await primary.status())?.timeline).toBe(timeline);
});

it('reads its file again on SIGHUP', async () => {
  const cluster = stage.cluster();
  const primary = stage.primary();
  const { postmasterPid } = primary;
  const setting = async (): Promise<string | undefined> =>
    (await primary.query<{ work_mem: string }>('show work_mem'))[0]?.work_mem;
  primary.configure({
    postgresql: { parameters: { work_mem: '7MB' } },
    tags: { noloadbalance: true, shelf: 'b' },
  });
  primary.reload();
  await cluster.waitUntil('the new setting', async () => (await setting()) === '7MB');
  await cluster.waitUntil('the new tags', async () => {
    const answer = await primary.rest('/patroni');
    const tags = (JSON.parse(answer?.body ?? '{}') as { tags?: object }).tags;
    return JSON.stringify(tags) === '{"noloadbalance":true,"shelf":"b"}';
  });

  appendFileSync(primary.configFile, 'restapi: [');
  primary.reload();
  await cluster.waitUntil('a word about the mistake', () =>
    primary.log.includes('the last one stays'),
  );
  expect(await setting()).toBe('7MB');
  primary.configure({ postgresql: { parameters: { work_mem: undefined } }, tags: undefined });
  primary.reload();
  await cluster.waitUntil('the old setting', async () => (await setting()) === '4MB');
  expect(primary.postmasterPid).toBe(postmasterPid);
});
