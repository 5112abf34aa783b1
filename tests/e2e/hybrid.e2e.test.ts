/**
 * Hybrid replication: commits are local, and those of a named role, of a named database, and of a
 * transaction that asks wait for a standby. By real PostgreSQL servers whose walreceivers stand
 * still, so that nothing is acknowledged by a standby until they go on.
 */
import { Client } from 'pg';
import { expect, it } from 'vitest';
import { SUPERUSER } from './harness/agent-file.ts';
import { changeConfig, untilProtected } from './harness/documents.ts';
import type { Member } from './harness/member.ts';
import { observeProcess, signal } from './harness/processes.ts';
import { openStage } from './harness/scenes.ts';

const NAMED = { synchronous_roles: ['billing', 'reports'], synchronous_databases: ['ledger'] };

const stage = openStage({
  etcd: 1,
  file: {
    bootstrap: {
      dcs: {
        synchronous_mode: 'quorum',
        ...NAMED,
        postgresql: { parameters: { synchronous_commit: 'local' } },
      },
    },
  },
});

interface Who {
  readonly user?: string;
  readonly database?: string;
}

const PASSWORD = 'of an application';

const connect = async (member: Member, { user, database = 'postgres' }: Who = {}) => {
  const client = new Client({
    host: '127.0.0.1',
    port: member.postgresPort,
    user: user ?? SUPERUSER.username,
    password: user === undefined ? SUPERUSER.password : PASSWORD,
    database,
  });
  client.on('error', () => undefined);
  await client.connect();
  return client;
};

const run = async (member: Member, who: Who, ...statements: readonly string[]): Promise<void> => {
  const client = await connect(member, who);
  try {
    for (const statement of statements) await client.query(statement);
  } finally {
    await client.end();
  }
};

const TABLE = 'create table paid (by text); grant insert on paid to public';

const createApplications = async (primary: Member): Promise<void> => {
  const login = `login password '${PASSWORD}'`;
  await run(primary, {}, `create role billing ${login}`, `create role clerk ${login}`);
  await run(primary, {}, 'create database ledger', TABLE);
  await run(primary, { database: 'ledger' }, TABLE);
};

interface Told {
  readonly role?: string;
  readonly database?: string;
  readonly state: string;
}

const readTold = async (primary: Member): Promise<readonly string[]> => {
  const answer = await primary.rest('/cluster');
  const { members } = JSON.parse(answer?.body ?? '{"members":[]}') as {
    members: { name: string; matriarch?: { waiting?: readonly Told[] } }[];
  };
  const told = members.find(({ name }) => name === primary.name)?.matriarch?.waiting ?? [];
  return told.map(({ role, database, state }) => `${role ?? database ?? ''} ${state}`);
};

const untilTold = async (primary: Member, ...told: readonly string[]): Promise<void> => {
  let last: readonly string[] = [];
  await stage.cluster().waitUntil(
    `the leader to tell: ${told.join(', ')}`,
    async () => {
      last = await readTold(primary);
      return JSON.stringify(last) === JSON.stringify(told);
    },
    { explain: () => `it tells: ${last.join(', ')}` },
  );
};

/** From now on no standby acknowledges anything, and none is missed. */
const holdBackStandbys = async (primary: Member): Promise<void> => {
  const receivers = stage
    .cluster()
    .others(primary)
    .flatMap((standby) => standby.serverProcess('walreceiver'));
  expect(receivers).toHaveLength(2);
  for (const pid of receivers) signal(pid, 'SIGSTOP');
  await stage
    .cluster()
    .waitUntil('the walreceivers to stand still', () =>
      receivers.every((pid) => observeProcess(pid)?.state === 'T'),
    );
};

const thawStandbys = (primary: Member): void => {
  for (const standby of stage.cluster().others(primary)) standby.thaw();
};

const PAY = 'insert into paid values (current_user)';
const plainPayment = (primary: Member): Promise<void> => run(primary, { user: 'clerk' }, PAY);

const countWaiting = async (primary: Member): Promise<number> => {
  const rows = await primary.query<{ waits: number }>(
    "select count(*)::int as waits from pg_stat_activity where wait_event = 'SyncRep'",
  );
  return rows[0]?.waits ?? 0;
};

it('lets a role, a database and a transaction wait, and nobody else', async () => {
  const cluster = stage.cluster();
  const primary = stage.primary();
  await untilTold(primary, 'billing missing', 'reports missing', 'ledger missing');
  await createApplications(primary);
  await untilProtected(cluster, primary);
  await untilTold(primary, 'billing waits', 'reports missing', 'ledger waits');
  await holdBackStandbys(primary);
  await plainPayment(primary);
  const acknowledged: string[] = [];
  const waiting = [
    run(primary, { user: 'billing' }, PAY).then(() => acknowledged.push('role')),
    run(primary, { user: 'clerk', database: 'ledger' }, PAY).then(() =>
      acknowledged.push('database'),
    ),
    run(
      primary,
      { user: 'clerk' },
      'begin',
      'set local synchronous_commit = on',
      PAY,
      'commit',
    ).then(() => acknowledged.push('transaction')),
  ];
  await cluster.waitUntil('three commits to wait', async () => (await countWaiting(primary)) === 3);
  // Others come and go meanwhile.
  await plainPayment(primary);
  expect([acknowledged, await countWaiting(primary)]).toEqual([[], 3]);
  thawStandbys(primary);
  await Promise.all(waiting);
  expect(acknowledged.sort()).toEqual(['database', 'role', 'transaction']);
});

it('lets a role go on that is named no longer, and one wait that has a setting of its own', async () => {
  const cluster = stage.cluster();
  const primary = stage.primary();
  await run(primary, {}, `create role reports login password '${PASSWORD}'`);
  await run(primary, {}, "alter role reports set synchronous_commit = 'remote_apply'");
  await untilTold(primary, 'billing waits', 'reports waits', 'ledger waits');
  await changeConfig(cluster, { synchronous_roles: [], synchronous_databases: ['ledger'] });
  await untilTold(primary, 'ledger waits');
  await cluster.waitUntil('no setting of the role', async () => {
    const rows = await primary.query(
      "select from pg_roles where rolname = 'billing' and rolconfig is null",
    );
    return rows.length === 1;
  });
  await untilProtected(cluster, primary);
  await holdBackStandbys(primary);
  await run(primary, { user: 'billing' }, PAY);
  // Its owner has set it, and nobody else takes it away.
  const report = run(primary, { user: 'reports' }, PAY);
  await cluster.waitUntil('a commit to wait', async () => (await countWaiting(primary)) === 1);
  thawStandbys(primary);
  await report;
});

it('keeps them waiting under another primary', async () => {
  const cluster = stage.cluster();
  const old = stage.primary();
  await changeConfig(cluster, NAMED);
  await untilTold(old, 'billing waits', 'reports waits', 'ledger waits');
  await untilProtected(cluster, old);
  await old.kill('postmaster');
  const fresh = await cluster.untilOtherPrimary(old);
  await untilTold(fresh, 'billing waits', 'reports waits', 'ledger waits');
  expect(await cluster.untilWell()).toBe(fresh);
  await untilProtected(cluster, fresh);
  await holdBackStandbys(fresh);
  await plainPayment(fresh);
  const payment = run(fresh, { user: 'billing' }, PAY);
  await cluster.waitUntil('a commit to wait', async () => (await countWaiting(fresh)) === 1);
  thawStandbys(fresh);
  await payment;
});
