import type { Findings } from '../located/section.ts';
import type { Located, LocatedMap } from '../located/located.ts';
import { entryAt, withEntry } from '../located/located.ts';

/** One name that was used once, or that users know from elsewhere, and what we call it. */
export interface OldName {
  /**
   * local: a key of patroni.yml · dynamic: a key of the cluster-wide configuration ·
   * variable: an environment variable · role: a member's role · path: a REST path ·
   * body: a field of a REST body
   */
  readonly kind: 'local' | 'dynamic' | 'variable' | 'role' | 'path' | 'body';
  readonly old: string;
  readonly current: string;
}

const old = (kind: OldName['kind'], rows: Readonly<Record<string, string>>): readonly OldName[] =>
  Object.entries(rows).map(([name, current]) => ({ kind, old: name, current }));

/** Every old name that is understood. Where both are given, the current one wins. */
export const oldNames: readonly OldName[] = [
  ...old('local', {
    'postgresql.superuser': 'postgresql.authentication.superuser',
    'postgresql.replication': 'postgresql.authentication.replication',
    'postgresql.pg_rewind': 'postgresql.authentication.rewind',
    'postgresql.create_replica_method': 'postgresql.create_replica_methods',
    'etcd.discovery_srv': 'etcd.srv',
    'etcd.srv_domain': 'etcd.srv',
    'etcd3.discovery_srv': 'etcd3.srv',
    'etcd3.srv_domain': 'etcd3.srv',
  }),
  ...old('dynamic', {
    master_start_timeout: 'primary_start_timeout',
    master_stop_timeout: 'primary_stop_timeout',
    permanent_slots: 'slots',
    permanent_replication_slots: 'slots',
  }),
  ...old('variable', {
    PATRONI_LOGLEVEL: 'PATRONI_LOG_LEVEL',
    PATRONI_LOGFORMAT: 'PATRONI_LOG_FORMAT',
    PATRONI_LOG_DATEFMT: 'PATRONI_LOG_DATEFORMAT',
  }),
  ...old('role', { master: 'primary', slave: 'replica', leader: 'primary', standby: 'replica' }),
  ...old('path', { '/master': '/primary' }),
  ...old('body', { member: 'candidate' }),
];

/** What we call a name; the name itself when it is no old one. */
export const currentName = (kind: OldName['kind'], name: string): string =>
  oldNames.find((row) => row.kind === kind && row.old === name)?.current ?? name;

const withoutEntry = (root: LocatedMap, path: readonly string[]): LocatedMap => {
  const [key, ...rest] = path;
  const below = key === undefined ? undefined : root.entries.get(key);
  if (key === undefined || below === undefined) return root;
  const entries = new Map(root.entries);
  if (rest.length === 0) entries.delete(key);
  else if (below.kind === 'map') entries.set(key, withoutEntry(below, rest));
  return { ...root, entries };
};

/** Moves everything written under an old key to where it belongs today. */
export const renameOldKeys = (
  root: LocatedMap,
  kind: 'local' | 'dynamic',
  context: { readonly path: string; readonly findings: Findings },
): LocatedMap =>
  oldNames
    .filter((row) => row.kind === kind)
    .reduce((map, row) => {
      const value: Located | undefined = entryAt(map, row.old.split('.'));
      if (value === undefined) return map;
      const rest = withoutEntry(map, row.old.split('.'));
      const target = row.current.split('.');
      if (entryAt(rest, target) === undefined) return withEntry(rest, target, value);
      context.findings.warnings.push({
        ...value.place,
        path: context.path === '' ? row.old : `${context.path}.${row.old}`,
        message: `is the old name of ${row.current}, which is given too`,
        fix: `${row.current} is used; remove this one`,
      });
      return rest;
    }, root);
