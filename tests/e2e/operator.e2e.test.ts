/**
 * What operators do on real servers: pause and resume, restart, a new clone. In a pause nothing
 * happens by itself and the primary goes on without its lease; a restart keeps the lease.
 */
import { statSync } from 'node:fs';
import { afterEach, describe, expect, it } from 'vitest';
import type { JsonObject } from './harness/agent-file.ts';
import type { Member } from './harness/member.ts';
import { openStage } from './harness/scenes.ts';
import { NOTHING_LOST } from './harness/writer.ts';

const stage = openStage();
/** Takes back what a scene may have left in the configuration. */
const AS_IT_WAS = { pause: null, postgresql: { parameters: { shared_preload_libraries: null } } };
const ANSWER_LIMIT_MS = 120_000;
/** Twice the ttl and more: whatever was to end with a lease has ended. */
const LONG_OUTAGE_MS = 12_000;

const patch = async (member: Member, body: JsonObject) =>
  member.rest('/config', { method: 'PATCH', body, limitMs: ANSWER_LIMIT_MS });

const post = async (member: Member, path: string, body: JsonObject = {}) =>
  member.rest(path, { method: 'POST', body, limitMs: ANSWER_LIMIT_MS });

/** Waits until every member has said in the store that it knows. */
const setPause = async (on: boolean): Promise<void> => {
  const cluster = stage.cluster();
  const [any] = cluster.members;
  if (any === undefined) throw new Error('there are members');
  const answer = await patch(any, { pause: on ? true : null });
  expect(answer?.status, answer?.body).toBe(200);
  await cluster.waitUntil(`pause ${on ? 'on' : 'off'} at every member`, async () => {
    const seen = await Promise.all(cluster.members.map(async (member) => member.status()));
    return seen.every((status) => status !== undefined && (status.pause === true) === on);
  });
};

const timelineOf = async (member: Member): Promise<number | undefined> =>
  (await member.status())?.timeline;

const untilRuleAnswers = async (member: Member, rule: string, since: number): Promise<void> =>
  stage
    .cluster()
    .waitUntil(`${rule} to answer`, () =>
      member.journal.some((entry) => entry.rule === rule && Date.parse(entry.at) >= since),
    );

afterEach(async () => {
  const cluster = stage.cluster();
  for (const member of cluster.members)
    if ((await patch(member, AS_IT_WAS).catch(() => undefined))?.status === 200) return;
});

describe('a pause', () => {
  it('is shown by every member, and leaves a crashed server alone until a restart', async () => {
    const cluster = stage.cluster();
    const primary = stage.primary();
    const replica = cluster.other(primary);
    await setPause(true);
    expect(await cluster.list(primary)).toMatchObject({ pause: true });
    expect((await replica.rest('/metrics'))?.body).toMatch(/^patroni_is_paused\{.*\} 1$/mu);

    const since = Date.now();
    await replica.kill('postmaster');
    await untilRuleAnswers(replica, 'leave-stopped-server-alone-while-paused', since);
    expect(replica.postmasterPid).toBeUndefined();

    const answer = await post(replica, '/restart');
    expect(answer).toEqual({ status: 200, body: 'restarted successfully' });
    expect(replica.postmasterPid).toBeDefined();
    await setPause(false);
    expect(await cluster.untilWell()).toBe(primary);
  });

  it('keeps a crashed primary down, without a failover, until it is over', async () => {
    const cluster = stage.cluster();
    const primary = stage.primary();
    await setPause(true);
    const load = await cluster.write();
    const since = Date.now();
    await primary.kill('postmaster');
    await untilRuleAnswers(primary, 'leave-stopped-server-alone-while-paused', since);
    expect(await cluster.primary()).toBeUndefined();
    const resumedAt = Date.now();
    await setPause(false);
    const early = cluster.members.flatMap((member) =>
      [
        ...member.events('lease.acquiring', since),
        ...member.events('server.started', since),
      ].filter(({ at }) => Date.parse(at) < resumedAt),
    );
    expect(early).toEqual([]);
    const successor = await cluster.untilPrimary();
    await cluster.moreRows(load, 100);
    await load.stop();
    expect(await cluster.untilWell()).toBe(successor);
    expect(await load.account(successor)).toMatchObject(NOTHING_LOST);
  });

  it('lets the primary go on while the store is away for longer than a lease', async () => {
    const cluster = stage.cluster();
    const primary = stage.primary();
    const { postmasterPid } = primary;
    const pausedAt = Date.now();
    await setPause(true);
    await cluster.waitUntil(
      'the guard to be told',
      () => primary.events('deadline.suspended', pausedAt).length > 0,
    );
    const timeline = await timelineOf(primary);
    const load = await cluster.write();
    await Promise.all(cluster.etcd.members.map(async (etcd) => etcd.freeze()));
    const stoppedMs = performance.now();
    await cluster.waitUntil('the lease to have ended', () => {
      return performance.now() - stoppedMs > LONG_OUTAGE_MS;
    });
    await cluster.moreRows(load, 200);
    expect((await primary.rest('/primary'))?.status).toBe(200);
    for (const etcd of cluster.etcd.members) etcd.thaw();
    await cluster.waitUntil(
      'the primary to take the lease again',
      () => primary.events('lease.taking-again', pausedAt).length > 0,
    );
    await cluster.waitUntil(
      'the primary to hold the lease again',
      async () =>
        (await cluster.list(primary))?.members.find(({ name }) => name === primary.name)?.role ===
        'leader',
    );
    await setPause(false);
    await cluster.moreRows(load, 200);
    await load.stop();
    expect(await cluster.untilWell()).toBe(primary);
    expect(primary.postmasterPid).toBe(postmasterPid);
    expect(await timelineOf(primary)).toBe(timeline);
    expect(await load.account(primary)).toMatchObject(NOTHING_LOST);
  });

  it('allows a switchover to a named candidate only', async () => {
    const cluster = stage.cluster();
    const old = stage.primary();
    const candidate = cluster.other(old);
    await setPause(true);
    const unnamed = await post(old, '/switchover', { leader: old.name });
    expect(unnamed).toEqual({
      status: 400,
      body: 'Switchover is possible only to a specific candidate in a paused state',
    });
    const named = { leader: old.name, candidate: candidate.name };
    // On a busy machine the candidate may not be heard in time: then nothing has happened.
    await cluster.waitUntil(
      'the switchover',
      async () => (await post(old, '/switchover', named))?.status === 200,
    );
    // The old primary comes back as a standby: the operator has asked for that, too.
    expect(await cluster.untilWell()).toBe(candidate);
  });

  it('brings the primary back where it was when its agent is restarted', async () => {
    const cluster = stage.cluster();
    const primary = stage.primary();
    const timeline = await timelineOf(primary);
    await setPause(true);
    await primary.stop();
    expect(primary.serverProcesses()).toEqual([]);
    expect(await cluster.primary()).toBeUndefined();
    primary.start();
    expect(await cluster.untilWell()).toBe(primary);
    expect(await timelineOf(primary)).toBe(timeline);
  });
});

describe('a restart', () => {
  it('of the primary keeps it the primary, and puts pending settings in force', async () => {
    const cluster = stage.cluster();
    const primary = stage.primary();
    const timeline = await timelineOf(primary);
    const { postmasterPid } = primary;
    const settings = { postgresql: { parameters: { max_connections: 60 } } };
    expect((await patch(primary, settings))?.status).toBe(200);
    await cluster.waitUntil('a restart to be pending', async () => {
      const seen = await Promise.all(cluster.members.map(async (member) => member.status()));
      return seen.every((status) => status?.pending_restart === true);
    });
    const load = await cluster.write();
    // A primary with more connections than its standbys is started first only by who knows that.
    for (const member of [primary, ...cluster.others(primary)]) {
      const answer = await post(member, '/restart', { restart_pending: true });
      expect(answer, member.name).toEqual({ status: 200, body: 'restarted successfully' });
    }
    await cluster.moreRows(load, 200);
    await load.stop();
    expect(await cluster.untilWell()).toBe(primary);
    expect(primary.postmasterPid).not.toBe(postmasterPid);
    expect(await timelineOf(primary)).toBe(timeline);
    for (const member of cluster.members) {
      expect(await member.query('show max_connections')).toEqual([{ max_connections: '60' }]);
      expect((await member.status())?.pending_restart).toBeUndefined();
    }
    expect(await load.account(primary)).toMatchObject(NOTHING_LOST);
    const again = await post(primary, '/restart', { restart_pending: true });
    expect(again).toEqual({ status: 503, body: 'restart conditions are not satisfied' });
  });

  it('that fails is told, and a standby goes on', async () => {
    const cluster = stage.cluster();
    const primary = stage.primary();
    const wrong = { postgresql: { parameters: { shared_preload_libraries: 'no_such_library' } } };
    expect((await patch(primary, wrong))?.status).toBe(200);
    await cluster.waitUntil('a restart to be pending', async () => {
      return (await primary.status())?.pending_restart === true;
    });
    const answer = await post(primary, '/restart');
    expect(answer?.status, answer?.body).toBe(503);
    expect(answer?.body).toContain('restart failed');
    const successor = await cluster.untilOtherPrimary(primary);
    expect((await patch(successor, AS_IT_WAS))?.status).toBe(200);
    expect(await cluster.untilWell()).toBe(successor);
  });
});

describe('a new clone', () => {
  it('replaces the data of a replica, which streams again', async () => {
    const cluster = stage.cluster();
    const primary = stage.primary();
    const replica = cluster.other(primary);
    const before = statSync(replica.dataDirectory).ino;
    const load = await cluster.write();
    const answer = await post(replica, '/reinitialize', { force: true });
    expect(answer).toEqual({ status: 200, body: 'reinitialize started' });
    await cluster.waitUntil('another data directory', () => {
      const now = statSync(replica.dataDirectory, { throwIfNoEntry: false })?.ino;
      return now !== undefined && now !== before;
    });
    await cluster.moreRows(load, 100);
    await load.stop();
    expect(await cluster.untilWell()).toBe(primary);
    expect(await load.account(primary)).toMatchObject(NOTHING_LOST);
  });

  it('is not made of the primary', async () => {
    const primary = stage.primary();
    const answer = await post(primary, '/reinitialize');
    expect(answer).toEqual({ status: 503, body: 'I am the leader, can not reinitialize' });
  });
});
