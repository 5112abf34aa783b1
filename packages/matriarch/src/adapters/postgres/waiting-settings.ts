/**
 * Settings of the roles and databases whose commits wait for a standby. What is set here carries a
 * mark beside it, so that a setting of anybody else is told from ours and left alone.
 */
import {
  WAITING_VALUE,
  type Waiter,
  type WaitingPolicy,
  type WaitingSetting,
} from '@matriarch/core';
import { escapeIdentifier } from 'pg';
import { type Answer, attempt, done, failed, type Nothing, unknown } from './answer.ts';
import type { PostgresContext } from './context.ts';
import { ownServerTarget } from './own-server.ts';
import { type SqlAnswer, type SqlQuery, type SqlRow, querySql, textOf } from './sql-session.ts';

const LIMIT_MS = 2_000;

const SETTING = 'synchronous_commit';
const MARK = 'matriarch.manages';

/** Settings of a role in one database (`IN DATABASE`) are neither: they stay what they are. */
const SHOW = `
select 'role' as kind, rolname as name, rolcanlogin as open, setconfig as settings
from pg_roles left join pg_db_role_setting on setrole = pg_roles.oid and setdatabase = 0
where rolname = any ($1::text[]) or '${MARK}=${SETTING}' = any (setconfig)
union all
select 'database', datname, datallowconn, setconfig
from pg_database left join pg_db_role_setting on setdatabase = pg_database.oid and setrole = 0
where datname = any ($2::text[]) or '${MARK}=${SETTING}' = any (setconfig)
order by kind, name`;

const ask = async (
  context: PostgresContext,
  query: Pick<SqlQuery, 'text' | 'values'>,
): Promise<SqlAnswer | undefined> => {
  const target = await ownServerTarget(context, {
    applicationName: 'matriarch waiting',
    statementLimitMs: LIMIT_MS,
  });
  return target === undefined ? undefined : querySql(target, { ...query, limitMs: LIMIT_MS });
};

const NO_SERVER = failed('there is no postmaster.pid');

/** What is set for these names, and for whatever else carries our mark. */
export const showWaiting = (
  context: PostgresContext,
  { roles, databases }: WaitingPolicy,
): Promise<Answer<{ readonly settings: readonly WaitingSetting[] }>> =>
  attempt('look at the settings of roles and databases', async () => {
    const answer = await ask(context, { text: SHOW, values: [roles, databases] });
    if (answer === undefined) return NO_SERVER;
    if (answer.kind !== 'rows') return failed(answer.message);
    return { kind: 'done', settings: answer.rows.map(readSetting) };
  });

const readSetting = (row: SqlRow): WaitingSetting => {
  const { kind, name, open, settings } = row;
  const lines: readonly unknown[] = Array.isArray(settings) ? settings : [];
  const valueOf = (parameter: string): string | undefined =>
    lines
      .map(textOf)
      .find((line) => line.startsWith(`${parameter}=`))
      ?.slice(parameter.length + 1);
  return {
    kind: kind === 'database' ? 'database' : 'role',
    name: textOf(name),
    value: valueOf(SETTING),
    marked: valueOf(MARK) === SETTING,
    canConnect: open === true,
  };
};

/**
 * A transaction for each, so that one that has gone meanwhile keeps no other from its setting. None
 * of them waits for a standby itself: where there is none, this is no time to hang.
 */
export const manageWaiting = (
  context: PostgresContext,
  { set, reset }: { readonly set: readonly Waiter[]; readonly reset: readonly Waiter[] },
): Promise<Answer<Nothing>> =>
  attempt('change the settings of roles and databases', async () => {
    const problems: string[] = [];
    const texts = [...set.map(setText), ...reset.map(resetText)];
    for (const text of texts) {
      const answer = await ask(context, { text });
      if (answer === undefined) return NO_SERVER;
      if (answer.kind === 'timed-out') return unknown(answer.message);
      if (answer.kind !== 'rows') problems.push(answer.message);
    }
    return problems.length === 0 ? done : failed(problems.join(' | '));
  });

const inTransaction = (...statements: readonly string[]): string =>
  ['begin', 'set local synchronous_commit = local', ...statements, 'commit'].join(';\n');

const alter = ({ kind, name }: Waiter): string => `alter ${kind} ${escapeIdentifier(name)}`;

const setText = (waiter: Waiter): string =>
  inTransaction(
    `${alter(waiter)} set ${SETTING} = '${WAITING_VALUE}'`,
    `${alter(waiter)} set "${MARK}" = '${SETTING}'`,
  );

const resetText = (waiter: Waiter): string =>
  inTransaction(`${alter(waiter)} reset ${SETTING}`, `${alter(waiter)} reset "${MARK}"`);
