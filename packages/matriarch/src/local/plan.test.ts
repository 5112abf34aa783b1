/**
 * The ports of a local cluster, and its configuration with them filled in. Ports are real: whatever
 * is said to be taken has a listener.
 */
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { type ClusterConfig, parseClusterConfig } from '@matriarch/protocol';
import { describe, expect, it, onTestFinished } from 'vitest';
import { localPaths } from './directories.ts';
import { isFree } from './free-ports.ts';
import { type LocalPlan, applyPlan, choosePlan, readPlan } from './plan.ts';
import { openTemporaryDirectory } from './testing/temporary-directory.ts';

const parse = (text: string): ClusterConfig => {
  const { config, mistakes } = parseClusterConfig({ text, file: 'a.yaml', environment: {} });
  if (config === undefined) throw new Error(JSON.stringify(mistakes));
  return config;
};

const ROOM = 60;

/** So many ports in a row that nobody listens on. */
const findRow = async (): Promise<number> => {
  for (let first = 23_000; first < 60_000; first += ROOM) {
    let free = 0;
    while (free < ROOM && (await isFree(first + free))) free += 1;
    if (free === ROOM) return first;
  }
  throw new Error('no ports are free');
};

const occupy = async (port: number): Promise<void> => {
  const server = createServer().listen({ port, host: '127.0.0.1', exclusive: true });
  await once(server, 'listening');
  onTestFinished(async () => {
    server.close();
    await once(server, 'close');
  });
};

interface Wishes {
  readonly write?: number;
  readonly read?: number;
  readonly extra?: string;
}

/** One member; doors at `first` and `first + 1`, the rest from `first + 20` on. */
const clusterAt = (first: number, { write = first, read = first + 1, extra = '' }: Wishes = {}) =>
  parse(`
cluster: demo
members:
  - name: pg1
    postgresql_port: ${first + 20}
    rest_port: ${first + 21}
haproxy: { write_port: ${write}, read_port: ${read}, stats_port: ${first + 22} }
pgbouncer: { port: ${first + 23} }
${extra}
`);

const mustPlan = async (config: ClusterConfig, previous?: LocalPlan): Promise<LocalPlan> => {
  const outcome = await choosePlan(config, previous);
  if (outcome.kind === 'taken') throw new Error(outcome.message);
  return outcome.plan;
};

describe('a first plan', () => {
  it('has the ports of the file', async () => {
    const first = await findRow();
    expect(await mustPlan(clusterAt(first))).toMatchObject({
      haproxy: { write: first, read: first + 1, stats: first + 22 },
      pgbouncer: first + 23,
      members: { pg1: { postgresql: first + 20, rest: first + 21 } },
    });
  });

  it('has the next free one where somebody listens', async () => {
    const first = await findRow();
    await occupy(first);
    await occupy(first + 20);
    const { haproxy, members } = await mustPlan(clusterAt(first));
    expect(haproxy).toMatchObject({ write: first + 1, read: first + 2 });
    expect(members['pg1']).toEqual({ postgresql: first + 21, rest: first + 24 });
  });

  it('has etcd members as many as the file says, each with two ports of its own', async () => {
    const config = clusterAt(await findRow(), { extra: 'etcd: { members: 5 }' });
    const { etcd } = await mustPlan(config);
    expect(etcd).toHaveLength(5);
    expect(new Set(etcd.flatMap(({ client, peer }) => [client, peer])).size).toBe(10);
  });

  it('has no etcd when the file names one', async () => {
    const config = clusterAt(await findRow(), { extra: 'etcd: { endpoints: [10.0.0.1:2379] }' });
    expect((await mustPlan(config)).etcd).toEqual([]);
  });
});

describe('a later plan', () => {
  it('is the same one', async () => {
    const config = clusterAt(await findRow());
    const plan = await mustPlan(config);
    expect(await mustPlan(config, plan)).toEqual(plan);
  });

  it('stays where it moved to, also when the first wish is free again', async () => {
    const first = await findRow();
    const config = clusterAt(first);
    const moved = { ...(await mustPlan(config)), pgbouncer: first + 30 };
    expect((await mustPlan(config, moved)).pgbouncer).toBe(first + 30);
  });

  it('follows the file when that asks for another port now', async () => {
    const first = await findRow();
    const plan = await mustPlan(clusterAt(first));
    const changed = clusterAt(first, { write: first + 40 });
    expect((await mustPlan(changed, plan)).haproxy).toMatchObject({
      write: first + 40,
      read: first + 1,
    });
  });

  it('gives no port to one that another one keeps', async () => {
    const first = await findRow();
    const config = clusterAt(first);
    const plan = await mustPlan(config);
    await occupy(first);
    expect((await mustPlan(config, plan)).haproxy).toMatchObject({
      write: first + 2,
      read: first + 1,
    });
  });

  it('has ports for members that are new', async () => {
    const first = await findRow();
    const plan = await mustPlan(clusterAt(first));
    const { members, ...config } = clusterAt(first);
    const [one] = members;
    if (one === undefined) throw new Error('no member');
    const two = { ...one, name: 'pg2' as typeof one.name };
    const grown = await mustPlan({ ...config, members: [one, two] }, plan);
    expect(grown.members).toEqual({
      pg1: { postgresql: first + 20, rest: first + 21 },
      pg2: { postgresql: first + 24, rest: first + 25 },
    });
  });

  it('is refused when somebody listens where etcd of this cluster is', async () => {
    const config = clusterAt(await findRow());
    const plan = await mustPlan(config);
    const [, second] = plan.etcd;
    await occupy(second?.peer ?? 0);
    const outcome = await choosePlan(config, plan);
    expect(outcome).toMatchObject({ kind: 'taken' });
    expect(outcome.kind === 'taken' ? outcome.message : '').toContain(
      `port ${second?.peer} is taken by another program`,
    );
  });

  it('lets go of etcd when the file names one now', async () => {
    const first = await findRow();
    const plan = await mustPlan(clusterAt(first));
    await occupy(plan.etcd[0]?.client ?? 0);
    const config = clusterAt(first, { extra: 'etcd: { endpoints: [10.0.0.1:2379] }' });
    expect((await mustPlan(config, plan)).etcd).toEqual([]);
  });
});

describe('a plan on disk', () => {
  it('is read as it was written', async () => {
    const paths = localPaths(openTemporaryDirectory());
    const plan = await mustPlan(clusterAt(await findRow()));
    writeFileSync(paths.plan, JSON.stringify(plan));
    expect(readPlan(paths)).toEqual(plan);
  });

  it.each(['', 'null', '[]', '{}', '{"members":{},"etcd":{}}', 'no JSON'])(
    'that reads %j is none',
    (text) => {
      const paths = localPaths(openTemporaryDirectory());
      writeFileSync(paths.plan, text);
      expect(readPlan(paths)).toBeUndefined();
    },
  );

  it('that is not there is none', () => {
    expect(readPlan(localPaths(openTemporaryDirectory()))).toBeUndefined();
  });
});

describe('the configuration with its plan', () => {
  const plan: LocalPlan = {
    members: { pg1: { postgresql: 1, rest: 2 } },
    etcd: [
      { client: 11, peer: 12 },
      { client: 13, peer: 14 },
    ],
    haproxy: { write: 3, read: 4, stats: 5 },
    pgbouncer: 6,
    wanted: {},
  };
  const paths = localPaths('/srv/demo');

  it('has its ports, its etcd and directories below the state', () => {
    const config = applyPlan(parse('cluster: demo\nmembers: 1\n'), plan, paths);
    expect(config.members[0]).toMatchObject({
      postgresqlPort: 1,
      restPort: 2,
      dataDirectory: '/srv/demo/members/pg1/data',
    });
    expect(config.haproxy).toMatchObject({ writePort: 3, readPort: 4, statsPort: 5 });
    expect(config.pgbouncer?.port).toBe(6);
    expect(config.etcd).toMatchObject({
      kind: 'external',
      endpoints: ['http://127.0.0.1:11', 'http://127.0.0.1:13'],
    });
  });

  it('keeps a data directory, an etcd and a switched-off PgBouncer of the file', () => {
    const config = applyPlan(
      parse(`
cluster: demo
members: [{ name: pg1, data_dir: /srv/elsewhere }]
etcd: { endpoints: [10.0.0.1:2379] }
pgbouncer: off
`),
      plan,
      paths,
    );
    expect(config.members[0]?.dataDirectory).toBe('/srv/elsewhere');
    expect(config.etcd).toMatchObject({ endpoints: ['http://10.0.0.1:2379'] });
    expect(config.pgbouncer).toBeUndefined();
  });

  it('keeps generated secrets in files, and those of the user where they are', () => {
    const config = parse(`
cluster: demo
members: 1
secrets:
  superuser: { environment: PASSWORD }
  rewind: { environment: PASSWORD }
  applications: { shop: { file: /srv/shop } }
`);
    const { secrets } = applyPlan(
      {
        ...config,
        secrets: {
          ...config.secrets,
          rewind: { kind: 'generated' },
          applications: { ...config.secrets.applications, 'a/b': { kind: 'generated' } },
        },
      },
      plan,
      paths,
    );
    expect(secrets.superuser).toEqual({ kind: 'environment', variable: 'PASSWORD' });
    expect(secrets.replication).toEqual({ kind: 'file', path: '/srv/demo/secrets/replication' });
    expect(secrets.rewind).toEqual({ kind: 'file', path: '/srv/demo/secrets/rewind' });
    expect(secrets.restapi).toEqual({ kind: 'file', path: '/srv/demo/secrets/restapi' });
    expect(secrets.applications).toEqual({
      shop: { kind: 'file', path: '/srv/shop' },
      'a/b': { kind: 'file', path: '/srv/demo/secrets/application-a%2Fb' },
    });
  });
});
