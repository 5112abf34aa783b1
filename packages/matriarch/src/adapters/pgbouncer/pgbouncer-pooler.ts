import { type Door, PGBOUNCER_LOGIN_RETRY_SECONDS, pgbouncerDatabaseNames } from '@matriarch/core';
import type { PortOutcome } from '../../proxy/ports/outcome.ts';
import type { Pooler } from '../../proxy/ports/pooler.ts';
import { type AdminTarget, askAdmin } from './admin-console.ts';

const quoteName = (name: string): string => `"${name.replace(/"/g, '""')}"`;

/**
 * PgBouncer has no command to end the pause after a failed login. But it reads the length of the
 * pause each time it thinks of connecting, one connection at a time. Should we die before the long
 * one is back, it is busier than it need be while nobody is primary, until the next RELOAD.
 */
const SHORT_RETRY_SECONDS = 0.001;

/**
 * PgBouncer over its admin console. Where and what for is asked at each call: a reload changes it.
 */
export const createPgbouncerPooler = (
  target: () => AdminTarget,
  databases: () => readonly string[],
): Pooler => {
  const reconnect = async (name: string): Promise<PortOutcome> =>
    askAdmin(target(), `RECONNECT ${quoteName(name)}`);
  return {
    reconnect: async (doors: readonly Door[]) => {
      const names = databases().flatMap((database) =>
        doors.map((door) => pgbouncerDatabaseNames(database)[door]),
      );
      const outcomes = await Promise.all(names.map(reconnect));
      return outcomes.find(({ kind }) => kind === 'failed') ?? { kind: 'done' };
    },
    retryLogins: async () => {
      const setting = 'server_login_retry';
      return askAdmin(
        target(),
        `SET ${setting} = '${SHORT_RETRY_SECONDS}'`,
        // Between two commands it looks at the clients that wait, and opens connections for them.
        'SHOW VERSION',
        `SET ${setting} = '${PGBOUNCER_LOGIN_RETRY_SECONDS}'`,
      );
    },
  };
};
