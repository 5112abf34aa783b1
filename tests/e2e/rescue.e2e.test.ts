/**
 * Asynchronous replication, and PostgreSQL of the primary dies with WAL that no standby has received:
 * its agent gives it to the best standby, which takes over, and nothing is lost. Nobody else gets it.
 * A second crash within a minute restarts in place (rule S13): each has a cluster of its own.
 */
import { describe, expect, it } from 'vitest';
import { REPLICATOR } from './harness/agent-file.ts';
import type { Member } from './harness/member.ts';
import { signal } from './harness/processes.ts';
import { type Stage, openStage } from './harness/scenes.ts';

/** From now on no standby receives anything, and applications do not notice. */
const holdBackWal = (member: Member): void => {
  for (const pid of member.serverProcess('walsender')) signal(pid, 'SIGSTOP');
};

describe('WAL that nobody has received', () => {
  const stage: Stage = openStage();

  it('is not lost with the server: a standby gets it, and takes over', async () => {
    const cluster = stage.cluster();
    const old = stage.primary();
    const since = Date.now();
    const load = await cluster.write();
    holdBackWal(old);
    await cluster.moreRows(load, 300);
    await old.kill('postmaster');
    const fresh = await cluster.untilOtherPrimary(old);
    await cluster.moreRows(load, 100);
    await load.stop();
    expect(await cluster.untilWell()).toBe(fresh);
    expect(await load.account(fresh)).toMatchObject({ lost: [], risen: [], split: [] });
    expect(old.events('wal.offered', since)).toMatchObject([{ to: fresh.name }]);
    // It went on along the same history: nothing was forked, rewound or cloned.
    expect(old.events('fork.keeping', since)).toEqual([]);
  });

  it('is given to nobody who does not belong to the cluster, and only while it is offered', async () => {
    const primary = stage.primary();
    const segment = '/matriarch/wal/000000010000000000000001';
    expect((await primary.rest(segment))?.status).toBe(401);
    const basic = `${REPLICATOR.username}:${REPLICATOR.password}`;
    const authorization = `Basic ${Buffer.from(basic).toString('base64')}`;
    expect((await primary.rest(segment, { headers: { authorization } }))?.status).toBe(401);
    expect((await primary.rest('/matriarch/wal/../../postgresql.conf'))?.status).toBe(401);
  });
});

describe('a lot of it', () => {
  const stage: Stage = openStage();

  it('is not lost when it fills several segments', async () => {
    const cluster = stage.cluster();
    const old = stage.primary();
    const load = await cluster.write();
    holdBackWal(old);
    await old.query('create table if not exists bulky (text text)');
    for (let round = 0; round < 3; round += 1) {
      await old.query("insert into bulky select repeat('x', 1000) from generate_series(1, 12000)");
      await old.query('select pg_switch_wal()');
    }
    await cluster.moreRows(load, 50);
    await old.kill('postmaster');
    const fresh = await cluster.untilOtherPrimary(old);
    await cluster.moreRows(load, 100);
    await load.stop();
    expect(await cluster.untilWell()).toBe(fresh);
    expect(await load.account(fresh)).toMatchObject({ lost: [], risen: [], split: [] });
    expect(await fresh.query('select count(*)::int as count from bulky')).toEqual([
      { count: 36_000 },
    ]);
    await fresh.query('drop table bulky');
  });
});
