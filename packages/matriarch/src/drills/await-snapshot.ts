/** Waiting until a cluster is what it should be, by what its store says. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { StoreSnapshot } from '@matriarch/core';
import { isReady } from '../local/ready.ts';
import type { DrillCluster } from './drill-cluster.ts';

/** How long every member may take to stream again once nothing is harmed any more. */
const WHOLE_LIMIT_MS = 60_000;
export const LOOK_MS = 50;

/** The first snapshot that satisfies, or undefined after the limit. */
export const until = async (
  cluster: DrillCluster,
  satisfies: (snapshot: StoreSnapshot) => boolean,
  { limitMs, lookMs }: { readonly limitMs: number; readonly lookMs: number },
): Promise<StoreSnapshot | undefined> => {
  const begun = performance.now();
  while (performance.now() - begun < limitMs) {
    const snapshot = await cluster.snapshot();
    if (snapshot !== undefined && satisfies(snapshot)) return snapshot;
    await sleep(lookMs);
  }
  return undefined;
};

/** The cluster is whole, or undefined after the limit. */
export const untilReady = (cluster: DrillCluster): Promise<StoreSnapshot | undefined> =>
  until(cluster, (snapshot) => isReady(snapshot, cluster.config.members.length), {
    limitMs: WHOLE_LIMIT_MS,
    lookMs: LOOK_MS,
  });
