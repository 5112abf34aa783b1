/**
 * What is asked for at a time, on real servers: a restart of one member and a switchover happen when
 * it is time and once, or not at all when they were taken back, are not meant any more, or have
 * happened already. Then the same from the command line, and by patronictl where it is installed.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { JsonObject } from './harness/agent-file.ts';
import type { Member } from './harness/member.ts';
import { openStage } from './harness/scenes.ts';
import { waitFor, waitUntil } from './harness/wait.ts';
import { NOTHING_LOST } from './harness/writer.ts';
import { findPatronictl } from './local/patronictl.ts';
import { type Ended, type Running, UpBench } from './local/up-bench.ts';

/** On a busy machine things begin late, and a loop that was killed is back late. */
const PATIENT = { bootstrap: { dcs: { ttl: 20, loop_wait: 20 } } };
const SOON_MS = 3_000;
const LATER_MS = 3_600_000;

/** In whole seconds, as Patroni writes it. */
const timeIn = (milliseconds: number): string => {
  const time = new Date(Math.ceil((Date.now() + milliseconds) / 1_000) * 1_000);
  return time.toISOString().replace('.000Z', '+00:00');
};

describe('what is asked of the API', () => {
  const stage = openStage({ file: PATIENT });

  const post = async (member: Member, path: string, body: JsonObject) =>
    member.rest(path, { method: 'POST', body, limitMs: 10_000 });

  const takeBack = async (member: Member, path: string) =>
    member.rest(path, { method: 'DELETE', limitMs: 10_000 });

  /** Everybody who can be asked says the same of it. */
  const shownOf = async (member: Member): Promise<unknown> => {
    const status = await member.status();
    const rows = (await stage.cluster().list(stage.primary()))?.members ?? [];
    const row = rows.find(({ name }) => name === member.name);
    expect(row?.scheduled_restart?.schedule).toBe(status?.scheduled_restart?.schedule);
    return status?.scheduled_restart;
  };

  const untilEvent = async (member: Member, event: string, since: number): Promise<unknown> =>
    stage.cluster().waitFor(event, () => member.events(event, since)[0]);

  it('restarts a replica when it is time, once', async () => {
    const cluster = stage.cluster();
    const primary = stage.primary();
    const replica = cluster.other(primary);
    const since = Date.now();
    const { postmasterPid } = replica;
    const schedule = timeIn(SOON_MS);
    const body = { schedule, role: 'replica', timeout: 60 };
    expect(await post(replica, '/restart', body)).toEqual({
      status: 202,
      body: 'Restart scheduled',
    });
    expect(await shownOf(replica)).toEqual({ schedule, role: 'replica', timeout: 60 });
    expect(await post(replica, '/restart', { schedule: timeIn(LATER_MS) })).toEqual({
      status: 409,
      body: 'Another restart is already scheduled',
    });
    const due = await untilEvent(replica, 'restart.due', since);
    expect(Date.parse((due as { at: string }).at)).toBeGreaterThanOrEqual(Date.parse(schedule));
    await untilEvent(replica, 'operation.done', since);
    expect(await cluster.untilWell()).toBe(primary);
    expect(replica.postmasterPid).not.toBe(postmasterPid);
    expect(await shownOf(replica)).toBeUndefined();
    expect(replica.events('restart.due', since)).toHaveLength(1);
    expect(replica.events('server.started', since)).toHaveLength(1);
    expect(await takeBack(replica, '/restart')).toEqual({
      status: 404,
      body: 'no restarts are scheduled',
    });
  });

  it('restarts the primary, which stays it, also when its loop has died meanwhile', async () => {
    const cluster = stage.cluster();
    const primary = stage.primary();
    const timeline = (await primary.status())?.timeline;
    const since = Date.now();
    const { postmasterPid, loopPid } = primary;
    const load = await cluster.write();
    const answer = await post(primary, '/restart', { schedule: timeIn(SOON_MS) });
    expect(answer?.status, answer?.body).toBe(202);
    await primary.kill('loop');
    await untilEvent(primary, 'operation.done', since);
    expect(primary.loopPid).not.toBe(loopPid);
    await cluster.moreRows(load, 100);
    await load.stop();
    expect(await cluster.untilWell()).toBe(primary);
    expect(primary.postmasterPid).not.toBe(postmasterPid);
    expect((await primary.status())?.timeline).toBe(timeline);
    expect(primary.events('server.started', since)).toHaveLength(1);
    expect(await load.account(primary)).toMatchObject(NOTHING_LOST);
  });

  it('restarts nobody who was taken back, has nothing pending, or is of another role', async () => {
    const cluster = stage.cluster();
    const primary = stage.primary();
    const [flushed, calm] = cluster.others(primary);
    if (flushed === undefined || calm === undefined) throw new Error('there are three members');
    const since = Date.now();
    const before = cluster.members.map(({ postmasterPid }) => postmasterPid);
    const schedule = timeIn(SOON_MS);
    for (const [member, more] of [
      [flushed, {}],
      [calm, { restart_pending: true }],
      [primary, { role: 'replica' }],
    ] as const)
      expect((await post(member, '/restart', { schedule, ...more }))?.status).toBe(202);
    expect(await takeBack(flushed, '/restart')).toEqual({
      status: 200,
      body: 'scheduled restart deleted',
    });
    expect(await shownOf(flushed)).toBeUndefined();
    expect(await untilEvent(calm, 'restart.dropped', since)).toMatchObject({
      because: 'no setting waits for a restart',
    });
    expect(await untilEvent(primary, 'restart.dropped', since)).toMatchObject({
      because: 'the server is no replica',
    });
    // Asked for after the others: when this one has begun, their time has passed.
    const control = cluster.other(primary, flushed);
    expect((await post(control, '/restart', { schedule: timeIn(1_000) }))?.status).toBe(202);
    await untilEvent(control, 'operation.done', since);
    expect(await cluster.untilWell()).toBe(primary);
    for (const member of [primary, flushed]) expect(before).toContain(member.postmasterPid);
    expect(flushed.events('restart.due', since)).toEqual([]);
  });

  it('restarts nobody a second time who has been restarted meanwhile', async () => {
    const cluster = stage.cluster();
    const replica = cluster.other(stage.primary());
    const since = Date.now();
    expect((await post(replica, '/restart', { schedule: timeIn(LATER_MS) }))?.status).toBe(202);
    expect((await post(replica, '/restart', {}))?.status).toBe(200);
    await untilEvent(replica, 'restart.dropped', since);
    await cluster.waitUntil(
      'the store to say so',
      async () => (await shownOf(replica)) === undefined,
    );
    await cluster.untilWell();
  });

  it('switches over when it is time, and loses nothing', async () => {
    const cluster = stage.cluster();
    const old = stage.primary();
    const candidate = cluster.other(old);
    const since = Date.now();
    const load = await cluster.write();
    const scheduledAt = timeIn(SOON_MS);
    const body = { leader: old.name, candidate: candidate.name, scheduled_at: scheduledAt };
    // Any member may be asked.
    const asked = cluster.other(old, candidate);
    expect(await post(asked, '/switchover', body)).toEqual({
      status: 202,
      body: 'Switchover scheduled',
    });
    await cluster.waitUntil('the cluster to show it', async () => {
      const shown = (await cluster.list(old))?.scheduled_switchover;
      return shown?.from === old.name && shown.to === candidate.name;
    });
    await untilEvent(old, 'switchover.due', since);
    expect(await cluster.untilPrimary((member) => member === candidate)).toBe(candidate);
    await cluster.moreRows(load, 200);
    await load.stop();
    expect(await cluster.untilWell()).toBe(candidate);
    expect(await load.account(candidate)).toMatchObject(NOTHING_LOST);
    const [begun] = old.events('switchover.begun', since);
    expect(Date.parse(begun?.at ?? '')).toBeGreaterThanOrEqual(Date.parse(scheduledAt));
    expect((await cluster.list(candidate))?.scheduled_switchover).toBeUndefined();
  });

  it('does not switch over when that was taken back', async () => {
    const cluster = stage.cluster();
    const primary = stage.primary();
    const replica = cluster.other(primary);
    const since = Date.now();
    const body = { leader: primary.name, scheduled_at: timeIn(SOON_MS) };
    expect((await post(primary, '/switchover', body))?.status).toBe(202);
    expect(await takeBack(replica, '/switchover')).toEqual({
      status: 200,
      body: 'scheduled switchover deleted',
    });
    // When this one has begun, the time of the other has passed.
    expect((await post(replica, '/restart', { schedule: timeIn(SOON_MS) }))?.status).toBe(202);
    await untilEvent(replica, 'operation.done', since);
    expect(await cluster.untilWell()).toBe(primary);
    expect(primary.events('switchover.begun', since)).toEqual([]);
    expect((await takeBack(replica, '/switchover'))?.status).toBe(404);
  });
});

describe('what is asked from the command line', () => {
  const bench = new UpBench({ name: 'schedules' });
  let up: Running;

  const patronictl = async (...words: readonly string[]): Promise<Ended> => {
    const port = bench.plan().etcd[0]?.client ?? 0;
    const password = bench.secret('restapi');
    const file = bench.write(
      'patronictl.yml',
      [
        `etcd3: {hosts: '127.0.0.1:${port}'}`,
        `restapi: {authentication: {username: matriarch, password: '${password}'}}`,
        '',
      ].join('\n'),
    );
    return bench.finish(bench.spawn(findPatronictl() ?? '', ['-c', file, ...words]));
  };

  const list = async (): Promise<readonly Readonly<Record<string, unknown>>[]> =>
    JSON.parse((await bench.run('list', '--format', 'json')).out) as [];

  const scheduled = async (): Promise<readonly unknown[]> =>
    (await list()).map((row) => row['Scheduled restart']);

  const leader = async (): Promise<string> =>
    String((await list()).find(({ Role }) => Role === 'Leader')?.['Member']);

  beforeAll(async () => {
    bench.write('cluster.yaml', `cluster: ${bench.cluster}\nmembers: 3\n`);
    up = bench.start('up');
    await up.until('Ctrl-C stops it; the data stays.');
  });
  afterAll(async () => {
    await bench.close();
  });

  it('is a restart, which is shown, replaced by force, and taken back', async () => {
    const at = '2099-01-31T03:00+01:00';
    const words = ['restart', '--scheduled', at, '--pg-version', '99.1', '-r', 'replica'];
    const asked = await bench.run(...words, '--force');
    expect(asked).toMatchObject({ status: 0, err: '' });
    expect(asked.out.match(/^Success: restart scheduled on member/gm)).toHaveLength(2);
    const shown = '2099-01-31T03:00:00+01:00 if version < 99.1';
    expect((await scheduled()).filter((cell) => cell === shown)).toHaveLength(2);
    expect((await bench.run('list')).out).toContain('| Scheduled restart ');

    const [one = ''] = asked.out.match(/(?<=on member )\S+/g) ?? [];
    const unsure = await bench.run('restart', one, '--scheduled', '2099-02-01T03:00Z');
    expect([unsure.status, unsure.err]).toEqual([
      1,
      expect.stringContaining(`schedule a restart of ${one} at 2099-02-01T03:00:00+00:00?`),
    ]);
    expect(await bench.run('restart', one, '--scheduled', '2099-02-01T03:00Z', '--force')).toEqual(
      expect.objectContaining({ status: 0 }),
    );
    expect(await scheduled()).toContain('2099-02-01T03:00:00+00:00');

    const flushed = await bench.run('flush', 'restart', '--force');
    expect(flushed).toMatchObject({ status: 0, err: '' });
    expect(flushed.out.match(/^Success: flush scheduled restart for member/gm)).toHaveLength(2);
    expect(flushed.out.match(/^No scheduled restart for member/gm)).toHaveLength(1);
    expect(await scheduled()).toEqual([undefined, undefined, undefined]);
  });

  it('is a switchover, which is shown, taken back, and happens', async () => {
    const old = await leader();
    const asked = await bench.run('switchover', '--scheduled', '2099-01-31T03:00Z', '--force');
    expect(asked).toMatchObject({ status: 0, err: '' });
    expect(asked.out).toContain('Switchover scheduled\n');
    expect(asked.out).toContain(' Switchover scheduled at: 2099-01-31T03:00:00+00:00\n');
    expect(await bench.run('flush', 'switchover', '--force')).toMatchObject({
      status: 0,
      out: 'Success: scheduled switchover deleted\n',
    });
    expect(await bench.run('flush', 'switchover', '--force')).toMatchObject({
      status: 0,
      out: 'No pending scheduled switchover\n',
    });
    await bench.run('switchover', '--scheduled', timeIn(SOON_MS), '--force');
    await waitUntil('another leader', async () => ![old, 'undefined'].includes(await leader()));
  });

  it('is refused in a pause', async () => {
    expect((await bench.run('pause', '--wait')).status).toBe(0);
    for (const verb of ['restart', 'switchover']) {
      const { status, err } = await bench.run(verb, '--scheduled', timeIn(LATER_MS), '--force');
      expect([status, err]).toEqual([3, expect.stringContaining('the cluster is paused')]);
    }
    expect((await bench.run('resume', '--wait')).status).toBe(0);
  });

  it.runIf(findPatronictl() !== undefined)('is shown and taken back by patronictl', async () => {
    const { cluster } = bench;
    const member = await leader();
    const at = ['--scheduled', '2099-01-31T03:00+01:00', '--force'];
    const restart = await patronictl('restart', cluster, member, ...at);
    expect(restart.out, restart.err).toContain(`Success: restart scheduled on member ${member}`);
    await waitFor('the list to show it', async () => {
      const { out } = await patronictl('list', cluster);
      return out.includes('2099-01-31T03:00:00+01:00') ? out : undefined;
    });
    const again = await patronictl('flush', cluster, member, 'restart', '--force');
    expect(again.out, again.err).toContain('Success: flush scheduled restart');
    const switchover = await patronictl('switchover', cluster, ...at);
    expect(switchover.out, switchover.err).toContain('Switchover scheduled');
    expect(switchover.out).toContain('Switchover scheduled at: 2099-01-31T03:00:00+01:00');
    const back = await patronictl('flush', cluster, 'switchover', '--force');
    expect(back.out, back.err).toContain('Success: scheduled switchover deleted');
  });
});
