/** What of the proxy's log is part of a story. */
import { expect, it } from 'vitest';
import type { Log } from './ports/log.ts';
import { tellRoutes } from './proxy-journal.ts';

const open = () => {
  const logged: string[] = [];
  const told: object[] = [];
  const write =
    (level: string): Log['info'] =>
    (_details, message) => {
      logged.push(`${level} ${message}`);
    };
  const log = tellRoutes(
    { info: write('info'), warn: write('warn'), error: write('error') },
    (line) => told.push(line),
  );
  return { log, logged, told };
};

it('are the routes, as events', () => {
  const { log, told } = open();
  const because = 'pg1 holds the lease';
  log.info({ write: 'pg1', reads: ['pg2', 'pg3'], because, elapsedMs: 3.2 }, 'routes moved');
  log.warn({ cause: 'no socket', afterMs: 50 }, 'routes not moved, trying again');
  expect(told).toEqual([
    {
      event: 'routes.moved',
      level: 'info',
      write: 'pg1',
      reads: 'pg2, pg3',
      because,
      tookMs: 3.2,
    },
    { event: 'routes.not-moved', level: 'warn', cause: 'no socket', afterMs: 50 },
  ]);
});

it('everything is logged as before, and nothing else is told', () => {
  const { log, logged, told } = open();
  log.info({}, 'routes moved');
  log.warn({}, 'pools not refreshed');
  log.error({}, 'second server took writes');
  expect(logged).toEqual([
    'info routes moved',
    'warn pools not refreshed',
    'error second server took writes',
  ]);
  expect(told).toHaveLength(1);
});
