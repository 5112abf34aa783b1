import { parseAddress, renderConninfo, type Upstream } from '@matriarch/core';
import type { Credentials } from '@matriarch/protocol';
import { type Answer, failed } from './answer.ts';
import type { PostgresContext } from './context.ts';
import type { SqlTarget } from './sql-session.ts';
import { passFilePath } from './state-files.ts';

const STATEMENT_LIMIT_MS = 10_000;

/** How our own SQL reaches another member's server. */
export const upstreamTarget = (
  { config }: PostgresContext,
  upstream: Upstream,
  as: { readonly role: Credentials; readonly replication: boolean },
): Answer<{ readonly target: SqlTarget }> => {
  const address = parseAddress(upstream.address);
  if (address === undefined)
    return failed(`the address of ${upstream.member} is ${upstream.address}`);
  return {
    kind: 'done',
    target: {
      ...address,
      user: as.role.username,
      password: as.role.password,
      database: config.postgresql.database,
      applicationName: `matriarch ${config.name}`,
      options: as.role.options,
      replication: as.replication,
      statementLimitMs: STATEMENT_LIMIT_MS,
    },
  };
};

/** Notices within half a minute that the other host is gone. */
const LIVENESS = {
  connect_timeout: 10,
  keepalives_idle: 10,
  keepalives_interval: 5,
  keepalives_count: 4,
};

/**
 * How PostgreSQL's tools reach it. Stands on a command line, where everybody can read it: the
 * passwords are in the passfile, and a secret among the options is left out.
 */
export const upstreamConninfo = (
  context: PostgresContext,
  address: { readonly host: string; readonly port: number },
  role: Credentials,
): string => {
  const { sslpassword: _secret, ...options } = role.options;
  return renderConninfo({
    ...address,
    user: role.username,
    dbname: context.config.postgresql.database,
    passfile: passFilePath(context),
    // Never the member's own name: that would make it a standby in the eyes of the primary.
    application_name: `matriarch ${context.config.name}`,
    ...LIVENESS,
    ...options,
  });
};
