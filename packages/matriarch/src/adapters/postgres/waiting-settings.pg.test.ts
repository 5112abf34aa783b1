/**
 * Shows that roles and databases wait for a standby once they are set to, that the mark tells our
 * settings from those of others, and that any name is safe. On a real server, by what its new
 * sessions show.
 */
import type { Waiter, WaitingSetting } from '@matriarch/core';
import { escapeIdentifier } from 'pg';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { openPostgresLab, type PostgresLab, type TestServer } from '../../testing/postgres.ts';
import { manageWaiting, showWaiting } from './waiting-settings.ts';

const HOSTILE = 'a"; drop role billing; --\'$$';

let lab: PostgresLab;
let server: TestServer;

const create = (...names: readonly string[]): Promise<unknown> =>
  server.query(names.map((name) => `create role ${escapeIdentifier(name)} login`).join(';'));

beforeAll(async () => {
  lab = await openPostgresLab();
  server = await lab.createServer('pg-1');
  await server.configure({ synchronous_commit: 'local', synchronous_standby_names: 'nobody' });
  await server.start();
  await create('billing', 'Billing', 'reports', 'gone', HOSTILE);
  await server.query('create role accountants');
  await server.query('create database ledger');
}, 60_000);
afterAll(() => lab?.close());

const show = async (
  roles: readonly string[],
  databases: readonly string[] = [],
): Promise<readonly WaitingSetting[]> => {
  const answer = await showWaiting(server.context(), { roles, databases });
  if (answer.kind !== 'done') throw new Error(answer.cause);
  return answer.settings;
};

const roles = (...names: readonly string[]): readonly Waiter[] =>
  names.map((name) => ({ kind: 'role', name }));

const change = (set: readonly Waiter[], reset: readonly Waiter[] = []) =>
  manageWaiting(server.context(), { set, reset });

const settingsOf = (role: string): Promise<string> =>
  server.value(`select rolconfig::text from pg_roles where rolname = '${role}'`);

const unset = { value: undefined, marked: false, canConnect: true };
const ours = { value: 'on', marked: true, canConnect: true };

describe('a look', () => {
  it('tells of what there is, by exact names', async () => {
    expect(await show(['billing', 'Billing', 'BILLING'], ['ledger', 'billing'])).toEqual([
      { kind: 'database', name: 'ledger', ...unset },
      { kind: 'role', name: 'Billing', ...unset },
      { kind: 'role', name: 'billing', ...unset },
    ]);
  });

  it('tells of a group, which has no sessions, and of settings of others', async () => {
    await server.query("alter role accountants set synchronous_commit = 'remote_write'");
    expect(await show(['accountants'])).toEqual([
      {
        kind: 'role',
        name: 'accountants',
        value: 'remote_write',
        marked: false,
        canConnect: false,
      },
    ]);
  });
});

describe('a change', () => {
  afterEach(async () => {
    await change([], await show([]));
  });

  it('is for new sessions of that role, of that database, and of nobody else', async () => {
    // A standby is waited for here that never comes: the change itself must not wait.
    const set: readonly Waiter[] = [...roles('billing'), { kind: 'database', name: 'ledger' }];
    expect(await change(set)).toEqual({ kind: 'done' });
    expect(await show(['Billing', 'billing'], ['ledger', 'postgres'])).toEqual([
      { kind: 'database', name: 'ledger', ...ours },
      { kind: 'database', name: 'postgres', ...unset },
      { kind: 'role', name: 'Billing', ...unset },
      { kind: 'role', name: 'billing', ...ours },
    ]);
    const shown = await server.query(
      `select useconfig::text from pg_user where usename in ('billing', 'Billing') order by usename`,
    );
    expect(shown.flat()).toEqual([
      '',
      '{synchronous_commit=on,matriarch.manages=synchronous_commit}',
    ]);
    expect(await server.value('show synchronous_commit')).toBe('local');
  });

  it('may be made again', async () => {
    await change(roles('billing'));
    expect(await change(roles('billing'))).toEqual({ kind: 'done' });
    expect(await show(['billing'])).toMatchObject([ours]);
  });

  it('of any name changes that role alone', async () => {
    expect(await change(roles(HOSTILE))).toEqual({ kind: 'done' });
    expect(await show([HOSTILE, 'billing'])).toMatchObject([
      { name: HOSTILE, ...ours },
      { name: 'billing', ...unset },
    ]);
    expect(await change([], roles(HOSTILE))).toEqual({ kind: 'done' });
    expect(await show([HOSTILE])).toMatchObject([unset]);
  });

  it('of one that has gone keeps no other from its own', async () => {
    await server.query('drop role gone');
    expect(await change(roles('gone', 'reports'))).toEqual({
      kind: 'failed',
      cause: 'role "gone" does not exist',
    });
    expect(await show(['gone', 'reports'])).toMatchObject([{ name: 'reports', ...ours }]);
  });

  it('that is taken back leaves what others have set', async () => {
    await server.query("alter role billing set work_mem = '5MB'");
    const ledger: Waiter = { kind: 'database', name: 'ledger' };
    await change([...roles('billing', 'reports'), ledger]);
    // Whoever carries our mark is found without being asked for.
    expect(await show([])).toMatchObject([
      { kind: 'database', name: 'ledger' },
      { kind: 'role', name: 'billing' },
      { kind: 'role', name: 'reports' },
    ]);
    expect(await change([], [...roles('billing'), ledger])).toEqual({ kind: 'done' });
    expect(await settingsOf('billing')).toBe('{work_mem=5MB}');
    expect(await show([])).toMatchObject([{ name: 'reports' }]);
  });
});

it('a server that is not there is told of', async () => {
  await server.stop();
  expect(await showWaiting(server.context(), { roles: [], databases: [] })).toMatchObject({
    kind: 'failed',
  });
  expect(await change(roles('billing'))).toMatchObject({ kind: 'failed' });
});
