/* Shows which changes of PgBouncer's file take a restart. */
import { defaultPgbouncerLimits, renderPgbouncerConfig } from '@matriarch/core';
import { expect, it } from 'vitest';
import { takesRestart } from './pgbouncer-daemon.ts';

const input = {
  databases: ['shop'],
  write: { host: '127.0.0.1', port: 5432 },
  read: { host: '127.0.0.1', port: 5433 },
  listen: { host: '127.0.0.1', port: 6432 },
  paths: { userlist: '/a', socketDirectory: '/b', pidFile: '/c' },
  adminUsers: ['matriarch-proxy'],
  limits: defaultPgbouncerLimits,
};
const before = renderPgbouncerConfig(input);

it.each([
  ['nothing', {}, false],
  ['another database', { databases: ['shop', 'blog'] }, false],
  ['other limits', { limits: { ...defaultPgbouncerLimits, defaultPoolSize: 3 } }, false],
  ['another port', { listen: { host: '127.0.0.1', port: 6433 } }, true],
  ['another address', { listen: { host: '*', port: 6432 } }, true],
  ['another socket directory', { paths: { ...input.paths, socketDirectory: '/d' } }, true],
])('%s: %o takes a restart: %s', (_what, changes, answer) => {
  expect(takesRestart(before, renderPgbouncerConfig({ ...input, ...changes }))).toBe(answer);
});
