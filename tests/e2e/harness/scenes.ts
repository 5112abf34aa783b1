import { afterAll, afterEach, beforeAll, beforeEach } from 'vitest';
import { type Cluster, type ClusterOptions, isReported, startCluster } from './cluster.ts';
import type { Member } from './member.ts';

export interface Stage {
  readonly cluster: () => Cluster;
  /** The primary at the beginning of this scene. */
  readonly primary: () => Member;
}

/**
 * One cluster for the scenes of a file, or of a `describe`. Before each scene every fault is taken
 * back and the cluster is seen well, so that no scene suffers from the one before it; a scene that
 * fails tells what the members have logged.
 */
export const openStage = (options: ClusterOptions = {}): Stage => {
  let cluster: Cluster | undefined;
  let primary: Member | undefined;

  beforeAll(async () => {
    cluster = await startCluster(options);
  });
  beforeEach(async () => {
    primary = await cluster?.heal();
  });
  afterEach(({ task }) => {
    const errors = task.result?.errors ?? [];
    if (errors.length === 0 || cluster === undefined) return;
    if (!errors.some(({ message }) => isReported(message))) console.error(cluster.report());
  });
  afterAll(async () => {
    await cluster?.close();
  });

  const must = <T>(value: T | undefined): T => {
    if (value === undefined) throw new Error('the cluster has not been started');
    return value;
  };
  return { cluster: () => must(cluster), primary: () => must(primary) };
};
