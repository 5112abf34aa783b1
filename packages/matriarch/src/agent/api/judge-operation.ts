/** Restarts and new clones as they are asked for: refused where nothing can come of them. */
import {
  type Json,
  type JsonObject,
  type MemberState,
  type View,
  assembleView,
  meansYes,
} from '@matriarch/core';
import { type Reply, refuse, textReply } from './reply.ts';

/** What a restart is asked for with, read and found possible. */
export interface RestartOrder {
  readonly limitMs: number | undefined;
}

const FILTERS = new Set(['schedule', 'role', 'postgres_version', 'timeout', 'restart_pending']);
const ROLES = new Set(['primary', 'standby_leader', 'replica']);
const VERSION = /^(\d+)\.(\d+)(?:\.(\d+))?$/;

/** Work that changes the data directory, in the words of the answer. */
const JOBS: Readonly<Record<string, string>> = {
  clone: 'creating replica',
  rewind: 'pg_rewind',
  initialise: 'bootstrap',
  'install-data': 'creating replica',
  promote: 'promote',
};

/** What this member is at, so that nothing else can begin. */
const whyBusy = ({ operating, lanes }: MemberState): Reply | undefined => {
  const acting = lanes.server?.action.kind;
  const word = operating.operation?.request.kind ?? JOBS[acting ?? ''];
  return word === undefined ? undefined : textReply(503, `${word} already in progress`);
};

/** Seconds, as a number or as digits; undefined: nothing of the kind. */
const secondsOf = (value: unknown): number | undefined => {
  const seconds = typeof value === 'string' && value.trim() !== '' ? Number(value) : value;
  return typeof seconds === 'number' && Number.isFinite(seconds) && seconds > 0
    ? seconds
    : undefined;
};

/** As it stands in the answer. */
const textOf = (value: Json): string => (typeof value === 'string' ? value : JSON.stringify(value));

/** As PostgreSQL counts: 15.8 is 150008, 9.6.24 is 90624. */
const versionNumber = (text: string): number | undefined => {
  const match = VERSION.exec(text);
  if (match === null) return undefined;
  const [major, minor, patch] = match.slice(1).map((part) => Number(part ?? Number.NaN));
  if (major === undefined || minor === undefined) return undefined;
  if (patch === undefined || Number.isNaN(patch))
    return major >= 10 ? major * 10_000 + minor : undefined;
  return major * 10_000 + minor * 100 + patch;
};

const whyMalformed = (body: JsonObject, paused: boolean): Reply | undefined => {
  for (const [key, value] of Object.entries(body)) {
    if (!FILTERS.has(key))
      return textReply(400, `Unknown filter for the scheduled restart: ${key}`);
    if (value === null) continue;
    const text = textOf(value);
    if (key === 'role' && !ROLES.has(text))
      return textReply(400, 'PostgreSQL role should be either primary, standby_leader, or replica');
    if (key === 'postgres_version' && versionNumber(text) === undefined)
      return textReply(400, `Invalid PostgreSQL version format: X.Y or X.Y.Z is accepted: ${text}`);
    if (key === 'timeout' && secondsOf(value) === undefined)
      return textReply(400, 'Timeout should be a positive number of seconds');
    if (key !== 'schedule') continue;
    if (paused) return textReply(500, "Can't schedule restart in the paused state");
    return refuse(
      'not-built-yet',
      'a restart cannot be scheduled yet; ask for it without a time when it is to happen',
    );
  }
  return undefined;
};

/** Whether this server is one of those that are meant. */
const meetsConditions = ({ server, writable }: View, body: JsonObject): boolean => {
  const { role, postgres_version: version, restart_pending: pending } = body;
  const isPrimary = server === undefined ? writable : !server.inRecovery;
  if (typeof role === 'string' && (role === 'primary') !== isPrimary) return false;
  if (meansYes(pending) && server?.pendingRestart !== true) return false;
  if (typeof version !== 'string') return true;
  return server !== undefined && server.serverVersion < (versionNumber(version) ?? 0);
};

export const judgeRestart = (
  state: MemberState,
  body: JsonObject,
  { paused }: { readonly paused: boolean },
): RestartOrder | Reply => {
  const malformed = whyMalformed(body, paused);
  if (malformed !== undefined) return malformed;
  const busy = whyBusy(state);
  if (busy !== undefined) return busy;
  const view = assembleView(state);
  const { process, probe } = state;
  if (process.kind === 'running' && view.server === undefined && probe?.value.kind !== 'no-answer')
    return textReply(503, 'postgres is still starting');
  if (!meetsConditions(view, body)) return textReply(503, 'restart conditions are not satisfied');
  const seconds = secondsOf(body['timeout']);
  return { limitMs: seconds === undefined ? undefined : Math.ceil(seconds * 1_000) };
};

/** Undefined: it may be asked for. */
export const judgeReinitialize = (state: MemberState): Reply | undefined => {
  const { holder } = assembleView(state);
  if (holder === undefined) return textReply(503, 'Cluster has no leader, can not reinitialize');
  if (holder.isMe) return textReply(503, 'I am the leader, can not reinitialize');
  return whyBusy(state);
};
