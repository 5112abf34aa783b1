/**
 * Shows that a session outlives what goes wrong with its connections: statements that take too
 * long, backends that are ended, servers that insist on TLS. With a real server and real
 * certificates.
 */
import { execFile } from 'node:child_process';
import { chown, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { SUPERUSER } from '../../testing/postgres-context.ts';
import { openPostgresLab, type PostgresLab, type TestServer } from '../../testing/postgres.ts';
import { checkpoint } from './checkpoint.ts';
import { createSqlSession, querySql, type SqlTarget } from './sql-session.ts';

/** The library's own matcher is of type any. */
const containing = (text: string): unknown => expect.stringContaining(text);

let lab: PostgresLab;
let server: TestServer;

beforeAll(async () => {
  lab = await openPostgresLab();
  server = await lab.createServer();
  await server.start();
});
afterAll(() => lab?.close());

const target = (options: Readonly<Record<string, string>> = {}): SqlTarget => ({
  host: '127.0.0.1',
  port: server.port,
  user: SUPERUSER.username,
  password: SUPERUSER.password,
  database: 'postgres',
  applicationName: 'session',
  options,
  statementLimitMs: 2_000,
});

describe('a session', () => {
  it('leaves a connection whose statement takes too long, and answers the next on another', async () => {
    const session = createSqlSession(() => Promise.resolve({ ...target(), statementLimitMs: 500 }));
    const startedAt = performance.now();
    expect(await session.query({ text: 'select pg_sleep(60)', limitMs: 100 })).toEqual({
      kind: 'timed-out',
      message: containing('no answer within'),
    });
    expect(performance.now() - startedAt).toBeLessThan(2_000);
    expect(await session.query({ text: 'select 1 as one', limitMs: 1_000 })).toEqual({
      kind: 'rows',
      rows: [{ one: 1 }],
    });
    // The server ends by itself what nobody waits for any more.
    await server.until(
      `select count(*) from pg_stat_activity where query like '%pg_sleep(60)%' and pid <> pg_backend_pid()`,
      '0',
    );
    session.close();
  });

  it('keeps its connection after an error of the server', async () => {
    const session = createSqlSession(() => Promise.resolve(target()));
    const pid = () => session.query({ text: 'select pg_backend_pid() as pid', limitMs: 1_000 });
    const first = await pid();
    expect(await session.query({ text: 'select 1/0', limitMs: 1_000 })).toEqual({
      kind: 'refused',
      code: '22012',
      message: 'division by zero',
    });
    expect(await pid()).toEqual(first);
    session.close();
  });

  it('survives the end of its backend, also between two queries', async () => {
    const session = createSqlSession(() => Promise.resolve(target()));
    await session.query({ text: 'select 1', limitMs: 1_000 });
    await server.query(
      `select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'session'`,
    );
    await server.until(
      `select count(*) from pg_stat_activity where application_name = 'session'`,
      '0',
    );
    const answers = [];
    for (let round = 0; round < 2; round += 1)
      answers.push((await session.query({ text: 'select 1', limitMs: 1_000 })).kind);
    expect(answers.at(-1)).toBe('rows');
    session.close();
  });

  it('is told where to connect each time, or that there is nowhere', async () => {
    const session = createSqlSession(() => Promise.resolve(undefined), 'nowhere');
    expect(await session.query({ text: 'select 1', limitMs: 1_000 })).toEqual({
      kind: 'unreachable',
      message: 'nowhere',
    });
  });
});

describe('checkpoint', () => {
  it('is unknown when it takes longer than the limit', async () => {
    const context = server.context();
    expect(await checkpoint(context, 10_000)).toEqual({ kind: 'done' });
    const pid = Number(
      await server.value(`select pid from pg_stat_activity where backend_type = 'checkpointer'`),
    );
    process.kill(pid, 'SIGSTOP');
    try {
      expect(await checkpoint(context, 300)).toMatchObject({ kind: 'unknown' });
    } finally {
      process.kill(pid, 'SIGCONT');
    }
    expect(await checkpoint(context, 10_000)).toEqual({ kind: 'done' });
    await server.stop();
    expect(await checkpoint(context, 1_000)).toMatchObject({ kind: 'failed' });
  });
});

describe('TLS', () => {
  let authority: string;
  const ask = (options: Readonly<Record<string, string>>) =>
    querySql(target(options), {
      text: 'select ssl from pg_stat_ssl where pid = pg_backend_pid()',
      limitMs: 3_000,
    });

  beforeAll(async () => {
    authority = join(server.dataDirectory, 'server.crt');
    const key = join(server.dataDirectory, 'server.key');
    const made = `req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 1 -subj /CN=loopback`;
    const output = ['-keyout', key, '-out', authority, '-addext', 'subjectAltName=IP:127.0.0.1'];
    await promisify(execFile)('openssl', [...made.split(' '), ...output]);
    if (lab.owner !== undefined)
      for (const name of ['server.key', 'server.crt'])
        await chown(join(server.dataDirectory, name), lab.owner.uid, lab.owner.gid);
    await server.configure({ ssl: 'on' });
    await writeFile(
      join(server.dataDirectory, 'pg_hba.conf'),
      'hostssl all all 127.0.0.1/32 scram-sha-256\n',
    );
    await server.start();
  });

  const encrypted = { kind: 'rows', rows: [{ ssl: true }] };

  it('is used where the server has it, and where it is asked for', async () => {
    expect(await ask({})).toEqual(encrypted);
    expect(await ask({ sslmode: 'require' })).toEqual(encrypted);
    expect(await ask({ sslmode: 'disable' })).toMatchObject({ kind: 'refused', code: '28000' });
  });

  it('verifies as far as sslmode says', async () => {
    expect(await ask({ sslmode: 'verify-full', sslrootcert: authority })).toEqual(encrypted);
    expect(await ask({ sslmode: 'verify-ca', sslrootcert: authority })).toEqual(encrypted);
    expect(await ask({ sslmode: 'verify-full' })).toMatchObject({ kind: 'unreachable' });
    expect(await ask({ sslmode: 'verify-ca', sslrootcert: join(lab.directory, 'none') })).toEqual({
      kind: 'unreachable',
      message: containing('a file for TLS cannot be read'),
    });
  });

  it('is not replaced by plain text when it is required', async () => {
    await server.configure({ ssl: 'off' });
    await server.stop();
    await writeFile(join(server.dataDirectory, 'pg_hba.conf'), 'host all all 127.0.0.1/32 trust\n');
    await server.start();
    expect(await ask({ sslmode: 'require' })).toMatchObject({ kind: 'unreachable' });
    expect(await ask({ sslmode: 'prefer' })).toEqual({ kind: 'rows', rows: [{ ssl: false }] });
  });
});
