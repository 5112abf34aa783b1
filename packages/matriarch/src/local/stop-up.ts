/** Has the `up` of a cluster end, and whatever one that was killed has left. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { LocalPaths } from './directories.ts';
import { endLeftovers } from './end-leftovers.ts';
import { openCluster } from './open-cluster.ts';
import { isRunning } from './process-tree.ts';
import { findRunningUp, releaseLock } from './up-lock.ts';

/** A primary hands over or stops cleanly within less. */
const STOP_LIMIT_MS = 90_000;
const LOOK_MS = 100;

export interface StopOutcome {
  /** 0: stopped, or nothing ran. */
  readonly status: 0 | 1 | 2;
  readonly message: string;
}

export const stopUp = async (file: string | undefined): Promise<StopOutcome> => {
  const opened = openCluster(file);
  if (opened.kind === 'wrong') return { status: 2, message: opened.message };
  const { config, paths } = opened;
  if (paths === undefined)
    return { status: 2, message: `${opened.file}: only a cluster of \`up\` can be stopped` };
  return stopCluster(config.cluster, paths);
};

const stopCluster = async (cluster: string, paths: LocalPaths): Promise<StopOutcome> => {
  const running = findRunningUp(paths.lock);
  if (running === undefined) return stopLeftovers(cluster, paths);
  try {
    process.kill(running.pid, 'SIGTERM');
  } catch (error) {
    if (isRunning(running))
      return {
        status: 1,
        message: `process ${running.pid} of cluster ${cluster} cannot be stopped: ${String(error)}`,
      };
  }
  const begun = performance.now();
  while (performance.now() - begun < STOP_LIMIT_MS) {
    if (!isRunning(running)) {
      // Had it been killed meanwhile, its children would be left.
      const after = await stopLeftovers(cluster, paths);
      return after.status === 0 ? { status: 0, message: `cluster ${cluster} is down` } : after;
    }
    await sleep(LOOK_MS);
  }
  return {
    status: 1,
    message:
      `process ${running.pid} has not stopped cluster ${cluster} ` +
      `within ${STOP_LIMIT_MS / 1_000} s`,
  };
};

const stopLeftovers = async (cluster: string, paths: LocalPaths): Promise<StopOutcome> => {
  const { ended, remaining } = await endLeftovers(paths);
  if (remaining.length > 0)
    return {
      status: 1,
      message: `processes ${remaining.join(', ')} of cluster ${cluster} cannot be ended`,
    };
  releaseLock(paths.lock);
  return {
    status: 0,
    message:
      ended.length === 0
        ? `cluster ${cluster} is not up`
        : `cluster ${cluster} is down; its \`up\` was gone and had left ${ended.join(', ')}`,
  };
};
