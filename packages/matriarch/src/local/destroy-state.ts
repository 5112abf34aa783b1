/** Removes everything a local cluster has left, when nothing of it runs. */
import { rmSync } from 'node:fs';
import { localPaths } from './directories.ts';
import { endLeftovers } from './end-leftovers.ts';
import { findRunningUp } from './up-lock.ts';

/** Undefined when it is gone, else why it stays. */
export const destroyState = async (state: string): Promise<string | undefined> => {
  const paths = localPaths(state);
  const running = findRunningUp(paths.lock);
  if (running !== undefined && running.pid !== process.pid)
    return `the cluster in ${state} is up (process ${running.pid}): stop it first`;
  const { remaining } = await endLeftovers(paths);
  if (remaining.length > 0)
    return `processes ${remaining.join(', ')} of ${state} cannot be ended: end them first`;
  rmSync(paths.state, { recursive: true, force: true });
  rmSync(paths.sockets, { recursive: true, force: true });
  return undefined;
};
