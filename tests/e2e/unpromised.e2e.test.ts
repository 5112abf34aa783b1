/**
 * Commits that nobody can promise, on a real cluster: a wait for standbys that a client cancels, and
 * commits that were waiting when PostgreSQL of the primary was killed and came back where it was. The
 * log, `/metrics` and `explain` tell of them; of a switchover and a restart under load they tell nothing.
 */
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { Client } from 'pg';
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from 'vitest';
import { postmasterPid } from '../../packages/matriarch/src/drills/processes.ts';
import { memberPaths } from '../../packages/matriarch/src/local/directories.ts';
import { listProcesses, observeProcess, signal } from './harness/processes.ts';
import { callRest } from './harness/rest.ts';
import { waitFor, waitUntil } from './harness/wait.ts';
import { UpBench } from './local/up-bench.ts';

interface Event {
  readonly event?: string;
  readonly level?: string;
  readonly because?: string;
  readonly details?: Readonly<Record<string, number | string>>;
}

interface Incident {
  readonly kind: string;
  readonly steps: readonly { readonly teller: string; readonly text: string }[];
}

interface Listed {
  readonly Member: string;
  readonly Role: string;
  readonly State: string;
}

const AGAIN_MS = 100;
const NAMES = ['pg1', 'pg2', 'pg3'];

let bench: UpBench;
let primary = '';
const open: Client[] = [];

const dataOf = (member: string): string => memberPaths(bench.paths.state, member).data;

const connect = async (member: string): Promise<Client> => {
  const client = new Client({
    host: '127.0.0.1',
    port: bench.plan().members[member]?.postgresql ?? 0,
    user: 'postgres',
    password: bench.secret('superuser'),
    database: 'postgres',
  });
  client.on('error', () => undefined);
  open.push(client);
  await client.connect();
  return client;
};

const query = async <Row extends object>(sql: string): Promise<readonly Row[]> => {
  const client = await connect(primary);
  const { rows } = await client.query<Row>(sql);
  await client.end();
  return rows;
};

const list = async (): Promise<readonly Listed[]> => {
  const { out } = await bench.run('list', '--format', 'json');
  return JSON.parse(out) as readonly Listed[];
};

/** There is a leader, and commits wait for one of two standbys that stream. */
const untilProtected = async (): Promise<string> =>
  waitFor('two standbys that commits wait for', async () => {
    const rows = await list();
    const standbys = rows.filter(
      ({ Role, State }) => Role === 'Quorum Standby' && State === 'streaming',
    );
    return standbys.length === 2 ? rows.find(({ Role }) => Role === 'Leader')?.Member : undefined;
  });

/** What a member has told of commits, in its journal. */
const toldBy = (member: string): readonly Event[] =>
  readFileSync(join(memberPaths(bench.paths.state, member).stateDirectory, 'journal.jsonl'), 'utf8')
    .split('\n')
    .filter((line) => line.endsWith('}'))
    .map((line) => JSON.parse(line) as Event)
    .filter(({ event }) => event?.startsWith('commits.') === true);

const toldByAll = (): readonly string[] =>
  NAMES.flatMap((member) => toldBy(member).map((event) => JSON.stringify(event)));

const untilTold = (event: string): Promise<Event> =>
  waitFor(`${primary} to tell ${event}`, () =>
    toldBy(primary).findLast((told) => told.event === event),
  );

/** Lines of that message in the agent's log. */
const loggedBy = (member: string, message: string): readonly string[] =>
  readdirSync(bench.paths.logs)
    .filter((file) => file.includes(member))
    .flatMap((file) => readFileSync(join(bench.paths.logs, file), 'utf8').split('\n'))
    .filter((line) => line.includes(`"msg":"${message}"`));

const metric = async (name: string): Promise<number> => {
  const port = bench.plan().members[primary]?.rest ?? 0;
  const answer = await callRest({ port, path: '/metrics' });
  return Number(new RegExp(`^${name}\\{.*\\} (\\d+)$`, 'mu').exec(answer?.body ?? '')?.[1]);
};

const lastIncident = async (): Promise<Incident | undefined> => {
  const { out } = await bench.run('explain', '--format', 'json');
  return (JSON.parse(out) as { readonly incidents: readonly Incident[] }).incidents.at(-1);
};

const textsOf = (incident: Incident | undefined): readonly string[] =>
  incident?.steps.map(({ teller, text }) => `${teller} ${text}`) ?? [];

const receivers = (): readonly number[] =>
  listProcesses()
    .filter(
      ({ directory, commandLine }) =>
        NAMES.some((member) => member !== primary && directory === dataOf(member)) &&
        commandLine.includes('walreceiver'),
    )
    .map(({ pid }) => pid);

let held: readonly number[] = [];

/** From now on no standby acknowledges anything, and none is missed. */
const holdStandbys = async (): Promise<void> => {
  held = receivers();
  expect(held).toHaveLength(2);
  for (const pid of held) signal(pid, 'SIGSTOP');
  await waitUntil('the walreceivers to stand still', () =>
    held.every((pid) => observeProcess(pid)?.state === 'T'),
  );
};

/** A commit that waits until somebody ends that. */
const commit = async (): Promise<{ pid: number; end: Promise<string> }> => {
  const client = await connect(primary);
  const { rows } = await client.query<{ pid: number }>('select pg_backend_pid() as pid');
  const end = client.query('insert into paid values (now())').then(
    () => 'committed',
    () => 'not known',
  );
  return { pid: rows[0]?.pid ?? 0, end };
};

const untilWaiting = (count: number): Promise<void> =>
  waitUntil(`${count} commits that wait`, async () => {
    const rows = await query<{ waits: number }>(
      "select count(*)::int as waits from pg_stat_activity where wait_event = 'SyncRep'",
    );
    return rows[0]?.waits === count;
  });

beforeAll(async () => {
  bench = new UpBench({ name: 'unpromised' });
  bench.write(
    'cluster.yaml',
    `cluster: ${bench.cluster}\nmembers: 3\nreplication: {mode: quorum, strict: true}\n`,
  );
  await bench.start('up').until('Ctrl-C stops it; the data stays.');
  const { status, err } = await bench.run(
    'edit-config',
    '-s',
    'primary_start_timeout=300',
    '--force',
  );
  expect([status, err]).toEqual([0, '']);
});
beforeEach(async () => {
  primary = await untilProtected();
});
afterEach(async ({ task }) => {
  for (const pid of held) if (observeProcess(pid) !== undefined) signal(pid, 'SIGCONT');
  held = [];
  for (const client of open.splice(0)) await client.end().catch(() => undefined);
  if ((task.result?.errors ?? []).length > 0)
    console.error([...toldByAll(), (await bench.run('explain', '--last', '3')).out].join('\n'));
});
afterAll(async () => {
  await bench.close();
});

it('tells of a wait that was cancelled, and of commits that a restart has made visible', async () => {
  await query('create table paid (at timestamptz)');
  await holdStandbys();

  const given = await commit();
  await untilWaiting(1);
  await query(`select pg_cancel_backend(${given.pid})`);
  expect(await given.end).toBe('committed');
  expect(await untilTold('commits.cancelled')).toMatchObject({
    level: 'warn',
    because: '1 wait was cancelled while a commit waited for standbys',
  });
  await waitUntil('a line in the log', () => loggedBy(primary, 'commits cancelled').length === 1);
  expect(loggedBy(primary, 'commits cancelled')[0]).toContain('"level":"warn"');
  expect(await metric('matriarch_commits_cancelled_total')).toBe(1);
  expect(await metric('matriarch_commits_exposed_total')).toBe(0);
  expect(textsOf(await lastIncident())).toContain(
    `${primary} 1 commit left to the primary alone: ` +
      '1 wait was cancelled while a commit waited for standbys',
  );

  const lost = [await commit(), await commit()];
  await untilWaiting(2);
  const before = postmasterPid(dataOf(primary));
  signal(before, 'SIGKILL');
  expect(await Promise.all(lost.map(({ end }) => end))).toEqual(['not known', 'not known']);
  await untilTold('commits.exposed');
  expect(postmasterPid(dataOf(primary))).not.toBe(before);
  await waitUntil('a line in the log', () => loggedBy(primary, 'commits exposed').length === 1);
  // Whose wait was cancelled is on this server alone as well; PostgreSQL may commit by itself.
  const exposed = await metric('matriarch_commits_exposed_total');
  expect(exposed).toBeGreaterThanOrEqual(3);
  expect(exposed).toBeLessThan(20);
  expect((await query<{ rows: number }>('select count(*)::int as rows from paid'))[0]?.rows).toBe(
    3,
  );
  const incident = await waitFor('the restart to be told', async () => {
    const last = await lastIncident();
    return textsOf(last).some((text) => text.includes('made visible')) ? last : undefined;
  });
  expect(incident.kind).toBe('restart-in-place');
  expect(textsOf(incident).join('\n')).toMatch(
    new RegExp(`^${primary} up to ${exposed} commits made visible by the restart, `, 'mu'),
  );
});

it('tells nothing of a switchover and of a restart under load: standbys have all of it', async () => {
  await query('create table if not exists written (i int)');
  const before = toldByAll();
  const isOver = { now: false };
  let acknowledged = 0;
  /** Writes on whoever is the primary, until that server ends. */
  const writeOnce = async (): Promise<void> => {
    try {
      const client = await connect(primary);
      for (; !isOver.now; acknowledged += 1) await client.query('insert into written values (1)');
    } catch {
      await setTimeout(AGAIN_MS);
    }
  };
  const write = async (): Promise<void> => {
    while (!isOver.now) await writeOnce();
  };
  const writers = [write(), write(), write(), write()];
  const first = primary;
  await waitUntil(
    'a switchover that is done',
    async () => (await bench.run('switchover', '--force')).status === 0,
    { intervalMs: 3_000 },
  );
  primary = await untilProtected();
  expect(primary).not.toBe(first);
  const pid = postmasterPid(dataOf(primary));
  const { status, err } = await bench.run('restart', primary, '--force');
  expect([status, err]).toEqual([0, '']);
  expect(postmasterPid(dataOf(primary))).not.toBe(pid);
  primary = await untilProtected();
  isOver.now = true;
  await Promise.all(writers);
  expect(acknowledged).toBeGreaterThan(100);
  expect(toldByAll()).toEqual(before);
});
