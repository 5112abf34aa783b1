/**
 * Asynchronous replication, and PostgreSQL of the primary dies with WAL that no standby has received:
 * its agent gives it to the best standby, which takes over, and nothing is lost. Nobody else gets it.
 * A second crash within a minute restarts in place (rule S13): each has a cluster of its own.
 */
import { describe, expect, it } from 'vitest';
import { makeWalToken } from '../../packages/matriarch/src/main/wal-token.ts';
import { REPLICATOR } from './harness/agent-file.ts';
import { type Stage, openStage } from './harness/scenes.ts';
import { NOTHING_LOST } from './harness/writer.ts';

describe('WAL that nobody has received', () => {
  const stage: Stage = openStage();

  it('is not lost with the server: a standby gets it, and takes over', async () => {
    const cluster = stage.cluster();
    const old = stage.primary();
    const since = Date.now();
    const load = await cluster.write();
    old.holdBackWal();
    await cluster.moreRows(load, 300);
    await old.kill('postmaster');
    const fresh = await cluster.untilOtherPrimary(old);
    await cluster.moreRows(load, 100);
    await load.stop();
    expect(await cluster.untilWell()).toBe(fresh);
    expect(await load.account(fresh)).toMatchObject(NOTHING_LOST);
    expect(old.events('wal.offered', since)).toMatchObject([{ to: fresh.name }]);
    // It went on along the same history: nothing was forked, rewound or cloned.
    expect(old.events('fork.keeping', since)).toEqual([]);
  });

  it('is given to nobody who does not belong to the cluster, and only while it is offered', async () => {
    const primary = stage.primary();
    const segment = '/matriarch/wal/000000010000000000000001';
    const outside = '/matriarch/wal/../../postgresql.conf';
    const basic = `${REPLICATOR.username}:${REPLICATOR.password}`;
    const strangers = ['', `Basic ${Buffer.from(basic).toString('base64')}`];
    for (const authorization of strangers)
      for (const path of [segment, outside])
        expect((await primary.rest(path, { headers: { authorization } }))?.status).toBe(401);
    for (const path of [segment, outside]) {
      const authorization = makeWalToken(REPLICATOR.password, path);
      const answer = await primary.rest(path, { headers: { authorization } });
      expect([answer?.status, answer?.body]).toEqual([
        404,
        expect.stringContaining('no WAL is offered here'),
      ]);
    }
  });
});

describe('a lot of it', () => {
  const stage: Stage = openStage();

  it('is not lost when it fills several segments', async () => {
    const cluster = stage.cluster();
    const old = stage.primary();
    const since = Date.now();
    const load = await cluster.write();
    old.holdBackWal();
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
    expect(await load.account(fresh)).toMatchObject(NOTHING_LOST);
    expect(old.events('wal.offered', since)).toMatchObject([{ to: fresh.name }]);
    expect(await fresh.query('select count(*)::int as count from bulky')).toEqual([
      { count: 36_000 },
    ]);
    await fresh.query('drop table bulky');
  });
});
