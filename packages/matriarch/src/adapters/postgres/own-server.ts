import { isAbsolute, join } from 'node:path';
import { readTextIfThere } from './atomic-file.ts';
import type { PostgresContext } from './context.ts';
import type { SqlTarget } from './sql-session.ts';

/** What a running postmaster writes about itself into postmaster.pid. */
export interface PostmasterFile {
  readonly pid: number;
  readonly port: number;
  /** The first directory of `unix_socket_directories`; undefined for none. */
  readonly socketDirectory: string | undefined;
  /** The first of `listen_addresses`; undefined: it has no TCP port. */
  readonly listenAddress: string | undefined;
}

/** Lines 1, 4, 5 and 6; undefined while the postmaster is still writing them. */
export const parsePostmasterFile = (text: string): PostmasterFile | undefined => {
  const lines = text.split('\n').map((line) => line.trim());
  const pid = Number(lines[0]);
  const port = Number(lines[3]);
  if (!Number.isInteger(pid) || !Number.isInteger(port) || pid < 1 || port < 1) return undefined;
  const nonEmpty = (line: string | undefined) => (line === '' ? undefined : line);
  return { pid, port, socketDirectory: nonEmpty(lines[4]), listenAddress: nonEmpty(lines[5]) };
};

const LOOPBACK: Readonly<Record<string, string>> = {
  '*': '127.0.0.1',
  '0.0.0.0': '127.0.0.1',
  '::': '::1',
};

/**
 * How to reach our own server, as it says itself: a private server has a socket nobody else knows.
 * Through the socket when the configuration says so or there is no other way.
 */
export const ownServerTarget = async (
  { config }: PostgresContext,
  use: {
    readonly applicationName: string;
    readonly statementLimitMs: number;
    readonly replication?: boolean;
  },
): Promise<SqlTarget | undefined> => {
  const { dataDirectory, superuser, database, useUnixSocket } = config.postgresql;
  const text = await readTextIfThere(join(dataDirectory, 'postmaster.pid')).catch(() => undefined);
  const file = parsePostmasterFile(text ?? '');
  if (file === undefined) return undefined;
  const { socketDirectory, listenAddress, port } = file;
  const socket =
    socketDirectory === undefined || isAbsolute(socketDirectory)
      ? socketDirectory
      : join(dataDirectory, socketDirectory);
  const network =
    listenAddress === undefined ? undefined : (LOOPBACK[listenAddress] ?? listenAddress);
  const host = useUnixSocket ? (socket ?? network) : (network ?? socket);
  if (host === undefined) return undefined;
  return {
    host,
    port,
    user: superuser.username,
    password: superuser.password,
    database,
    options: superuser.options,
    ...use,
  };
};
