/** Has the `up` of a cluster end. */
import { setTimeout as sleep } from 'node:timers/promises';
import { openCluster } from './open-cluster.ts';
import { findRunningUp, startTicksOf } from './up-lock.ts';

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
  const running = findRunningUp(paths.lock);
  if (running === undefined) return { status: 0, message: `cluster ${config.cluster} is not up` };
  process.kill(running.pid, 'SIGTERM');
  const begun = performance.now();
  while (performance.now() - begun < STOP_LIMIT_MS) {
    if (startTicksOf(running.pid) !== running.startTicks)
      return { status: 0, message: `cluster ${config.cluster} is down` };
    await sleep(LOOK_MS);
  }
  return {
    status: 1,
    message: `process ${running.pid} has not stopped cluster ${config.cluster} within ${STOP_LIMIT_MS / 1_000} s`,
  };
};
