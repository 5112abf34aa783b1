import { join } from 'node:path';
import { type ClusterConfig, clusterPrefix, clusterRoles } from '@matriarch/protocol';
import { createPages } from '../../agent/journal/journal.ts';
import { createLogger } from '../../agent/log.ts';
import { makeDirectory } from '../../local/make-directory.ts';
import { type OpenCluster, openCluster } from '../../local/open-cluster.ts';
import { fetchSecrets } from '../../local/secrets.ts';
import { releaseLock, takeLock } from '../../local/up-lock.ts';
import { runProxy } from '../../proxy/main.ts';
import { tellRoutes } from '../../proxy/proxy-journal.ts';
import type { ProxySettings } from '../../proxy/settings.ts';
import { openClusterStore } from '../../store-access/main.ts';
import { createSnapshotSource } from '../../store-access/route-source.ts';
import { parseArguments } from '../arguments.ts';
import { proxyJournalFile, proxyPlace } from '../proxy-place.ts';
import { complain, refuseUsage } from '../output/say.ts';
import type { Command } from '../verbs.ts';

const usage = 'cluster.yaml';

export const proxyCommand: Command = {
  summary: 'runs HAProxy and PgBouncer and moves traffic to the primary by event',
  usage,
  run: async (args) => {
    const parsed = parseArguments(args, { options: {}, positionals: 1 });
    if (parsed.kind === 'wrong') return refuseUsage(parsed.message, `proxy ${usage}`);
    const opened = openCluster(parsed.positionals[0]);
    if (opened.kind === 'wrong') {
      complain(opened.message);
      return 2;
    }
    const secrets = fetchSecrets(opened.config);
    if (secrets.kind === 'missing') {
      for (const message of secrets.messages) complain(message);
      return 2;
    }
    return runAlone(opened, secrets.values);
  },
};

/** Two of them would move each other's routes, and the one that ends takes the doors of both. */
const runAlone = async (
  opened: OpenCluster,
  secrets: ReadonlyMap<string, string>,
): Promise<number> => {
  const place = proxyPlace(opened.config, opened.paths);
  const lock = join(place.directory, 'running.json');
  try {
    makeDirectory(place.directory);
    const other = takeLock(lock, opened.file);
    if (other !== undefined) {
      complain(
        `a proxy of cluster ${opened.config.cluster} runs already (process ${other.pid}): ` +
          'stop that one first',
      );
      return 3;
    }
  } catch (error) {
    complain(`${place.directory}: the proxy's files cannot be kept there (${String(error)})`);
    return 2;
  }
  try {
    return await run(opened, secrets);
  } finally {
    releaseLock(lock);
  }
};

const run = async (
  { config, paths }: OpenCluster,
  secrets: ReadonlyMap<string, string>,
): Promise<number> => {
  const place = proxyPlace(config, paths);
  const journal = createPages(proxyJournalFile(place));
  const log = tellRoutes(createLogger({ level: 'info', name: 'proxy' }), (line) =>
    journal.append(`${JSON.stringify({ at: new Date().toISOString(), ...line })}\n`),
  );
  const store = openClusterStore(config, secrets);
  if ('kind' in store) {
    complain(store.message);
    return 2;
  }
  const prefix = clusterPrefix(config.namespace, config.cluster);
  const routes = createSnapshotSource({
    store: store.etcd,
    prefix,
    read: () => store.read(prefix),
  });
  const stopped = waitForStop();
  const started = await runProxy({ settings: settingsOf(config, secrets), routes, log, ...place });
  if (started.kind === 'refused') {
    for (const { message } of started.problems) complain(message);
    routes.close();
    await store.close();
    return 1;
  }
  await stopped;
  await started.proxy.stop();
  routes.close();
  await store.close();
  return 0;
};

const settingsOf = (config: ClusterConfig, secrets: ReadonlyMap<string, string>): ProxySettings => {
  const { haproxy, pgbouncer, members } = config;
  const listen = (port: number) => ({ host: haproxy.bind, port });
  return {
    members: members.map(({ name, host, postgresqlPort, restPort }) => ({
      name,
      host,
      postgresqlPort,
      restPort,
    })),
    haproxy: {
      write: listen(haproxy.writePort),
      read: listen(haproxy.readPort),
      statistics: listen(haproxy.statsPort),
      maxConnections: haproxy.maxConnections,
      idleTimeoutMs: haproxy.idleTimeoutMs,
    },
    pgbouncer:
      pgbouncer === undefined
        ? undefined
        : {
            listen: { host: pgbouncer.bind, port: pgbouncer.port },
            databases: pgbouncer.databases,
            users: poolUsers(config, secrets),
            limits: pgbouncer,
          },
  };
};

/** The superuser, and the applications that cluster.yaml names. */
const poolUsers = (config: ClusterConfig, secrets: ReadonlyMap<string, string>) => [
  { name: clusterRoles.superuser, secret: secrets.get('superuser') ?? '' },
  ...Object.keys(config.secrets.applications).map((name) => ({
    name,
    secret: secrets.get(`application ${name}`) ?? '',
  })),
];

const waitForStop = (): Promise<void> =>
  new Promise((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => resolve());
  });
