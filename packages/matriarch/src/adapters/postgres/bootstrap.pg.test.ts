/**
 * Shows a cluster coming into being: initdb, put in place, a server only we can reach, its users, a
 * normal server that asks for passwords; and that being killed after any step leaves something the
 * next try can clean up. With real data directories; the kill is not finishing.
 */
import { mkdir, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { REPLICATOR, REWINDER, SUPERUSER } from '../../testing/postgres-context.ts';
import { openPostgresLab, type PostgresLab, type TestServer } from '../../testing/postgres.ts';
import type { PostgresContext } from './context.ts';
import { createUsers } from './create-users.ts';
import { initialise } from './initialise.ts';
import { inspectDisk } from './inspect-disk.ts';
import { discardUnfinished, installData } from './install-data.ts';
import { launchSpec } from './launch-spec.ts';
import { prepareServer, type ServerRole } from './prepare-server.ts';
import { createProbe } from './probe.ts';
import { querySql } from './sql-session.ts';

/** The library's own matcher is of type any. */
const containing = (text: string): unknown => expect.stringContaining(text);

let lab: PostgresLab;
const HBA = ['local all all scram-sha-256', 'host all all 127.0.0.1/32 scram-sha-256'];
/** Not plain ASCII: the verifier has to normalise it as libpq does. */
const ODD_PASSWORD = 'pä\u00a0ss\u00adwörd²\\:\'"';

beforeAll(async () => {
  lab = await openPostgresLab();
});
afterAll(() => lab?.close());

const contextOf = (server: TestServer): PostgresContext => {
  const { settings } = server.context();
  return server.context({
    settings: { ...settings(), pgHba: HBA },
    postgresql: {
      replication: { ...REPLICATOR, password: ODD_PASSWORD, options: {} },
    },
  });
};

const look = async (context: PostgresContext) => {
  const answer = await inspectDisk(context);
  if (answer.kind !== 'done') throw new Error(answer.cause);
  return answer.disk;
};

const start = async (server: TestServer, context: PostgresContext, as: ServerRole) => {
  expect(await prepareServer(context, { as, upstream: undefined })).toMatchObject({ kind: 'done' });
  const answer = await launchSpec(context, as);
  if (answer.kind !== 'done') throw new Error(answer.cause);
  await server.start({ args: answer.launch.arguments.slice(2) });
};

const loginAs = (server: TestServer, role: { username: string; password: string }, text: string) =>
  querySql(
    {
      host: '127.0.0.1',
      port: server.port,
      user: role.username,
      password: role.password,
      database: 'postgres',
      applicationName: 'test',
      options: {},
      statementLimitMs: 5_000,
    },
    { text, limitMs: 5_000 },
  );

describe('a new cluster', () => {
  let server: TestServer;
  let context: PostgresContext;

  it('is initialised beside the data directory, and put in place', async () => {
    server = await lab.emptyServer('pg-1');
    context = contextOf(server);
    expect((await look(context)).content).toEqual({ kind: 'empty' });
    await mkdir(server.dataDirectory, { mode: 0o700 });
    await mkdir(join(server.dataDirectory, 'lost+found'));
    expect((await look(context)).content).toEqual({ kind: 'empty' });

    const answer = await initialise(context);
    expect(answer).toMatchObject({ kind: 'done' });
    expect(await look(context)).toMatchObject({
      content: { kind: 'empty' },
      bootstrapUnfinished: true,
      newReady: true,
    });
    expect(await installData(context)).toEqual({ kind: 'done' });
    expect(await installData(context)).toMatchObject({ kind: 'failed' });
    const disk = await look(context);
    expect(disk).toMatchObject({
      content: {
        kind: 'data',
        control: 'shut-down',
        lineage: { timeline: 1 },
        standbySignal: false,
        rewindable: true,
        systemIdentifier: answer.kind === 'done' ? answer.systemIdentifier : '',
      },
      bootstrapUnfinished: true,
      newReady: false,
      asideKept: false,
    });
    const secret = await readdir(join(server.dataDirectory, '../state'));
    expect(secret).not.toContain('initdb-password');
    expect((await stat(server.dataDirectory)).uid).toBe(lab.owner?.uid ?? process.getuid?.());
  });

  it('is reached by nobody but us until it has its users', async () => {
    await start(server, context, 'private');
    expect(await loginAs(server, SUPERUSER, 'select 1')).toMatchObject({ kind: 'unreachable' });
    const probe = createProbe(context);
    expect(await probe.probe(2_000)).toMatchObject({ kind: 'answers', inRecovery: false });
    probe.close();
    expect(await createUsers(context)).toEqual({ kind: 'done' });
    expect(await createUsers(context)).toEqual({ kind: 'done' });
    expect((await look(context)).bootstrapUnfinished).toBe(true);
    await server.stop();
  });

  it('asks each of them for its password, and lets them do what they are for', async () => {
    await start(server, context, 'primary');
    expect((await look(context)).bootstrapUnfinished).toBe(false);
    const replicator = { ...REPLICATOR, password: ODD_PASSWORD };
    for (const role of [SUPERUSER, REWINDER, replicator]) {
      expect(await loginAs(server, role, 'select 1')).toMatchObject({ kind: 'rows' });
      const wrong = { ...role, password: 'wrong' };
      expect(await loginAs(server, wrong, 'select 1')).toMatchObject({ code: '28P01' });
    }
    // libpq has a normalisation of its own.
    const viaLibpq = await lab.run({
      command: lab.binaries.pg_basebackup.replace(/pg_basebackup$/, 'psql'),
      args: [
        `--dbname=host=127.0.0.1 port=${server.port} user=replicator dbname=postgres`,
        '-c',
        'select 1',
      ],
      env: { PGPASSWORD: ODD_PASSWORD, LC_ALL: 'C.UTF-8', PGCLIENTENCODING: 'UTF8' },
      limitMs: 10_000,
    });
    expect(viaLibpq).toMatchObject({ kind: 'exited', code: 0 });
    const reads = `select pg_ls_dir('pg_wal', true, false), pg_stat_file('PG_VERSION', true),
      pg_read_binary_file('PG_VERSION'), pg_read_binary_file('PG_VERSION', 0, 1, true) limit 1`;
    expect(await loginAs(server, REWINDER, reads)).toMatchObject({ kind: 'rows' });
    expect(await loginAs(server, replicator, reads)).toMatchObject({ code: '42501' });
    const roles = await loginAs(
      server,
      SUPERUSER,
      `select rolname, rolsuper, rolreplication from pg_roles where rolcanlogin order by 1`,
    );
    expect(roles).toEqual({
      kind: 'rows',
      rows: [
        { rolname: 'postgres', rolsuper: true, rolreplication: true },
        { rolname: 'replicator', rolsuper: false, rolreplication: true },
        { rolname: 'rewinder', rolsuper: false, rolreplication: false },
      ],
    });
  });

  it('has told nobody a password', async () => {
    for (const secret of [SUPERUSER.password, REWINDER.password, ODD_PASSWORD, 'SCRAM-SHA-256'])
      expect(server.log()).not.toContain(secret);
    const configuration = await readFile(join(server.dataDirectory, 'matriarch.conf'), 'utf8');
    expect(configuration).not.toContain('secret');
    await server.stop();
  });
});

describe('a bootstrap that was killed', () => {
  const steps = [
    'during initdb',
    'after initdb',
    'between the renames',
    'before the users',
  ] as const;

  it.each(steps)('%s is cleaned up, and begun again', async (step) => {
    const server = await lab.emptyServer();
    const context = contextOf(server);
    if (step === 'during initdb') {
      const dying = { ...context, run: killedHalfway(context) };
      expect(await initialise(dying)).toMatchObject({ kind: 'failed' });
    } else {
      expect(await initialise(context)).toMatchObject({ kind: 'done' });
      if (step !== 'after initdb') await installData(context);
      if (step === 'between the renames') {
        await rename(server.dataDirectory, `${server.dataDirectory}.new`);
        const mark = (name: string, text = '') =>
          writeFile(join(server.dataDirectory, '../state', name), text);
        await mark('install-unfinished', 'in');
        await mark('new-ready');
      }
    }
    expect((await look(context)).bootstrapUnfinished).toBe(true);
    expect(await discardUnfinished(context)).toEqual({ kind: 'done' });
    expect(await look(context)).toMatchObject({
      content: { kind: 'empty' },
      bootstrapUnfinished: false,
      newReady: false,
      asideKept: false,
    });
    expect(await initialise(context)).toMatchObject({ kind: 'done' });
    expect(await installData(context)).toEqual({ kind: 'done' });
    expect((await look(context)).content.kind).toBe('data');
  });

  it('never takes data of somebody else with it', async () => {
    const server = await lab.createServer();
    const context = contextOf(server);
    await mkdir(context.config.matriarch.stateDirectory, { recursive: true });
    const marker = join(context.config.matriarch.stateDirectory, 'bootstrap-unfinished');
    await writeFile(marker, '1234567890123456789');
    expect(await discardUnfinished(context)).toEqual({ kind: 'done' });
    expect((await look(context)).content.kind).toBe('data');
    await writeFile(marker, '');
    expect(await discardUnfinished(context)).toEqual({ kind: 'done' });
    expect((await look(context)).content.kind).toBe('data');
    expect(await initialise(context)).toMatchObject({
      kind: 'failed',
      cause: containing('is not empty'),
    });
  });
});

/** initdb dies as it would with its agent, leaving what it has made so far. */
const killedHalfway =
  (context: PostgresContext): PostgresContext['run'] =>
  async (call) => {
    if (call.command !== context.binaries.initdb) return context.run(call);
    await context.run(call);
    const path = call.args.find((arg) => arg.startsWith('--pgdata='))?.slice('--pgdata='.length);
    await rm(join(path ?? '', 'global/pg_control'));
    return { kind: 'killed', signal: 'SIGKILL', stderr: '' };
  };

describe('a data directory that is no data directory', () => {
  it('is told from an empty one', async () => {
    const server = await lab.emptyServer();
    const context = contextOf(server);
    await mkdir(server.dataDirectory);
    await writeFile(join(server.dataDirectory, 'letter.txt'), 'dear');
    expect((await look(context)).content).toMatchObject({
      kind: 'not-ours',
      detail: containing('no PG_VERSION'),
    });
    await writeFile(join(server.dataDirectory, 'PG_VERSION'), '9\n');
    expect((await look(context)).content).toMatchObject({
      kind: 'unreadable',
      detail: containing('of PostgreSQL 9'),
    });
    await writeFile(join(server.dataDirectory, 'PG_VERSION'), `${lab.binaries.majorVersion}\n`);
    expect((await look(context)).content.kind).toBe('unreadable');
    await rm(server.dataDirectory, { recursive: true });
    await writeFile(server.dataDirectory, '');
    expect((await look(context)).content).toMatchObject({ kind: 'not-ours' });
  });
});
