/** Removes everything a local cluster has left, when nothing of it runs. */
import { existsSync, rmSync } from 'node:fs';
import { localPaths } from './directories.ts';
import { findRunningUp } from './up-lock.ts';

/** Undefined when it is gone, else why it stays. */
export const destroyState = async (state: string): Promise<string | undefined> => {
  const paths = localPaths(state);
  const running = findRunningUp(paths.lock);
  if (running !== undefined && running.pid !== process.pid)
    return `the cluster in ${state} is up (process ${running.pid}): stop it first`;
  if (existsSync(paths.state)) rmSync(paths.state, { recursive: true, force: true });
  rmSync(paths.sockets, { recursive: true, force: true });
  return undefined;
};
