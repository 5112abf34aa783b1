/** Times as people write them, and Patroni's `scheduled_restart`, which waits for one. */
import {
  type RestartConditions,
  type Schedule,
  type ScheduledRestart,
  type WallTime,
  wallTime,
} from '@matriarch/core';
import type { ExactJson, ExactJsonObject } from '../json/exact-json.ts';
import { asBoolean, asObject, asText, isObject } from '../json/read-json.ts';

export type ParsedSchedule =
  /** `text` says it as Patroni writes it, in the time zone that was given. */
  | { readonly kind: 'at'; readonly at: WallTime; readonly text: string }
  | { readonly kind: 'no-time-zone' }
  | { readonly kind: 'unreadable' };

const ISO_TIME = new RegExp(
  [
    /^\s*(\d{4}-\d{2}-\d{2})/, // date
    /[T ](\d{2}:\d{2})(:\d{2})?(?:\.(\d{1,9}))?/, // time
    /\s*(Z|UTC|[+-]\d{2}(?::?\d{2})?)?\s*$/, // zone
  ]
    .map(({ source }) => source)
    .join(''),
  'i',
);

/**
 * Reads ISO 8601, with a space for the `T` if one likes. Without a time zone it would mean another
 * moment on every host.
 */
export const parseSchedule = (text: string): ParsedSchedule => {
  const match = ISO_TIME.exec(text);
  if (match === null) return { kind: 'unreadable' };
  const [, date = '', minutes = '', seconds = ':00', fraction = '', zone] = match;
  const time = `${date}T${minutes}${seconds}`;
  if (!isOnCalendar(time)) return { kind: 'unreadable' };
  if (zone === undefined) return { kind: 'no-time-zone' };
  const offset = offsetOf(zone);
  const milliseconds = Date.parse(`${time}.${fraction.padEnd(3, '0').slice(0, 3)}${offset}`);
  if (Number.isNaN(milliseconds)) return { kind: 'unreadable' };
  const rest = fraction.padEnd(6, '0').slice(0, 6);
  const said = `${time}${/[1-9]/.test(rest) ? `.${rest}` : ''}${offset}`;
  return { kind: 'at', at: wallTime(milliseconds), text: said };
};

/** The 30th of February is taken for a day of March otherwise. */
const isOnCalendar = (time: string): boolean => {
  const milliseconds = Date.parse(`${time}Z`);
  return !Number.isNaN(milliseconds) && new Date(milliseconds).toISOString().startsWith(time);
};

const offsetOf = (zone: string): string => {
  if (/^(?:z|utc)$/i.test(zone)) return '+00:00';
  const [, sign = '+', hours = '00', minutes = '00'] = /^([+-])(\d{2}):?(\d{2})?$/.exec(zone) ?? [];
  return `${sign}${hours}:${minutes}`;
};

/** As somebody has written it into the store, good or not. */
export const decodeSchedule = (text: string): Schedule => {
  const parsed = parseSchedule(text);
  return { text, at: parsed.kind === 'at' ? parsed.at : undefined };
};

/** What everybody is shown of a restart that waits; the member's key has more. */
export const encodeScheduledRestart = (
  restart: ScheduledRestart | undefined,
): ExactJsonObject | undefined => {
  if (restart === undefined) return undefined;
  const { schedule, conditions, limitMs } = restart;
  return {
    schedule: schedule.text,
    role: conditions.role,
    postgres_version: conditions.postgresVersion,
    restart_pending: conditions.pendingOnly || undefined,
    timeout: limitMs === undefined ? undefined : limitMs / 1_000,
  };
};

export const encodeOwnScheduledRestart = (
  restart: ScheduledRestart | undefined,
): ExactJsonObject | undefined =>
  restart && {
    ...encodeScheduledRestart(restart),
    postmaster_start_time: restart.postmasterStartedAt,
  };

const ROLES: readonly NonNullable<RestartConditions['role']>[] = [
  'primary',
  'standby_leader',
  'replica',
];

export const decodeScheduledRestart = (
  value: ExactJson | undefined,
): ScheduledRestart | undefined => {
  const restart = asObject(value);
  const text = asText(restart['schedule']);
  if (!isObject(value) || text === undefined) return undefined;
  const timeout = Number(restart['timeout'] ?? Number.NaN);
  return {
    schedule: decodeSchedule(text),
    conditions: {
      role: ROLES.find((role) => role === restart['role']),
      postgresVersion: asText(restart['postgres_version']),
      pendingOnly: asBoolean(restart['restart_pending']) === true,
    },
    limitMs: timeout > 0 ? Math.round(timeout * 1_000) : undefined,
    postmasterStartedAt: asText(restart['postmaster_start_time']),
  };
};
