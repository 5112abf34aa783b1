import { ownHbaLines, passwordMethod, renderPgHba } from '@matriarch/core';
import { join } from 'node:path';
import { writeAtomically } from './atomic-file.ts';
import type { PostgresContext } from './context.ts';
import { passFilePath } from './state-files.ts';

const COMMENT = ['Written by Matriarch from its configuration. Changes made here are lost.'];

/**
 * Writes pg_hba.conf and pg_ident.conf where the configuration has their lines; else they are left
 * to whoever wrote them. Answers the parameters that make the server read ours.
 */
export const writeAccessFiles = async (
  context: PostgresContext,
): Promise<Readonly<Record<string, string>>> => {
  const { pgHba, pgIdent, parameters } = context.settings();
  const { dataDirectory } = context.config.postgresql;
  const kind = { mode: 0o600, owner: context.owner };
  const named: Record<string, string> = {};
  if (pgHba !== undefined && parameters['hba_file'] === undefined) {
    const path = join(dataDirectory, 'pg_hba.conf');
    const own = ownLines(context, pgHba);
    await writeAtomically(path, renderPgHba({ comment: COMMENT, own, configured: pgHba }), kind);
    named['hba_file'] = path;
  }
  if (pgIdent !== undefined && parameters['ident_file'] === undefined) {
    const path = join(dataDirectory, 'pg_ident.conf');
    const text = renderPgHba({ comment: COMMENT, own: [], configured: pgIdent });
    await writeAtomically(path, text, kind);
    named['ident_file'] = path;
  }
  return named;
};

/** Without a password it is the configuration's business how the agent gets in. */
const ownLines = (
  { config: { postgresql } }: PostgresContext,
  configured: readonly string[],
): readonly string[] =>
  postgresql.superuser.password === undefined
    ? []
    : ownHbaLines({
        superuser: postgresql.superuser.username,
        method: passwordMethod(configured),
        route: postgresql.useUnixSocket ? 'socket' : 'network',
      });

/** A field of a passfile: what separates fields, and the sign that says so, are marked. */
const escapeField = (text: string): string => text.replace(/[\\:]/g, '\\$&');

/**
 * One line for each role, for every host: members change places, their passwords do not. Grammar:
 * PostgreSQL documentation, "The Password File".
 */
export const renderPassFile = (
  roles: readonly { readonly username: string; readonly password: string | undefined }[],
): string => {
  const lines = roles.flatMap(({ username, password }) =>
    password === undefined ? [] : [`*:*:*:${escapeField(username)}:${escapeField(password)}\n`],
  );
  return [...new Set(lines)].join('');
};

/** What libpq reads passwords from, in the server and in the tools: never a process list. */
export const writePassFile = async (context: PostgresContext): Promise<string> => {
  const { replication, rewind, superuser } = context.config.postgresql;
  const path = passFilePath(context);
  await writeAtomically(path, renderPassFile([replication, rewind, superuser]), {
    mode: 0o600,
    owner: context.owner,
  });
  return path;
};
