import { randomBytes } from 'node:crypto';
import type { Credentials } from '@matriarch/protocol';
import { type Answer, attempt, done, failed, type Nothing, unknown } from './answer.ts';
import type { PostgresContext } from './context.ts';
import { ownServerTarget } from './own-server.ts';
import { SALT_BYTES, scramVerifier } from './scram-verifier.ts';
import { querySql } from './sql-session.ts';

const LIMIT_MS = 30_000;

/** What pg_rewind reads its source with when it is no superuser. */
const REWIND_FUNCTIONS = [
  'pg_ls_dir(text, boolean, boolean)',
  'pg_stat_file(text, boolean)',
  'pg_read_binary_file(text)',
  'pg_read_binary_file(text, bigint, bigint, boolean)',
];

const quoteName = (name: string): string => `"${name.replace(/"/g, '""')}"`;
const quoteText = (text: string): string => `'${text.replace(/'/g, "''")}'`;

/** Creates a role or changes the one there is. Undefined password: whatever it has, it keeps. */
const roleStatement = ({ username, password }: Credentials, attributes: string): string => {
  const name = quoteName(username);
  const verifier =
    password === undefined ? undefined : scramVerifier(password, randomBytes(SALT_BYTES));
  const secret = verifier === undefined ? '' : ` password ${quoteText(verifier)}`;
  return `
    do $matriarch$ begin
      if not exists (select from pg_roles where rolname = ${quoteText(username)}) then
        create role ${name};
      end if;
    end $matriarch$;
    alter role ${name} with login ${attributes}${secret};`;
};

/**
 * The statements that make the roles of a cluster, for one round trip and one transaction. A role
 * that serves two purposes gets what both need.
 */
export const usersScript = (roles: {
  readonly superuser: Credentials;
  readonly replication: Credentials;
  readonly rewind: Credentials;
}): string => {
  const { superuser, replication, rewind } = roles;
  const statements = [
    // Standard strings, and nothing of this in any log: verifiers are no passwords, but near
    // enough.
    'set local standard_conforming_strings = on',
    "set local log_statement = 'none'",
    'set local log_min_duration_statement = -1',
    "set local log_min_error_statement = 'panic'",
    roleStatement(superuser, 'superuser'),
  ];
  if (replication.username !== superuser.username)
    statements.push(roleStatement(replication, 'replication'));
  if (rewind.username !== superuser.username) {
    if (rewind.username !== replication.username) statements.push(roleStatement(rewind, ''));
    for (const name of REWIND_FUNCTIONS)
      statements.push(
        `grant execute on function pg_catalog.${name} to ${quoteName(rewind.username)}`,
      );
  }
  return ['begin', ...statements.map((text) => text.replace(/;\s*$/, '')), 'commit'].join(';\n');
};

/** Makes the roles over the private socket of a new cluster. May be repeated. */
export const createUsers = (context: PostgresContext): Promise<Answer<Nothing>> =>
  attempt('create users', async () => {
    const { postgresql } = context.config;
    const target = await ownServerTarget(context, {
      applicationName: 'matriarch',
      statementLimitMs: LIMIT_MS,
    });
    if (target === undefined) return failed('there is no postmaster.pid');
    const answer = await querySql(target, { text: usersScript(postgresql), limitMs: LIMIT_MS });
    switch (answer.kind) {
      case 'rows':
        return done;
      case 'timed-out':
        return unknown(`creating users: ${answer.message}`);
      default:
        return failed(`users cannot be created: ${answer.message}`);
    }
  });
