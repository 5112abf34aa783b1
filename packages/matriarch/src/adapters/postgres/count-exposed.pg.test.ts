/**
 * Shows that commits which were waiting when a real server ended are counted in its WAL once it is
 * back: all of them and none of those before or after, however it ended, and also when it has been
 * promoted to another timeline since.
 */
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Lsn, lsn, parseLsn, type Timeline, timeline } from '@matriarch/core';
import { Client } from 'pg';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { openPostgresLab, type PostgresLab, type TestServer } from '../../testing/postgres.ts';
import { SUPERUSER } from '../../testing/postgres-context.ts';
import { countExposed } from './count-exposed.ts';

let lab: PostgresLab;
let server: TestServer;

const SETTINGS = {
  synchronous_standby_names: 'nobody',
  autovacuum: 'off',
  max_prepared_transactions: '2',
  archive_mode: 'on',
  archive_command: '/bin/true',
};
const FIRST = timeline(1);
const LOCAL = 'set synchronous_commit = local;';

beforeAll(async () => {
  lab = await openPostgresLab();
}, 60_000);
afterAll(() => lab?.close());

beforeEach(async () => {
  server = await lab.createServer();
  await server.configure(SETTINGS);
  await server.start();
  await server.query(`${LOCAL} create table t (i int)`);
});
afterEach(() => server.crash());

const flushed = async (): Promise<Lsn> => {
  const position = parseLsn(await server.value('select pg_current_wal_flush_lsn()'));
  if (position === undefined) throw new Error('the server has not said how far it is');
  return position;
};

/** Commits that wait until the server ends; their clients never hear of them. */
const commitAndWait = async (...statements: readonly string[]): Promise<void> => {
  for (const statement of statements) {
    const client = new Client({
      host: '127.0.0.1',
      port: server.port,
      user: SUPERUSER.username,
      password: SUPERUSER.password,
      database: 'postgres',
    });
    client.on('error', () => undefined);
    await client.connect();
    client.query(statement).catch(() => undefined);
  }
  await server.until(
    "select count(*) from pg_stat_activity where wait_event = 'SyncRep'",
    String(statements.length),
  );
};

const INSERT = 'insert into t values (1)';

const count = async (range: { from: Lsn; to: Lsn; of?: Timeline }): Promise<number> => {
  const { from, to, of = FIRST } = range;
  const answer = await countExposed(server.context(), { timeline: of, from, to });
  if (answer.kind !== 'done') throw new Error(answer.cause);
  return answer.commits;
};

describe('commits that waited when a server ended', () => {
  it('are counted after a crash, and nothing that was committed since', async () => {
    const from = await flushed();
    await commitAndWait(INSERT, INSERT, 'create table made_while_waiting ()');
    await server.query(`begin; insert into t values (2); rollback`);
    const end = await flushed();
    await server.crash();
    await server.start();
    for (let row = 0; row < 5; row += 1) await server.query(`${LOCAL} ${INSERT}`);
    const to = await flushed();
    expect(await count({ from, to })).toBe(3);
    expect(await server.value('select count(*) from t')).toBe('7');
    const answer = await countExposed(server.context(), { timeline: FIRST, from, to });
    expect(answer).toMatchObject({ kind: 'done', to: end });
  });

  it('are counted after a stop in good order, unless standbys had it all', async () => {
    const from = await flushed();
    await commitAndWait(INSERT, INSERT);
    await server.stop();
    await server.start();
    const end = await flushed();
    await server.query(`${LOCAL} ${INSERT}`);
    const to = await flushed();
    expect(await count({ from, to })).toBe(2);
    expect(await count({ from: end, to })).toBe(0);
  });

  it('are counted with those of two phases, at their second one', async () => {
    await server.query(`${LOCAL} begin; ${INSERT}; prepare transaction 'first'`);
    const from = await flushed();
    await commitAndWait(
      "commit prepared 'first'",
      `begin; ${INSERT}; prepare transaction 'second'`,
    );
    await server.crash();
    await server.start();
    expect(await count({ from, to: await flushed() })).toBe(1);
  });

  it('are counted unless the whole of their record was held', async () => {
    await server.query(`${LOCAL} ${INSERT}`);
    const behind = await flushed();
    await server.crash();
    await server.start();
    const to = await flushed();
    expect(await count({ from: behind, to })).toBe(0);
    expect(await count({ from: lsn(behind - 8n), to })).toBe(1);
  });

  it('are counted across files of WAL', async () => {
    const from = await flushed();
    await commitAndWait(INSERT);
    await server.query('select pg_switch_wal()');
    await server.query(`${LOCAL} insert into t select generate_series(1, 1000)`);
    await server.query('select pg_switch_wal()');
    await server.crash();
    await server.start();
    expect(await count({ from, to: await flushed() })).toBe(2);
  });
});

describe('commits that waited on a timeline that was left', () => {
  /** Where the newest timeline left the first one. */
  const switchedAt = async (): Promise<Lsn> => {
    const history = join(server.dataDirectory, 'pg_wal', '00000002.history');
    const [, position = ''] = /^1\t(\S+)/m.exec(await readFile(history, 'utf8')) ?? [];
    const at = parseLsn(position);
    if (at === undefined) throw new Error('there is no second timeline');
    return at;
  };

  it('are counted after a promotion, also in a file that was renamed', async () => {
    const from = await flushed();
    await commitAndWait(INSERT, INSERT);
    await server.crash();
    await writeFile(join(server.dataDirectory, 'standby.signal'), '');
    await server.start();
    await server.query('select pg_promote()');
    await server.query(`${LOCAL} ${INSERT}`);
    expect(await count({ from, to: await switchedAt() })).toBe(2);
  });

  it('are not counted when their WAL is gone', async () => {
    const from = await flushed();
    const answer = await countExposed(server.context(), {
      timeline: timeline(7),
      from,
      to: lsn(from + 100n),
    });
    expect(answer).toMatchObject({
      kind: 'failed',
      cause: expect.stringMatching(/^WAL of timeline 7 from .* is not in .*pg_wal any more$/),
    });
  });
});
