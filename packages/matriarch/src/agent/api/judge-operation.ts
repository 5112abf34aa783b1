/** Restarts and new clones as they are asked for: refused where nothing can come of them. */
import {
  type Json,
  type JsonObject,
  type MemberState,
  type RestartConditions,
  type Schedule,
  assembleView,
  isStillStarting,
  meansYes,
  parseServerVersion,
  whyNotMeant,
} from '@matriarch/core';
import { judgeSchedule } from './judge-schedule.ts';
import { type Reply, textReply } from './reply.ts';

/** What a restart is asked for with, read. */
export interface RestartOrder {
  readonly conditions: RestartConditions;
  readonly limitMs: number | undefined;
  /** Undefined: now. */
  readonly schedule: Schedule | undefined;
}

const ROLES = ['primary', 'standby_leader', 'replica'] as const;

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

type Reader = (value: Json, order: RestartOrder) => RestartOrder | Reply;

const readers = (wallClockMs: number): Readonly<Record<string, Reader>> => ({
  schedule: (value, order) => {
    const schedule = judgeSchedule(textOf(value), 'restart', wallClockMs);
    return 'status' in schedule ? schedule : { ...order, schedule };
  },
  role: (value, order) => {
    const role = ROLES.find((known) => known === value);
    return role === undefined
      ? textReply(400, 'PostgreSQL role should be either primary, standby_leader, or replica')
      : { ...order, conditions: { ...order.conditions, role } };
  },
  postgres_version: (value, order) => {
    const postgresVersion = textOf(value);
    return parseServerVersion(postgresVersion) === undefined
      ? textReply(
          400,
          `Invalid PostgreSQL version format: X.Y or X.Y.Z is accepted: ${postgresVersion}`,
        )
      : { ...order, conditions: { ...order.conditions, postgresVersion } };
  },
  timeout: (value, order) => {
    const seconds = secondsOf(value);
    return seconds === undefined
      ? textReply(400, 'Timeout should be a positive number of seconds')
      : { ...order, limitMs: Math.ceil(seconds * 1_000) };
  },
  restart_pending: (value, order) => ({
    ...order,
    conditions: { ...order.conditions, pendingOnly: meansYes(value) },
  }),
});

const NO_CONDITIONS: RestartOrder = {
  conditions: { pendingOnly: false },
  limitMs: undefined,
  schedule: undefined,
};

/** Reads what is asked for: the first thing that is wrong is told, in Patroni's sentence. */
export const readRestartOrder = (
  body: JsonObject,
  { paused, wallClockMs }: { readonly paused: boolean; readonly wallClockMs: number },
): RestartOrder | Reply => {
  const isGiven = (value: Json | undefined): value is Json => value !== undefined && value !== null;
  if (paused && isGiven(body['schedule']))
    return textReply(500, "Can't schedule restart in the paused state");
  const known = readers(wallClockMs);
  let order = NO_CONDITIONS;
  for (const [key, value] of Object.entries(body)) {
    const reader = Object.hasOwn(known, key) ? known[key] : undefined;
    if (reader === undefined)
      return textReply(400, `Unknown filter for the scheduled restart: ${key}`);
    if (!isGiven(value)) continue;
    const read = reader(value, order);
    if ('status' in read) return read;
    order = read;
  }
  return order;
};

/** Why a restart cannot be now; undefined: it may be asked for. */
export const judgeRestart = (state: MemberState, order: RestartOrder): Reply | undefined => {
  const busy = whyBusy(state);
  if (busy !== undefined) return busy;
  const view = assembleView(state);
  if (isStillStarting(view)) return textReply(503, 'postgres is still starting');
  return whyNotMeant(view, order.conditions) === undefined
    ? undefined
    : textReply(503, 'restart conditions are not satisfied');
};

/** Undefined: it may be asked for. */
export const judgeReinitialize = (state: MemberState): Reply | undefined => {
  const { holder } = assembleView(state);
  if (holder === undefined) return textReply(503, 'Cluster has no leader, can not reinitialize');
  if (holder.isMe) return textReply(503, 'I am the leader, can not reinitialize');
  return whyBusy(state);
};
