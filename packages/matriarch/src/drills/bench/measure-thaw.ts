/**
 * What a primary still acknowledges that was frozen and thaws under another one. Applications that
 * are connected to it directly write as fast as they can, and its PostgreSQL is let go before its
 * guard is.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { clusterRoles } from '@matriarch/protocol';
import type { Client } from 'pg';
import { withDescendants } from '../../local/process-tree.ts';
import { isReady } from '../../local/ready.ts';
import type { RunningUp } from '../../local/running-up.ts';
import type { DrillCluster } from '../drill-cluster.ts';
import { killAll, serverPids } from '../processes.ts';
import { type Door, TABLE, connect } from '../traffic.ts';
import { serverDoors } from '../traffic-of-cluster.ts';
import { drillClusterOf } from '../up-cluster.ts';
import type { Rounds } from './measure-faults.ts';

const SESSIONS = 4;
const WARM_MS = 1_000;
/** Whoever has not been refused by then is asked no longer. */
const LISTEN_MS = 5_000;
const LOOK_MS = 50;
const WHOLE_LIMIT_MS = 120_000;

export interface Thaw {
  /** When each write was acknowledged after PostgreSQL was let go, in milliseconds. */
  readonly lateMs: readonly number[];
}

const untilLed = async (
  { snapshot, config }: DrillCluster,
  isIt: (leader: string, isWhole: boolean) => boolean,
): Promise<string> => {
  const limit = performance.now() + WHOLE_LIMIT_MS;
  while (performance.now() < limit) {
    const seen = await snapshot();
    const leader = seen?.leader?.value;
    const isWhole = seen !== undefined && isReady(seen, config.members.length);
    if (leader !== undefined && isIt(leader, isWhole)) return leader;
    await sleep(LOOK_MS);
  }
  throw new Error(`the cluster has not become what was waited for in ${WHOLE_LIMIT_MS} ms`);
};

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
  const primary = await untilLed(cluster, (_leader, isWhole) => isWhole);
  const index = cluster.config.members.findIndex(({ name }) => name === primary);
  const door = serverDoors(cluster)[index] as Door;
  const role = { user: clusterRoles.superuser, password: up.secrets.get('superuser') ?? '' };
  const clients = await Promise.all(Array.from({ length: SESSIONS }, () => connect(role, door)));
  await clients[0]?.query(`drop table if exists ${TABLE}; create table ${TABLE} (id text)`);
  const heard: number[] = [];
  const writing = clients.map((client, session) => write(client, session, heard));
  await sleep(WARM_MS);
  const agent = cluster.pidOf({ kind: 'member', name: primary });
  const pids = withDescendants(agent === undefined ? [] : [agent]);
  const server = serverPids(cluster.dataDirectory(primary));
  killAll([...pids, ...server], 'SIGSTOP');
  let thawedAt = 0;
  try {
    await untilLed(cluster, (leader) => leader !== primary);
    await sleep(WARM_MS);
  } finally {
    thawedAt = performance.now();
    heard.length = 0;
    killAll(server, 'SIGCONT');
    killAll(pids.filter((pid) => !server.includes(pid)).reverse(), 'SIGCONT');
  }
  await Promise.race([Promise.all(writing), sleep(LISTEN_MS)]);
  for (const client of clients) client.end().catch(() => undefined);
  return { lateMs: heard.map((at) => at - thawedAt) };
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
