/**
 * Planned changes of the primary by REST, under load: to a named candidate and to the best one, and
 * those that are refused, after which everything is as it was.
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import type { Member } from './harness/member.ts';
import { openStage } from './harness/scenes.ts';
import { NOTHING_LOST } from './harness/writer.ts';
import type { JsonObject } from './harness/agent-file.ts';

const stage = openStage();
const ANSWER_LIMIT_MS = 60_000;

const ask = async (member: Member, word: 'switchover' | 'failover', body: JsonObject) =>
  member.rest(`/${word}`, { method: 'POST', body, limitMs: ANSWER_LIMIT_MS });

it('goes to the named candidate, and loses nothing', async () => {
  const cluster = stage.cluster();
  const old = stage.primary();
  const [, named] = cluster.others(old);
  if (named === undefined) throw new Error('there are three members');
  const load = await cluster.write();
  // Any member may be asked.
  const answer = await ask(cluster.other(old, named), 'switchover', {
    leader: old.name,
    candidate: named.name,
  });
  expect(answer).toEqual({ status: 200, body: `Successfully switched over to "${named.name}"` });
  await cluster.moreRows(load, 300);
  await load.stop();
  expect(await cluster.untilWell()).toBe(named);
  expect(await load.account(named)).toMatchObject(NOTHING_LOST);
  expect(old.events('lease.handed-over').at(-1)).toMatchObject({ cause: 'switchover' });
});

it('goes to the best candidate when none is named', async () => {
  const cluster = stage.cluster();
  const old = stage.primary();
  const [preferred, avoided] = cluster.others(old);
  if (preferred === undefined || avoided === undefined) throw new Error('there are three members');
  avoided.configure({ tags: { nofailover: true } });
  avoided.reload();
  await cluster.waitUntil('the tag to be known', async () => {
    const rows = (await cluster.list(old))?.members ?? [];
    return rows.some(({ name, tags }) => name === avoided.name && tags !== undefined);
  });
  const load = await cluster.write();
  const answer = await ask(old, 'switchover', { leader: old.name });
  expect(answer?.status, answer?.body).toBe(200);
  await cluster.moreRows(load, 300);
  await load.stop();
  expect(await cluster.untilWell()).toBe(preferred);
  expect(await load.account(preferred)).toMatchObject(NOTHING_LOST);
  const tagged = await ask(preferred, 'switchover', {
    leader: preferred.name,
    candidate: avoided.name,
  });
  expect(tagged).toMatchObject({ status: 412, body: expect.stringContaining('nofailover') });
});

it('has a standby find its way that had the number reserved for a promotion which never came', async () => {
  const cluster = stage.cluster();
  const old = stage.primary();
  const [named, bystander] = cluster.others(old);
  if (named === undefined || bystander === undefined) throw new Error('there are three members');
  const next = ((await old.status())?.timeline ?? 0) + 1;
  const history = `${next.toString(16).padStart(8, '0').toUpperCase()}.history`;
  writeFileSync(join(bystander.dataDirectory, 'pg_wal', history), '', { mode: 0o644 });
  const since = Date.now();
  const answer = await ask(old, 'switchover', { leader: old.name, candidate: named.name });
  expect(answer?.status, answer?.body).toBe(200);
  expect(await cluster.untilWell()).toBe(named);
  expect(bystander.events('standby.stuck', since)).toMatchObject([{ timeline: next }]);
});

it('refuses what cannot be, and changes nothing', async () => {
  const cluster = stage.cluster();
  const primary = stage.primary();
  const replica = cluster.other(primary);
  const { postmasterPid } = primary;
  const leader = primary.name;
  const refused = async (word: 'switchover' | 'failover', body: JsonObject): Promise<unknown> =>
    (await ask(primary, word, body))?.status;

  expect(await refused('switchover', { candidate: replica.name })).toBe(400);
  expect(await refused('switchover', { leader, candidate: leader })).toBe(400);
  expect(await refused('failover', {})).toBe(400);
  expect(await refused('switchover', { leader: replica.name })).toBe(412);
  expect(await refused('switchover', { leader, candidate: 'nobody' })).toBe(412);
  const answer = await primary.rest('/switchover', { method: 'POST', body: 'not an object' });
  expect(answer?.status).toBe(400);

  expect(await cluster.untilWell()).toBe(primary);
  expect(primary.postmasterPid).toBe(postmasterPid);
});

it('refuses a candidate whose PostgreSQL is down', async () => {
  const cluster = stage.cluster();
  const primary = stage.primary();
  const replica = cluster.other(primary);
  const { postmasterPid } = primary;
  await replica.freeze('host');
  const body = { leader: primary.name, candidate: replica.name };
  const answer = await ask(primary, 'switchover', body);
  expect(answer?.status, answer?.body).toBeGreaterThanOrEqual(400);
  expect(primary.postmasterPid).toBe(postmasterPid);
  replica.thaw();
  expect(await cluster.untilWell()).toBe(primary);
});

it('is done by a failover request with a candidate, too', async () => {
  const cluster = stage.cluster();
  const candidate = cluster.other(stage.primary());
  const load = await cluster.write();
  const answer = await ask(candidate, 'failover', { candidate: candidate.name });
  expect(answer?.status, answer?.body).toBe(200);
  await cluster.moreRows(load, 300);
  await load.stop();
  expect(await cluster.untilWell()).toBe(candidate);
  expect(await load.account(candidate)).toMatchObject(NOTHING_LOST);
});
