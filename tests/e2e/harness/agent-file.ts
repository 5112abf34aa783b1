/** The patroni.yml of a member: what a user would write, with free ports and a short ttl. */
export type Json = null | boolean | number | string | readonly Json[] | JsonObject;
export interface JsonObject {
  readonly [key: string]: Json | undefined;
}

export const SUPERUSER = { username: 'postgres', password: 'super secret' };
export const REPLICATOR = { username: 'replicator', password: "repl'secret" };
export const REWINDER = { username: 'rewinder', password: 'rewind:secret' };
export const SCOPE = 'herd';

export interface AgentFileFacts {
  readonly name: string;
  readonly apiPort: number;
  readonly postgresPort: number;
  readonly dataDirectory: string;
  readonly socketDirectory: string;
  readonly etcdEndpoints: readonly string[];
}

const isObject = (value: Json | undefined): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** Lays `changes` over `base`, key by key; undefined removes a key. */
export const mergeJson = (base: JsonObject, changes: JsonObject): JsonObject => {
  const merged: Record<string, Json | undefined> = { ...base };
  for (const [key, change] of Object.entries(changes)) {
    const old = merged[key];
    if (change === undefined) delete merged[key];
    else merged[key] = isObject(old) && isObject(change) ? mergeJson(old, change) : change;
  }
  return merged;
};

/** JSON is YAML. */
export const renderAgentFile = (facts: AgentFileFacts, changes: readonly JsonObject[]): string => {
  const { name, apiPort, postgresPort, dataDirectory, socketDirectory, etcdEndpoints } = facts;
  const api = `127.0.0.1:${apiPort}`;
  const server = `127.0.0.1:${postgresPort}`;
  const file: JsonObject = {
    scope: SCOPE,
    name,
    restapi: { listen: api, connect_address: api },
    etcd3: { hosts: etcdEndpoints.map((url) => url.replace(/^https?:\/\//u, '')) },
    bootstrap: {
      dcs: {
        ttl: 5,
        loop_wait: 1,
        fast_lease: true,
        primary_start_timeout: 0,
        postgresql: { use_pg_rewind: true, parameters: { max_connections: 50 } },
      },
      initdb: ['data-checksums', { encoding: 'UTF8' }],
      pg_hba: [
        'host replication replicator 127.0.0.1/32 scram-sha-256',
        'host all all 127.0.0.1/32 scram-sha-256',
      ],
    },
    postgresql: {
      listen: server,
      connect_address: server,
      data_dir: dataDirectory,
      authentication: { superuser: SUPERUSER, replication: REPLICATOR, rewind: REWINDER },
      parameters: {
        unix_socket_directories: socketDirectory,
        // A server that is killed leaves nothing outside of its directory.
        dynamic_shared_memory_type: 'mmap',
      },
    },
    log: { level: 'DEBUG' },
  };
  return `${JSON.stringify(changes.reduce(mergeJson, file), null, 2)}\n`;
};
