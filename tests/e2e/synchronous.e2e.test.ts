/**
 * Commits that wait for standbys: what a client was told is committed is there after every fault, on
 * real PostgreSQL. The primary's PostgreSQL is killed, its host dies, or stands still and thaws under
 * another primary with a client still connected; standbys die; the mode is changed under load.
 */
import { Client } from 'pg';
import { expect, it } from 'vitest';
import { SUPERUSER } from './harness/agent-file.ts';
import { type SyncKey, changeConfig, readDocument, untilProtected } from './harness/documents.ts';
import type { Member } from './harness/member.ts';
import { openStage } from './harness/scenes.ts';
import { type Load, NOTHING_LOST } from './harness/writer.ts';

const stage = openStage({
  etcd: 3,
  file: { bootstrap: { dcs: { synchronous_mode: 'quorum' } } },
});

const showNames = async (member: Member): Promise<string> => {
  const rows = await member.query<{ synchronous_standby_names: string }>(
    'show synchronous_standby_names',
  );
  return rows[0]?.synchronous_standby_names ?? '?';
};

const TTL_MS = 5_000;

const readSync = async (): Promise<SyncKey | undefined> => readDocument(stage.cluster(), 'sync');

const changeMode = async (mode: boolean | string, strict = false): Promise<void> =>
  changeConfig(stage.cluster(), { synchronous_mode: mode, synchronous_mode_strict: strict });

const expectNothingLost = async (load: Load, primary: Member): Promise<void> => {
  await load.stop();
  expect(await load.account(primary)).toMatchObject(NOTHING_LOST);
};

/** The member dies with its PostgreSQL; its etcd stays. */
const killMember = async (member: Member): Promise<void> => {
  await member.kill('guard');
  const isGone = (): boolean => member.serverProcesses().length === 0;
  await stage.cluster().waitUntil(`PostgreSQL of ${member.name} to be gone`, isGone);
};

const connectTo = async ({ postgresPort }: Member): Promise<Client> => {
  const client = new Client({
    host: '127.0.0.1',
    port: postgresPort,
    user: SUPERUSER.username,
    password: SUPERUSER.password,
    database: 'postgres',
  });
  client.on('error', () => undefined);
  await client.connect();
  return client;
};

it('waits for any of both standbys, and the store and the list say so', async () => {
  const cluster = stage.cluster();
  const primary = stage.primary();
  await untilProtected(cluster, primary);
  const [first, second] = cluster.others(primary);
  expect(await showNames(primary)).toBe(`ANY 1 ("${first?.name}","${second?.name}")`);
  expect((await readSync())?.quorum).toBe(1);
  const listed = await cluster.list(primary);
  expect(listed?.members.map(({ role }) => role).sort()).toEqual([
    'leader',
    'quorum_standby',
    'quorum_standby',
  ]);
  if (first === undefined) throw new Error('there is no standby');
  // As a primary it would wait for the others from its first commit on.
  const others = cluster.others(first).map(({ name }) => `"${name}"`);
  expect(await showNames(first)).toBe(`ANY 1 (${others.join(',')})`);
});

it('loses nothing when PostgreSQL of the primary is killed under load, and does not wait for a ttl', async () => {
  const cluster = stage.cluster();
  const old = stage.primary();
  await untilProtected(cluster, old);
  const load = await cluster.write();
  await old.kill('postmaster');
  const fresh = await cluster.untilOtherPrimary(old);
  await cluster.moreRows(load, 300);
  await load.stop();
  const balance = await load.account(fresh);
  expect(balance).toMatchObject(NOTHING_LOST);
  expect(balance.longestGapMs).toBeLessThan(TTL_MS);
  expect(await cluster.untilWell()).toBe(fresh);
});

it('loses nothing when the host of the primary dies', async () => {
  const cluster = stage.cluster();
  const old = stage.primary();
  await untilProtected(cluster, old);
  const load = await cluster.write();
  await old.kill('host');
  const fresh = await cluster.untilOtherPrimary(old);
  await cluster.moreRows(load, 300);
  await expectNothingLost(load, fresh);
});

it('acknowledges nothing on a primary that thaws under another one', async () => {
  const cluster = stage.cluster();
  const old = stage.primary();
  await untilProtected(cluster, old);
  const load = await cluster.write();
  const client = await connectTo(old);
  await client.query('create table if not exists thawed (at text)');
  await old.freeze('host');
  // It lies in the socket, and is the first thing the thawed server reads.
  const answer = client.query("insert into thawed values ('frozen')").then(
    () => 'acknowledged',
    () => 'refused',
  );
  const fresh = await cluster.untilOtherPrimary(old);
  await cluster.moreRows(load, 100);
  old.thaw();
  expect(await answer).toBe('refused');
  expect(await fresh.query('select from thawed')).toEqual([]);
  await cluster.moreRows(load, 100);
  await expectNothingLost(load, fresh);
  expect(await cluster.untilWell()).toBe(fresh);
  await client.end().catch(() => undefined);
});

it('is silent before its lease can expire when the loop hangs', async () => {
  const cluster = stage.cluster();
  const old = stage.primary();
  await untilProtected(cluster, old);
  const load = await cluster.write();
  const { loopPid } = old;
  await old.freeze('loop');
  const fresh = await cluster.untilOtherPrimary(old);
  expect(old.postmasterPid).toBeUndefined();
  await cluster.moreRows(load, 300);
  // Nobody thaws it: the guard replaces a loop that says nothing.
  await cluster.waitUntil('another loop', () => {
    const now = old.loopPid;
    return now !== undefined && now !== loopPid;
  });
  await load.stop();
  expect(await cluster.untilWell()).toBe(fresh);
  expect(await load.account(fresh)).toMatchObject(NOTHING_LOST);
});

it('is silent before its lease can expire when the guard hangs', async () => {
  const cluster = stage.cluster();
  const old = stage.primary();
  await untilProtected(cluster, old);
  const load = await cluster.write();
  await old.freeze('guard');
  const fresh = await cluster.untilOtherPrimary(old);
  // The loop did it: the guard still stands.
  expect(old.serverProcesses()).toEqual([]);
  await cluster.moreRows(load, 300);
  old.thaw();
  await load.stop();
  expect(await cluster.untilWell()).toBe(fresh);
  expect(await load.account(fresh)).toMatchObject(NOTHING_LOST);
});

it('goes on with one standby, and unprotected with none, until one is back', async () => {
  const cluster = stage.cluster();
  const primary = stage.primary();
  await untilProtected(cluster, primary);
  const [first, second] = cluster.others(primary);
  if (first === undefined || second === undefined) throw new Error('there are no standbys');
  const load = await cluster.write();
  await killMember(first);
  await cluster.moreRows(load, 100);
  await cluster.waitUntil('one standby in the electorate', async () => {
    const sync = await readSync();
    return sync?.sync_standby === second.name && sync.quorum === 0;
  });
  await killMember(second);
  await cluster.waitUntil('nobody in the electorate', async () => {
    return (await readSync())?.sync_standby === null;
  });
  await cluster.moreRows(load, 100);
  expect(await showNames(primary)).toBe('');
  for (const standby of [first, second]) standby.start();
  await untilProtected(cluster, primary);
  await cluster.moreRows(load, 100);
  await expectNothingLost(load, primary);
});

it('makes commits wait in strict mode while there is no standby', async () => {
  const cluster = stage.cluster();
  const primary = stage.primary();
  await changeMode('quorum', true);
  await untilProtected(cluster, primary);
  const client = await connectTo(primary);
  await client.query('create table if not exists strict (row int)');
  const standbys = cluster.others(primary);
  await Promise.all(standbys.map(killMember));
  let isAnswered = false;
  const answer = client.query('insert into strict values (1)').then(() => {
    isAnswered = true;
  });
  await cluster.waitUntil('the standbys to be missed', async () => {
    const rows = await primary.query<{ waits: number }>(
      "select count(*)::int as waits from pg_stat_activity where wait_event = 'SyncRep'",
    );
    return rows[0]?.waits === 1;
  });
  // Longer than any absence is waited for: their member keys are gone as well.
  await cluster.waitUntil('the standbys to be forgotten', async () => {
    const rows = (await cluster.list(primary))?.members ?? [];
    return rows.length === 1;
  });
  expect(isAnswered).toBe(false);
  for (const standby of standbys) standby.start();
  await answer;
  await client.end();
  await changeMode('quorum');
});

it('changes its mode under load and loses nothing, whatever the mode was', async () => {
  const cluster = stage.cluster();
  const primary = stage.primary();
  const load = await cluster.write();
  const [first] = cluster.others(primary);
  await untilProtected(cluster, primary);
  await changeMode(true);
  await cluster.waitUntil('one chosen standby', async () => {
    const sync = await readSync();
    return sync?.quorum === 0 && sync.sync_standby !== null && !sync.sync_standby.includes(',');
  });
  expect(await showNames(primary)).toMatch(/^m\d$|^"m\d"$/u);
  await changeMode(false);
  await cluster.waitUntil('no word of it in the store', async () => {
    return (await readSync()) === undefined;
  });
  expect(await showNames(primary)).toBe('');
  await cluster.waitUntil('no word of it on a standby', async () => {
    return first !== undefined && (await showNames(first)) === '';
  });
  await changeMode('quorum');
  await untilProtected(cluster, primary);
  await cluster.moreRows(load, 100);
  primary.holdBackWal();
  await primary.kill('host');
  const fresh = await cluster.untilOtherPrimary(primary);
  await cluster.moreRows(load, 100);
  await expectNothingLost(load, fresh);
});
