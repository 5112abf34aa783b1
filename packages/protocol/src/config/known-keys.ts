import type { Warning } from '../errors/mistake.ts';
import { sortMistakes } from '../errors/mistake.ts';
import type { Findings, KnownKey } from '../located/section.ts';

const notBuilt = (feature: string, ...paths: readonly string[]): readonly KnownKey[] =>
  paths.map((path) => ({ path, feature }));

const notNeeded = (...paths: readonly string[]): readonly KnownKey[] =>
  paths.map((path) => ({ path, feature: undefined }));

const under = (section: string, names: string): readonly string[] =>
  names.split(' ').map((name) => `${section}.${name}`);

/**
 * Keys of Patroni's files that are accepted although nothing reads them. A key moves out of this
 * table when the code that reads it is written. `local` is patroni.yml, `dynamic` the cluster-wide
 * configuration.
 */
export const knownKeys: readonly KnownKey[] = [
  ...notBuilt('watchdog device', 'local.watchdog'),
  ...notBuilt('Citus', 'local.citus', 'dynamic.citus'),
  ...notBuilt('client settings (ctl)', 'local.ctl'),
  ...notBuilt(
    'log settings other than log.level',
    ...under('local.log', 'type traceback_level format dateformat static_fields max_queue_size'),
    ...under('local.log', 'dir mode file_num file_size loggers deduplicate_heartbeat_logs'),
  ),
  ...notNeeded('local.thread_pool_size', 'local.thread_stack_size'),
  ...notBuilt(
    'allowlist of the REST API',
    ...under('local.restapi', 'allowlist allowlist_include_members'),
  ),
  ...notBuilt(
    'extra headers and ciphers of the REST API',
    ...under('local.restapi', 'ciphers http_extra_headers https_extra_headers server_tokens'),
  ),
  ...notNeeded(...under('local.restapi', 'request_queue_size thread_pool_size')),

  ...notBuilt('callbacks', 'local.postgresql.callbacks'),
  ...notBuilt(
    'pre_promote and before_stop',
    ...under('local.postgresql', 'pre_promote before_stop'),
  ),
  ...notBuilt(
    'recovery_conf and custom_conf',
    ...under('local.postgresql', 'recovery_conf custom_conf'),
    ...under('dynamic.postgresql', 'recovery_conf custom_conf'),
  ),
  ...notBuilt(
    'settings for one role',
    ...under('local.postgresql', 'parameters_* pg_hba_* pg_ident_*'),
    ...under('dynamic.postgresql', 'parameters_* pg_hba_* pg_ident_*'),
  ),
  ...notBuilt('proxy_address', 'local.postgresql.proxy_address'),
  ...notBuilt('config_dir and bin_name', ...under('local.postgresql', 'config_dir bin_name')),
  ...notBuilt('options of pg_rewind', 'local.postgresql.rewind', 'dynamic.postgresql.rewind'),
  ...notBuilt(
    'pg_ctl_timeout',
    'local.postgresql.pg_ctl_timeout',
    'dynamic.postgresql.pg_ctl_timeout',
  ),
  ...notBuilt('replication over a unix socket', 'local.postgresql.use_unix_socket_repl'),
  // Rejoining replaces a data directory only when nothing else works, and keeps the old one.
  ...notNeeded(
    ...under('local.postgresql', 'remove_data_directory_on_rewind_failure'),
    ...under('local.postgresql', 'remove_data_directory_on_diverged_timelines use_slots'),
    ...under('dynamic.postgresql', 'remove_data_directory_on_rewind_failure'),
    ...under('dynamic.postgresql', 'remove_data_directory_on_diverged_timelines'),
  ),
  // What describes one member has no effect for all of them; Patroni drops these without a word.
  ...notNeeded(
    ...under('dynamic.postgresql', 'connect_address proxy_address listen config_dir data_dir'),
    ...under('dynamic.postgresql', 'pgpass authentication'),
  ),
  ...notBuilt('custom replica methods', 'dynamic.postgresql.create_replica_methods'),

  ...notBuilt('post_bootstrap', ...under('local.bootstrap', 'post_bootstrap post_init')),
  // Newer Patroni does not create these roles either; authentication names the ones we make.
  ...notBuilt('bootstrap.users', 'local.bootstrap.users'),

  // Read by core, from the very document that a decision is made on.
  ...notNeeded('dynamic.pause'),
  ...notBuilt('permanent slots', ...under('dynamic', 'slots ignore_slots')),
  ...notBuilt('member_slots_ttl', 'dynamic.member_slots_ttl'),
  ...notBuilt('standby clusters', 'dynamic.standby_cluster'),
  ...notBuilt('max_timelines_history', 'dynamic.max_timelines_history'),
  ...notBuilt('primary_race_backoff', 'dynamic.primary_race_backoff'),
  // Timelines are always compared before a promotion.
  ...notNeeded('dynamic.check_timeline'),
];

/** One warning that names every feature that is asked for and not built yet. */
export const warnOfUnbuilt = (findings: Findings): readonly Warning[] => {
  if (findings.unbuilt.size === 0) return [];
  const features = [...findings.unbuilt.keys()].sort().join(', ');
  const message = `known but not built yet, so without effect: ${features}`;
  const places = Array.from(findings.unbuilt.values(), (place) => ({
    ...place,
    path: '',
    message,
  }));
  return sortMistakes(places).slice(0, 1);
};
