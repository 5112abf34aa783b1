import { readFileSync } from 'node:fs';
import type { AgentConfig } from '@matriarch/protocol';
import { getBytes } from '../adapters/peers/get-bytes.ts';
import type { PostgresContext } from '../adapters/postgres/context.ts';
import type { PostgresAccess } from '../adapters/postgres/postgres.ts';
import { readSegment } from '../adapters/postgres/wal-spool.ts';
import type { ApiSource } from '../agent/api/api-source.ts';
import { WAL_PATH } from '../agent/api/wal-handler.ts';
import { isWalToken, makeWalToken } from './wal-token.ts';

const LIMIT_MS = 1_000;
/** PostgreSQL's largest segment. */
const SEGMENT_BYTES_MAX = 1_073_741_824;

/** Gets WAL from the agent of another member (rule S11). */
export const createSegmentSource = (
  config: AgentConfig,
): NonNullable<PostgresAccess['getSegment']> => {
  const files = config.restapi.tls;
  const read = (file: string | undefined): Buffer | undefined =>
    file === undefined ? undefined : readFileSync(file);
  const tls = {
    ca: read(files?.caFile),
    cert: read(files?.certFile),
    key: read(files?.keyFile),
  };
  return (apiUrl, name) => {
    const path = `${WAL_PATH}${name}`;
    return getBytes({
      url: new URL(path, apiUrl).href,
      authorization: makeWalToken(config.postgresql.replication.password, path),
      limitMs: LIMIT_MS,
      bytesMax: SEGMENT_BYTES_MAX,
      tls,
    });
  };
};

/** What our own agent gives to the agents of other members. */
export const offerWal = (
  context: PostgresContext,
): Pick<ApiSource, 'isMember' | 'readOfferedWal'> => ({
  isMember: (path, header) =>
    isWalToken(context.config.postgresql.replication.password, path, header),
  readOfferedWal: (name, end) => readSegment(context, { name, end }),
});
