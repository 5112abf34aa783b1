/**
 * What a primary still acknowledges that was frozen and thaws under another one. Applications that
 * are connected to it directly write as fast as they can, and its PostgreSQL is let go before its
 * loop and guard are.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { clusterRoles } from '@matriarch/protocol';
import type { Client } from 'pg';
import type { RunningUp } from '../../local/running-up.ts';
import { LOOK_MS, until, untilReady } from '../await-snapshot.ts';
import type { DrillCluster } from '../drill-cluster.ts';
import { harms } from '../harms.ts';
import { TABLE, connect } from '../traffic.ts';
import { serverDoors } from '../traffic-of-cluster.ts';
import { drillClusterOf } from '../up-cluster.ts';
import type { Rounds } from './measure-faults.ts';

const SESSIONS = 4;
const WARM_MS = 1_000;
/** Whoever has not been refused by then is asked no longer. */
const LISTEN_MS = 5_000;
const OTHER_LIMIT_MS = 60_000;

export interface Thaw {
  /** When each write was acknowledged after PostgreSQL was let go, in milliseconds. */
  readonly lateMs: readonly number[];
}

/** One after the other, until the server refuses. */
const write = async (client: Client, session: number, heard: number[]): Promise<void> => {
  try {
    for (let row = 0; ; row += 1) {
      await client.query(`insert into ${TABLE} values ($1)`, [`thaw ${session} ${row}`]);
      heard.push(performance.now());
    }
  } catch {
    // It has ended.
  } finally {
    client.end().catch(() => undefined);
  }
};

const thawOnce = async (up: RunningUp, cluster: DrillCluster): Promise<Thaw> => {
  const primary = (await untilReady(cluster))?.leader?.value;
  const index = cluster.config.members.findIndex(({ name }) => name === primary);
  const door = serverDoors(cluster)[index];
  if (primary === undefined || door === undefined) throw new Error('the cluster is not whole');
  const role = { user: clusterRoles.superuser, password: up.secrets.get('superuser') ?? '' };
  const clients = await Promise.all(Array.from({ length: SESSIONS }, () => connect(role, door)));
  await clients[0]?.query(`drop table if exists ${TABLE}; create table ${TABLE} (id text)`);
  const heard: number[] = [];
  const writing = clients.map((client, session) => write(client, session, heard));
  await sleep(WARM_MS);
  const thaw = await harms['freeze-host']({ cluster, member: primary });
  let thawedAt = 0;
  try {
    const other = await until(
      cluster,
      ({ leader }) => leader !== undefined && leader.value !== primary,
      { limitMs: OTHER_LIMIT_MS, lookMs: LOOK_MS },
    );
    if (other === undefined) throw new Error('nobody else has become the primary');
    await sleep(WARM_MS);
  } finally {
    thawedAt = performance.now();
    thaw();
  }
  await Promise.race([Promise.all(writing), sleep(LISTEN_MS)]);
  for (const client of clients) client.end().catch(() => undefined);
  return { lateMs: heard.filter((at) => at >= thawedAt).map((at) => at - thawedAt) };
};

export const measureThaw = async (
  up: RunningUp,
  { rounds, say }: Rounds,
): Promise<readonly Thaw[]> => {
  const cluster = drillClusterOf(up);
  const thaws: Thaw[] = [];
  for (let round = 1; round <= rounds; round += 1) {
    const thaw = await thawOnce(up, cluster);
    thaws.push(thaw);
    say(`${round}/${rounds} thaw: ${thaw.lateMs.map((late) => late.toFixed(1)).join(', ')}`);
  }
  return thaws;
};
