/** The usual load on a cluster: half of it through PgBouncer, half through HAProxy alone. */
import { type ClusterConfig, clusterRoles } from '@matriarch/protocol';
import type { Ledger } from './ledger.ts';
import { type Door, TABLE, type TrafficParts, connect } from './traffic.ts';

export interface LoadedCluster {
  readonly config: ClusterConfig;
  readonly secrets: ReadonlyMap<string, string>;
}

export const trafficOf = ({ config, secrets }: LoadedCluster, ledger: Ledger): TrafficParts => {
  const { haproxy, pgbouncer } = config;
  const direct = (port: number) => ({ port, database: 'postgres' });
  const pooled = (database: string) => ({ port: pgbouncer?.port ?? haproxy.writePort, database });
  return {
    user: clusterRoles.superuser,
    password: secrets.get('superuser') ?? '',
    writeDoors: [
      direct(haproxy.writePort),
      direct(haproxy.writePort),
      pooled('postgres_write'),
      pooled('postgres_write'),
    ],
    readDoors: [direct(haproxy.readPort), pooled('postgres_read')],
    ledger,
  };
};

/** The servers themselves, past everything that stands before them. */
export const serverDoors = ({ config }: LoadedCluster): readonly Door[] =>
  config.members.map(({ host, postgresqlPort: port }) => ({ host, port, database: 'postgres' }));

const run = async (traffic: TrafficParts, statement: string): Promise<void> => {
  const [door] = traffic.writeDoors;
  if (door === undefined) return;
  const client = await connect(traffic, door);
  try {
    await client.query(statement);
  } finally {
    await client.end();
  }
};

/** A new one each time: rows of an earlier exercise, which was perhaps killed, are in the way. */
export const createTable = (traffic: TrafficParts): Promise<void> =>
  run(traffic, `drop table if exists ${TABLE}; create table ${TABLE} (id text primary key)`);

export const dropTable = (traffic: TrafficParts): Promise<void> =>
  run(traffic, `drop table if exists ${TABLE}`);

/**
 * Each promotion begins a WAL file of its own for the same segment, and none of them goes before
 * the next segment is begun and a checkpoint is past it. At the pace of our writers that is a
 * hundred promotions later, when a small disk is long full.
 */
export const beginNextSegment = (traffic: TrafficParts): Promise<void> =>
  run(traffic, 'select pg_switch_wal(); checkpoint');
