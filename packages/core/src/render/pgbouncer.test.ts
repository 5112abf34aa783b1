/*
 * Shows pgbouncer.ini and userlist.txt as a whole, in transcripts/ (written with `-u`, read as a
 * diff), and that no value ends its line or its quotes. That PgBouncer itself reads them so is for
 * the tests of the program to show.
 */
import { describe, expect, it } from 'vitest';
import {
  type PgbouncerInput,
  defaultPgbouncerLimits,
  isPgbouncerDatabaseName,
  renderPgbouncerConfig,
  renderUserlist,
} from './pgbouncer.ts';

const input: PgbouncerInput = {
  databases: ['myapp', 'audit-2.log'],
  write: { host: '127.0.0.1', port: 5432 },
  read: { host: '::1', port: 5433 },
  listen: { host: '*', port: 6432 },
  paths: {
    userlist: '/var/lib/matriarch/pgbouncer/userlist.txt',
    socketDirectory: '/run/matriarch/pgbouncer',
    pidFile: '/var/lib/matriarch/pgbouncer/pgbouncer.pid',
  },
  adminUsers: ['matriarch-proxy', 'dba'],
  limits: defaultPgbouncerLimits,
};

describe('renderPgbouncerConfig', () => {
  it('renders what a cluster gets by default', async () => {
    await expect(renderPgbouncerConfig(input)).toMatchFileSnapshot('./transcripts/pgbouncer.ini');
  });

  it('resets sessions where sessions are what is pooled', () => {
    const text = renderPgbouncerConfig({
      ...input,
      limits: { ...defaultPgbouncerLimits, poolMode: 'session' },
    });
    expect(text).toContain('\nserver_reset_query = DISCARD ALL\n');
  });

  it.each(['my app', 'a=b', 'it’s', '', '*', 'a\nb'])(
    'cannot offer a database named %j',
    (name) => {
      expect(isPgbouncerDatabaseName(name)).toBe(false);
      expect(() => renderPgbouncerConfig({ ...input, databases: [name] })).toThrow(
        'PgBouncer cannot offer a database named',
      );
    },
  );

  it('refuses what would break its line', () => {
    const paths = { ...input.paths, userlist: '/a\nadmin_users = eve' };
    expect(() => renderPgbouncerConfig({ ...input, paths })).toThrow(
      'a path cannot be written on one line',
    );
  });

  it('logs to a file when one is named', () => {
    const paths = { ...input.paths, logFile: '/var/log/postgresql/pgbouncer.log' };
    expect(renderPgbouncerConfig({ ...input, paths })).toContain(
      '\nlogfile = /var/log/postgresql/pgbouncer.log\n',
    );
  });

  it.each(['a, eve', 'a b', ''])('makes nobody an administrator by accident: %j', (name) => {
    expect(() => renderPgbouncerConfig({ ...input, adminUsers: [name] })).toThrow('not a user');
  });

  it('doubles quotes inside a connection string', () => {
    const write = { host: "h' dbname='other", port: 1 };
    expect(renderPgbouncerConfig({ ...input, write })).toContain(
      "myapp_write = host='h'' dbname=''other' port=1 dbname='myapp'\n",
    );
  });
});

describe('renderUserlist', () => {
  it('renders verifiers and passwords alike', () => {
    const users = [
      { name: 'app', secret: 'SCRAM-SHA-256$4096:c2FsdA==$c3RvcmVk:c2VydmVy' },
      { name: 'we"ird', secret: 'pass "word" \\ #;' },
    ];
    expect(renderUserlist(users)).toBe(
      '"app" "SCRAM-SHA-256$4096:c2FsdA==$c3RvcmVk:c2VydmVy"\n' +
        '"we""ird" "pass ""word"" \\ #;"\n',
    );
  });

  it('refuses an empty password and one of several lines', () => {
    expect(() => renderUserlist([{ name: 'app', secret: '' }])).toThrow('a password cannot');
    expect(() => renderUserlist([{ name: 'app', secret: 'a\n"eve" "b"' }])).toThrow();
  });
});
