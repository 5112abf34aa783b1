/** The command line that becomes a postmaster, and what has to be so before it may. */
import { accessSync } from 'node:fs';
import { isAbsolute, join } from 'node:path';
import type { LaunchSpec } from '@matriarch/core';
import type { ServerOrder } from '../../agent/ports/guard-host.ts';
import { type DataDirectory, listServerPids } from './data-directory.ts';
import { buildPrefix, type Prefix } from './run-as.ts';

/**
 * Run by the server's user, it becomes postgres by exec, so pid and parent stay what they are.
 *
 * - The parent-death signal is set after the fork. A guard that died in between would never be
 *   noticed, so whoever is not the guard's child any more does not start.
 * - The working directory is the data directory before postgres is there: so a fence knows it.
 * - The log is opened with the server's rights and not with root's, for its directory is the
 *   server's and could hold a link to anywhere.
 */
const SCRIPT = [
  'guard=$1 directory=$2 log=$3',
  'shift 3',
  '[ "$PPID" = "$guard" ] || exit 75',
  'umask 077',
  'cd -- "$directory" && exec "$@" >>"$log" 2>&1',
].join('\n');

export const buildLaunch = (launch: LaunchSpec): Prefix => {
  const prefix = buildPrefix({ user: launch.user, deathSignal: 'QUIT' });
  if (prefix.kind === 'impossible') return prefix;
  const { dataDirectory, logFile, command } = launch;
  const script = ['/bin/sh', '-c', SCRIPT, 'matriarch', String(process.pid)];
  const argv = [...script, dataDirectory, logFile, command, ...launch.arguments];
  return { kind: 'prefix', argv: [...prefix.argv, ...argv] };
};

const exists = (path: string): boolean => {
  try {
    accessSync(path);
    return true;
  } catch {
    return false;
  }
};

/** Why this server must not be started now; undefined when it may. */
export const findObjection = (order: ServerOrder, directory: DataDirectory): string | undefined => {
  const { dataDirectory, logFile } = order.launch;
  if (!isAbsolute(dataDirectory) || !isAbsolute(logFile))
    return `paths must be absolute: ${dataDirectory}, ${logFile}`;
  const { found, hidden } = listServerPids(directory);
  if (found.length > 0)
    return `processes of ${dataDirectory} are still alive, pids ${found.join(', ')}: fence first`;
  if (hidden.length > 0)
    return `cannot see whether pids ${hidden.join(', ')} belong to ${dataDirectory}`;
  // Without the file it would come up as a primary, and no deadline would end it.
  if (order.as === 'standby' && !exists(join(dataDirectory, 'standby.signal')))
    return `there is no standby.signal in ${dataDirectory}: it would start as a primary`;
  return undefined;
};
