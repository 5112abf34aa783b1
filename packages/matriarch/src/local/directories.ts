/** Where a cluster of this machine keeps its files. */
import { createHash } from 'node:crypto';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

const isRoot = (): boolean => process.geteuid?.() === 0;

/** As root PostgreSQL's own user has to reach it, so it is not below somebody's home. */
export const stateDirectoryOf = (cluster: string, workingDirectory: string): string =>
  isRoot() ? join('/var/lib/matriarch', cluster) : resolve(workingDirectory, '.matriarch', cluster);

/** Unix sockets have short paths, so they lie apart from the state. */
export const socketDirectoryOf = (stateDirectory: string): string => {
  const name = createHash('sha256').update(stateDirectory).digest('hex').slice(0, 8);
  return isRoot() ? join('/run/matriarch', name) : join(tmpdir(), `matriarch-${name}`);
};

export interface LocalPaths {
  readonly state: string;
  readonly sockets: string;
  /** Which ports everything has; its presence marks the directory as ours. */
  readonly plan: string;
  /** What was last made of cluster.yaml, to tell what has changed since. */
  readonly applied: string;
  readonly lock: string;
  /** Who drills the cluster right now. */
  readonly drill: string;
  readonly secrets: string;
  /** A file here keeps a host down: `up` does not start it again. */
  readonly held: string;
  /** A file for each process that `up` has started and that has not ended. */
  readonly children: string;
  readonly logs: string;
  /** For psql: holds the superuser's password. */
  readonly passFile: string;
  readonly proxy: string;
}

export const localPaths = (state: string): LocalPaths => ({
  state,
  sockets: socketDirectoryOf(state),
  plan: join(state, 'plan.json'),
  applied: join(state, 'applied.json'),
  lock: join(state, 'up.json'),
  drill: join(state, 'drill.json'),
  secrets: join(state, 'secrets'),
  held: join(state, 'held'),
  children: join(state, 'children'),
  logs: join(state, 'log'),
  passFile: join(state, 'pgpass'),
  proxy: join(state, 'proxy'),
});

/** Where HAProxy and PgBouncer of a local cluster are reached by the proxy. */
export const proxySockets = ({ sockets }: LocalPaths): string => join(sockets, 'proxy');

export interface MemberPaths {
  readonly directory: string;
  readonly config: string;
  readonly data: string;
  readonly stateDirectory: string;
}

/** PostgreSQL's user owns `directory`: data directories are renamed in it. */
export const memberPaths = (state: string, member: string): MemberPaths => {
  const directory = join(state, 'members', member);
  return {
    directory,
    config: join(state, 'members', `${member}.yml`),
    data: join(directory, 'data'),
    stateDirectory: join(directory, 'agent'),
  };
};
