import { type RestartConditions, parseServerVersion } from '../model/schedule.ts';
import type { View } from './view.ts';

/** It runs and has not answered yet. One that leaves a question unanswered is another matter. */
export const isStillStarting = ({ server, state: { process, probe } }: View): boolean =>
  process.kind === 'running' && server === undefined && probe?.value.kind !== 'no-answer';

/** Why this server is none of those that a restart is meant for; undefined: it is. */
export const whyNotMeant = (
  { server, writable }: View,
  { role, postgresVersion, pendingOnly }: RestartConditions,
): string | undefined => {
  const is = (server === undefined ? writable : !server.inRecovery) ? 'primary' : 'replica';
  if (role !== undefined && role !== is) return `the server is no ${role}`;
  if (pendingOnly && server?.pendingRestart !== true) return 'no setting waits for a restart';
  if (postgresVersion === undefined) return undefined;
  const limit = parseServerVersion(postgresVersion) ?? 0;
  return server !== undefined && server.serverVersion < limit
    ? undefined
    : `the server is not older than ${postgresVersion}`;
};
