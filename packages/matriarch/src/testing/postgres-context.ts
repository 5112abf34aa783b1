/** The configuration and the adapter's context an agent would have for a server of the lab. */
import { memberName } from '@matriarch/core';
import type { AgentConfig } from '@matriarch/protocol';
import { join } from 'node:path';
import type { PostgresContext } from '../adapters/postgres/context.ts';
import type { RunCommand } from '../agent/ports/run-command.ts';
import type { ServerSettings } from '../agent/ports/server-settings.ts';

export const SUPERUSER = { username: 'postgres', password: 'super:secret' };
export const REPLICATOR = { username: 'replicator', password: "repl\\'secret:" };
export const REWINDER = { username: 'rewinder', password: 'rewind secret' };

export interface ContextChanges {
  readonly postgresql?: Partial<AgentConfig['postgresql']>;
  readonly initdbOptions?: readonly string[];
  readonly settings?: Partial<ServerSettings>;
  readonly run?: RunCommand;
}

export interface TestHost extends Pick<PostgresContext, 'binaries' | 'owner' | 'run'> {
  readonly name: string;
  readonly directory: string;
  readonly dataDirectory: string;
  readonly port: number;
}

export const testContext = (host: TestHost, changes: ContextChanges = {}): PostgresContext => ({
  config: testConfig(host, changes),
  run: changes.run ?? host.run,
  binaries: host.binaries,
  owner: host.owner,
  settings: () => ({
    parameters: {
      listen_addresses: '127.0.0.1',
      port: String(host.port),
      cluster_name: 'demo',
      unix_socket_directories: host.directory,
      fsync: 'off',
      wal_level: 'replica',
      max_wal_senders: '10',
      max_replication_slots: '10',
      wal_log_hints: 'on',
      wal_keep_size: '256MB',
      wal_retrieve_retry_interval: '100ms',
    },
    pgHba: undefined,
    pgIdent: undefined,
    useSlots: true,
    ...changes.settings,
  }),
});

const testConfig = (
  { name, directory, dataDirectory, port }: TestHost,
  changes: ContextChanges,
): AgentConfig => {
  const endpoint = { host: '127.0.0.1', port: 1 };
  return {
    scope: 'demo',
    namespace: 'service',
    name: memberName(name),
    restapi: {
      listen: endpoint,
      connectAddress: endpoint,
      authentication: undefined,
      tls: undefined,
    },
    etcd: {
      section: 'etcd3',
      endpoints: ['http://127.0.0.1:1'],
      username: undefined,
      password: undefined,
      caFile: undefined,
      certFile: undefined,
      keyFile: undefined,
    },
    postgresql: {
      listen: { addresses: ['127.0.0.1'], port },
      connectAddress: { host: '127.0.0.1', port },
      dataDirectory,
      binDirectory: undefined,
      passFile: undefined,
      database: 'postgres',
      superuser: { ...SUPERUSER, options: {} },
      replication: { ...REPLICATOR, options: {} },
      rewind: { ...REWINDER, options: {} },
      parameters: {},
      pgHba: undefined,
      pgIdent: undefined,
      useUnixSocket: false,
      basebackupOptions: [],
      ...changes.postgresql,
    },
    bootstrap: {
      dcs: {},
      initdbOptions: changes.initdbOptions ?? ['--encoding=UTF8', '--data-checksums', '--no-sync'],
      pgHba: [],
    },
    tags: {
      nofailover: false,
      failoverPriority: 1,
      noloadbalance: false,
      clonefrom: false,
      nosync: false,
      syncPriority: 1,
      others: {},
    },
    matriarch: { stateDirectory: join(directory, 'state'), user: undefined },
    logLevel: 'info',
  };
};
