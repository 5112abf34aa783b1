/** How each harm is done to a real cluster, and taken back. Only processes of it are touched. */
import { readFileSync } from 'node:fs';
import { clusterRoles } from '@matriarch/protocol';
import { callApi } from '../local/member-api.ts';
import { withDescendants } from '../local/process-tree.ts';
import {
  type DrillCluster,
  type DrillLinks,
  type End,
  type Link,
  storeOf,
} from './drill-cluster.ts';
import { killAll, postmasterPid, serverPids } from './processes.ts';
import type { HarmName } from './scenario.ts';

export interface HarmContext {
  readonly cluster: DrillCluster;
  /** The member that is hit. */
  readonly member: string;
}

/** How it is taken back. */
export type Undo = () => void;

/** Done once the promise is: what is asked of an operator's tools may take its time. */
export type Harm = (context: HarmContext) => Promise<Undo> | Undo;

const OPERATION_LIMIT_MS = 60_000;

const nothing: Undo = () => undefined;

const othersOf = ({ cluster, member }: HarmContext): readonly string[] =>
  cluster.config.members.flatMap(({ name }) => (name === member ? [] : [name]));

const agentPids = ({ cluster, member }: HarmContext): readonly number[] => {
  const pid = cluster.pidOf({ kind: 'member', name: member });
  return pid === undefined ? [] : [pid];
};

/** Agent, guard, loop, PostgreSQL and the host's etcd: every process of it. */
const hostPids = (context: HarmContext): number[] => {
  const { cluster, member } = context;
  const store = cluster.pidOf(storeOf(cluster, member));
  const roots = [...agentPids(context), ...(store === undefined ? [] : [store])];
  return [...new Set([...withDescendants(roots), ...serverPids(cluster.dataDirectory(member))])];
};

const commandLine = (pid: number): string => {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'latin1').replaceAll('\0', ' ');
  } catch {
    return '';
  }
};

/** The guard's child that is not PostgreSQL. */
const LOOP = /\bdist\/main\.js\b/;

const loopPids = (context: HarmContext): number[] =>
  withDescendants(agentPids(context)).filter((pid) => LOOP.test(commandLine(pid)));

/** Processes of its PostgreSQL that call themselves so. */
const pidsTitled =
  (title: string) =>
  ({ cluster, member }: HarmContext): number[] =>
    serverPids(cluster.dataDirectory(member)).filter((pid) => commandLine(pid).includes(title));

const kill =
  (find: (context: HarmContext) => readonly number[]): Harm =>
  (context) => {
    killAll(find(context), 'SIGKILL');
    return nothing;
  };

const freeze =
  (find: (context: HarmContext) => readonly number[]): Harm =>
  (context) => {
    const pids = find(context);
    killAll(pids, 'SIGSTOP');
    // Children first: what serves is let go before what watches over it.
    return () => killAll(pids.toReversed(), 'SIGCONT');
  };

const postmasterPids = ({ cluster, member }: HarmContext): number[] => [
  postmasterPid(cluster.dataDirectory(member)),
];

const holdAndKill: Harm = (context) => {
  const { cluster, member } = context;
  cluster.hold(member);
  killAll(hostPids(context), 'SIGKILL');
  return () => cluster.letGo(member);
};

const storePids = (cluster: DrillCluster): number[] =>
  cluster.config.members.flatMap(({ name }) => cluster.pidOf(storeOf(cluster, name)) ?? []);

/** Its supervisor starts each again after a second: killed again and again until it is over. */
const KILL_AGAIN_MS = 200;

const killStore: Harm = ({ cluster }) => {
  const killThem = (): void => killAll(storePids(cluster), 'SIGKILL');
  killThem();
  const timer = setInterval(killThem, KILL_AGAIN_MS);
  return () => clearInterval(timer);
};

const networkOf = ({ cluster }: HarmContext): DrillLinks => {
  if (cluster.links === undefined)
    throw new Error('the hosts of this cluster have no addresses of their own');
  return cluster.links;
};

const cut =
  (linksIn: (context: HarmContext) => readonly Link[]): Harm =>
  (context) => {
    const network = networkOf(context);
    const links = linksIn(context);
    network.cut(links);
    return () => network.mend(links);
  };

const member = (host: string): End => ({ kind: 'member', host });
const store = (host: string): End => ({ kind: 'store', host });
const back = ([from, to]: Link): Link => [to, from];

/** From the host, its etcd too, to everybody else. */
const outgoing = (context: HarmContext): readonly Link[] => {
  const mine = [member(context.member), store(context.member)];
  const theirs = othersOf(context).flatMap((host) => [member(host), store(host)]);
  return mine.flatMap((from) => [...theirs, 'clients' as const].map((to): Link => [from, to]));
};

const toStore = (context: HarmContext): readonly Link[] =>
  context.cluster.config.members.map(({ name }): Link => [member(context.member), store(name)]);

const toMembers = (context: HarmContext): readonly Link[] =>
  othersOf(context).map((host): Link => [member(context.member), member(host)]);

const bothWays =
  (linksIn: (context: HarmContext) => readonly Link[]) =>
  (context: HarmContext): readonly Link[] =>
    linksIn(context).flatMap((one) => [one, back(one)]);

const fillDisk: Harm = ({ cluster, member: name }) => {
  const { disks } = cluster;
  if (disks === undefined) throw new Error('the hosts of this cluster have no disks of their own');
  disks.fill(name);
  return () => disks.free(name);
};

const post = async ({ cluster, member: name }: HarmContext, path: string, body: unknown) => {
  const target = cluster.config.members.find((one) => one.name === name);
  const password = cluster.secrets.get('restapi');
  return callApi({
    method: 'POST',
    url: `http://${target?.host ?? '127.0.0.1'}:${target?.restPort ?? 0}/${path}`,
    body,
    authentication:
      password === undefined ? undefined : { username: clusterRoles.restapi, password },
    limitMs: OPERATION_LIMIT_MS,
  });
};

export const harms: Readonly<Record<HarmName, Harm>> = {
  'kill-postmaster': kill(postmasterPids),
  'kill-host': holdAndKill,
  'kill-loop': kill(loopPids),
  'kill-guard': kill(agentPids),
  'kill-store-member': kill(({ cluster, member: name }) => {
    const pid = cluster.pidOf(storeOf(cluster, name));
    return pid === undefined ? [] : [pid];
  }),
  'kill-store': killStore,
  'freeze-postmaster': freeze(postmasterPids),
  'freeze-host': freeze(hostPids),
  'freeze-loop': freeze(loopPids),
  'stall-receiver': freeze(pidsTitled('walreceiver')),
  'stall-senders': freeze(pidsTitled('walsender')),
  'cut-off': cut(bothWays(outgoing)),
  'cut-off-from-store': cut(bothWays(toStore)),
  'cut-off-from-members': cut(bothWays(toMembers)),
  'cut-off-outgoing': cut(outgoing),
  'cut-off-incoming': cut((context) => outgoing(context).map(back)),
  'fill-disk': fillDisk,
  switchover: (context) => {
    // The answer comes when it is over; what applications see is measured in the meantime.
    post(context, 'switchover', { leader: context.member }).catch(nothing);
    return nothing;
  },
  restart: async (context) => {
    await post(context, 'restart', {});
    return nothing;
  },
};
