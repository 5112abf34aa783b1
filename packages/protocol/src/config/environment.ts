import { currentName } from '../aliases/old-names.ts';
import type { LocatedMap } from '../located/located.ts';
import { withEntry } from '../located/located.ts';
import { findNearest } from '../located/nearest.ts';
import type { Findings } from '../located/section.ts';

/** Variables by name; as `process.env` has them. */
export type Environment = Readonly<Record<string, string | undefined>>;

/** The variable that holds a whole patroni.yml; used when there is no file. */
export const CONFIGURATION_VARIABLE = 'PATRONI_CONFIGURATION';

const family = (
  prefix: string,
  path: readonly string[],
  names: string,
): readonly (readonly [string, readonly string[]])[] =>
  names
    .split(' ')
    .map((name) => [`PATRONI_${prefix}${name.toUpperCase()}`, [...path, name]] as const);

const credentialNames =
  'username password sslmode sslcert sslkey sslpassword sslrootcert sslcrl sslcrldir gssencmode ' +
  'channel_binding sslnegotiation';

const storeNames =
  'host hosts port url proxy protocol srv srv_suffix use_proxies cacert cert key username password';

/** Other stores than ours are configured by variables of their own; any of them names its store. */
export const otherStores = ['consul', 'zookeeper', 'exhibitor', 'kubernetes', 'raft'] as const;

/** Every variable that is read, and the setting it overrides. */
export const variablePaths: ReadonlyMap<string, readonly string[]> = new Map([
  ...family('', [], 'scope name namespace thread_pool_size thread_stack_size'),
  ...family(
    'LOG_',
    ['log'],
    'type level traceback_level format dateformat static_fields max_queue_size dir mode ' +
      'file_size file_num loggers deduplicate_heartbeat_logs',
  ),
  ...family(
    'RESTAPI_',
    ['restapi'],
    'listen connect_address certfile keyfile keyfile_password cafile ciphers verify_client ' +
      'http_extra_headers https_extra_headers allowlist allowlist_include_members ' +
      'request_queue_size server_tokens',
  ),
  ...family('RESTAPI_', ['restapi', 'authentication'], 'username password'),
  ...family('CTL_', ['ctl'], 'insecure cacert certfile keyfile keyfile_password'),
  ...family('CTL_', ['ctl', 'authentication'], 'username password'),
  ...family(
    'POSTGRESQL_',
    ['postgresql'],
    'listen connect_address proxy_address config_dir data_dir pgpass bin_dir',
  ),
  ...family(
    'POSTGRESQL_BIN_',
    ['postgresql', 'bin_name'],
    'pg_ctl initdb pg_controldata pg_basebackup postgres pg_isready pg_rewind',
  ),
  ...family('SUPERUSER_', ['postgresql', 'authentication', 'superuser'], credentialNames),
  ...family('REPLICATION_', ['postgresql', 'authentication', 'replication'], credentialNames),
  ...family('REWIND_', ['postgresql', 'authentication', 'rewind'], credentialNames),
  ...family('ETCD_', ['etcd'], storeNames),
  ...family('ETCD3_', ['etcd3'], storeNames),
  ...family('CITUS_', ['citus'], 'group database'),
  ...family('MATRIARCH_', ['matriarch'], 'state_dir user'),
]);

/** What Kubernetes puts into every container for a service called `patroni…`. */
const SERVICE_VARIABLE = /_SERVICE_(HOST|PORT)|_PORT$|_PORT_\d+_(TCP|UDP)/;

const OTHER_STORE_VARIABLE = new RegExp(`^PATRONI_(${otherStores.join('|').toUpperCase()})_(.+)$`);

const pathOf = (variable: string): readonly string[] | undefined => {
  const path = variablePaths.get(currentName('variable', variable));
  if (path !== undefined) return path;
  const match = OTHER_STORE_VARIABLE.exec(variable);
  const [, store, key] = match ?? [];
  return store === undefined || key === undefined
    ? undefined
    : [store.toLowerCase(), key.toLowerCase()];
};

/** Lays the variables over what the file says. An empty variable counts as not set. */
export const overlayEnvironment = (
  root: LocatedMap,
  environment: Environment,
  findings: Findings,
): LocatedMap => {
  let merged = root;
  for (const [variable, value] of Object.entries(environment)) {
    if (!variable.startsWith('PATRONI_') || variable === CONFIGURATION_VARIABLE) continue;
    if (value === undefined || value === '') continue;
    const path = pathOf(variable);
    if (path !== undefined) {
      merged = withEntry(merged, path, { kind: 'scalar', place: { variable }, value });
    } else if (!SERVICE_VARIABLE.test(variable)) {
      const nearest = findNearest(variable, variablePaths.keys());
      findings.warnings.push({
        variable,
        path: '',
        message: 'is not a known variable',
        fix: nearest === undefined ? 'it has no effect' : `did you mean ${nearest}?`,
      });
    }
  }
  return merged;
};
