import { Client } from 'pg';
import type { PortOutcome } from '../../proxy/ports/outcome.ts';

export interface AdminTarget {
  readonly socketDirectory: string;
  readonly port: number;
  readonly user: string;
  readonly password: string;
}

/** It answers within milliseconds; this is for a machine that is busy. */
const ANSWER_LIMIT_MS = 2_000;

export type AdminRows = readonly Readonly<Record<string, unknown>>[];

/**
 * Commands on PgBouncer's admin console, one after the other; the answer is that of the last. The
 * console speaks the simple protocol only and knows no parameters. One connection for each call:
 * there are few, and none is left over to break.
 */
export const askAdmin = async (
  target: AdminTarget,
  ...commands: readonly string[]
): Promise<PortOutcome<{ readonly rows: AdminRows }>> => {
  const client = new Client({
    host: target.socketDirectory,
    port: target.port,
    user: target.user,
    password: target.password,
    database: 'pgbouncer',
    connectionTimeoutMillis: ANSWER_LIMIT_MS,
    query_timeout: ANSWER_LIMIT_MS,
  });
  // Without a listener a connection that breaks later would end the process.
  client.on('error', () => undefined);
  try {
    await client.connect();
    let rows: AdminRows = [];
    for (const command of commands) {
      rows = (await client.query<Record<string, unknown>>(command)).rows;
    }
    return { kind: 'done', rows };
  } catch (error) {
    const cause = error instanceof Error ? error.message : String(error);
    return {
      kind: 'failed',
      cause: `${commands.join('; ')} on ${target.socketDirectory}: ${cause}`,
    };
  } finally {
    await client.end().catch(() => undefined);
  }
};
