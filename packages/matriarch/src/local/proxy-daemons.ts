/** HAProxy and PgBouncer outlive a proxy that is killed: they go on serving. */
import { findByPidFile } from '../proxy/daemons/process-table.ts';
import { layOutProxy } from '../proxy/settings.ts';
import { type LocalPaths, proxySockets } from './directories.ts';
import type { KnownProcess } from './process-tree.ts';

export interface NamedProcess extends KnownProcess {
  readonly name: string;
}

/** Those of this cluster that run, known by their pid files and by what they were started with. */
export const findProxyDaemons = async (paths: LocalPaths): Promise<NamedProcess[]> => {
  const { haproxy, pgbouncer } = layOutProxy(paths.proxy, proxySockets(paths));
  const found = await Promise.all(
    [
      { name: 'haproxy', ...haproxy },
      { name: 'pgbouncer', ...pgbouncer },
    ].map(async ({ name, pidFile, config }) => ({
      name,
      process: await findByPidFile(pidFile, config),
    })),
  );
  return found.flatMap(({ name, process }) =>
    process === undefined ? [] : [{ name, pid: process.pid, startTicks: process.startedAt }],
  );
};
