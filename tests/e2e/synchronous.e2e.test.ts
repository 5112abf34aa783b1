/**
 * Commits that wait for standbys: what a client was told is committed is there after every fault, on
 * real PostgreSQL. The primary's PostgreSQL is killed, its host dies, or stands still and thaws under
 * another primary with a client still connected; standbys die; the mode is changed under load.
 */
import { Client } from 'pg';
import { expect, it } from 'vitest';
import { SCOPE, SUPERUSER } from './harness/agent-file.ts';
import type { Member } from './harness/member.ts';
import { signal } from './harness/processes.ts';
import { openStage } from './harness/scenes.ts';
import type { Load } from './harness/writer.ts';

const stage = openStage({
  etcd: 3,
  file: { bootstrap: { dcs: { synchronous_mode: 'quorum' } } },
});

const SYNC_KEY = `/service/${SCOPE}/sync`;
const CONFIG_KEY = `/service/${SCOPE}/config`;

interface SyncKey {
  readonly leader: string;
  readonly quorum: number;
  readonly sync_standby: string | null;
}

const readKey = async <T>(key: string): Promise<T | undefined> => {
  const text = await stage.cluster().etcd.etcdctl('get', '--print-value-only', key);
  return text.trim() === '' ? undefined : (JSON.parse(text) as T);
};

const showNames = async (member: Member): Promise<string> => {
  const rows = await member.query<{ synchronous_standby_names: string }>(
    'show synchronous_standby_names',
  );
  return rows[0]?.synchronous_standby_names ?? '?';
};

/** Both standbys are waited for, and both votes are needed. */
const untilProtected = async (primary: Member): Promise<void> => {
  const names = stage
    .cluster()
    .others(primary)
    .map(({ name }) => name);
  await stage.cluster().waitUntil('both standbys to be in the electorate', async () => {
    const sync = await readKey<SyncKey>(SYNC_KEY);
    return sync?.leader === primary.name && sync.sync_standby === names.join(',');
  });
};

const changeMode = async (mode: boolean | string, strict = false): Promise<void> => {
  const config = await readKey<Record<string, unknown>>(CONFIG_KEY);
  const changed = { ...config, synchronous_mode: mode, synchronous_mode_strict: strict };
  await stage.cluster().etcd.etcdctl('put', CONFIG_KEY, JSON.stringify(changed));
};

const expectNothingLost = async (load: Load, primary: Member): Promise<void> => {
  await load.stop();
  expect(await load.account(primary)).toMatchObject({ lost: [], split: [] });
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
  await untilProtected(primary);
  const [first, second] = cluster.others(primary);
  expect(await showNames(primary)).toBe(`ANY 1 ("${first?.name}","${second?.name}")`);
  expect((await readKey<SyncKey>(SYNC_KEY))?.quorum).toBe(1);
  const listed = await cluster.list(primary);
  expect(listed?.members.map(({ role }) => role).sort()).toEqual([
    'leader',
    'quorum_standby',
    'quorum_standby',
  ]);
  if (first === undefined) throw new Error('there is no standby');
  // Nobody who promotes it by hand gets a primary that acknowledges anything.
  expect(await showNames(first)).toContain('not the primary');
});

it('loses nothing when PostgreSQL of the primary is killed under load, and moves at once', async () => {
  const cluster = stage.cluster();
  const old = stage.primary();
  await untilProtected(old);
  const load = await cluster.write();
  await old.kill('postmaster');
  const fresh = await cluster.untilOtherPrimary(old);
  await cluster.moreRows(load, 300);
  await expectNothingLost(load, fresh);
  expect(await cluster.untilWell()).toBe(fresh);
});

it('loses nothing when the host of the primary dies', async () => {
  const cluster = stage.cluster();
  const old = stage.primary();
  await untilProtected(old);
  const load = await cluster.write();
  await old.kill('host');
  const fresh = await cluster.untilOtherPrimary(old);
  await cluster.moreRows(load, 300);
  await expectNothingLost(load, fresh);
});

it('acknowledges nothing on a primary that thaws under another one', async () => {
  const cluster = stage.cluster();
  const old = stage.primary();
  await untilProtected(old);
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

it('goes on with one standby, and unprotected with none, until one is back', async () => {
  const cluster = stage.cluster();
  const primary = stage.primary();
  await untilProtected(primary);
  const [first, second] = cluster.others(primary);
  if (first === undefined || second === undefined) throw new Error('there are no standbys');
  const load = await cluster.write();
  await killMember(first);
  await cluster.moreRows(load, 100);
  await cluster.waitUntil('one standby in the electorate', async () => {
    const sync = await readKey<SyncKey>(SYNC_KEY);
    return sync?.sync_standby === second.name && sync.quorum === 0;
  });
  await killMember(second);
  await cluster.waitUntil('nobody in the electorate', async () => {
    return (await readKey<SyncKey>(SYNC_KEY))?.sync_standby === null;
  });
  await cluster.moreRows(load, 100);
  expect(await showNames(primary)).toBe('');
  for (const standby of [first, second]) standby.start();
  await untilProtected(primary);
  await cluster.moreRows(load, 100);
  await expectNothingLost(load, primary);
});

it('makes commits wait in strict mode while there is no standby', async () => {
  const cluster = stage.cluster();
  const primary = stage.primary();
  await changeMode('quorum', true);
  await untilProtected(primary);
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
  const end = performance.now() + 4_000;
  await cluster.waitUntil('a while', () => performance.now() > end);
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
  await changeMode(true);
  await cluster.waitUntil('one chosen standby', async () => {
    const sync = await readKey<SyncKey>(SYNC_KEY);
    return sync?.quorum === 0 && sync.sync_standby !== null && !sync.sync_standby.includes(',');
  });
  expect(await showNames(primary)).toMatch(/^m\d$|^"m\d"$/u);
  await changeMode(false);
  await cluster.waitUntil('no word of it in the store', async () => {
    return (await readKey<SyncKey>(SYNC_KEY)) === undefined;
  });
  expect(await showNames(primary)).toBe('');
  await cluster.waitUntil('no word of it on a standby', async () => {
    return first !== undefined && (await showNames(first)) === '';
  });
  await changeMode('quorum');
  await untilProtected(primary);
  await cluster.moreRows(load, 100);
  for (const pid of primary.serverProcess('walsender')) signal(pid, 'SIGSTOP');
  await primary.kill('host');
  const fresh = await cluster.untilOtherPrimary(primary);
  await cluster.moreRows(load, 100);
  await expectNothingLost(load, fresh);
});
