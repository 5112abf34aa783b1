/** The usual load on a local cluster: half of it through PgBouncer, half through HAProxy alone. */
import { clusterRoles } from '@matriarch/protocol';
import type { RunningUp } from '../local/running-up.ts';
import type { Ledger } from './ledger.ts';
import { TABLE, type TrafficParts, connect } from './traffic.ts';

export const trafficOf = (up: RunningUp, ledger: Ledger): TrafficParts => {
  const { haproxy, pgbouncer } = up.config;
  const direct = (port: number) => ({ port, database: 'postgres' });
  const pooled = (database: string) => ({ port: pgbouncer?.port ?? haproxy.writePort, database });
  return {
    user: clusterRoles.superuser,
    password: up.secrets.get('superuser') ?? '',
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

export const createTable = async (traffic: TrafficParts): Promise<void> => {
  const [door] = traffic.writeDoors;
  if (door === undefined) return;
  const client = await connect(traffic, door);
  await client.query(`create table if not exists ${TABLE} (id text primary key)`);
  await client.end();
};
