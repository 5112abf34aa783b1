/** What is known, and wanted, of the roles and databases whose commits wait for a standby. */
import type { Instant } from '../model/instant.ts';
import {
  WAITING_VALUE,
  type Waiter,
  type WaiterReport,
  type WaitingPolicy,
  type WaitingSetting,
  waitersOf,
} from '../model/waiting.ts';

export interface WaitingState {
  /** Which names the last look was for; undefined: not looked yet, or the look failed. */
  readonly asked: WaitingPolicy | undefined;
  /** Of those names, and of whatever else carries our mark. */
  readonly settings: readonly WaitingSetting[];
  readonly lookAt: Instant;
  /** When settings were last changed for these names; undefined: not yet. */
  readonly changedAt: Instant | undefined;
}

export const freshWaiting: WaitingState = {
  asked: undefined,
  settings: [],
  lookAt: 0 as Instant,
  changedAt: undefined,
};

export interface WaitingChange {
  readonly set: readonly Waiter[];
  readonly reset: readonly Waiter[];
}

const isSame = (a: Waiter, b: Waiter): boolean => a.kind === b.kind && a.name === b.name;

const waiterOf = ({ kind, name }: Waiter): Waiter => ({ kind, name });

/**
 * What is to be changed on the server; undefined: nothing. A setting without our mark is somebody
 * else's: it is neither changed nor taken away.
 */
export const planWaiting = (
  settings: readonly WaitingSetting[],
  policy: WaitingPolicy,
): WaitingChange | undefined => {
  const wanted = waitersOf(policy);
  const isWanted = (setting: Waiter): boolean => wanted.some((waiter) => isSame(waiter, setting));
  const set = settings.filter(
    (setting) =>
      isWanted(setting) &&
      (setting.marked ? setting.value !== WAITING_VALUE : setting.value === undefined),
  );
  const reset = settings.filter((setting) => setting.marked && !isWanted(setting));
  if (set.length === 0 && reset.length === 0) return undefined;
  return { set: set.map(waiterOf), reset: reset.map(waiterOf) };
};

/** PostgreSQL's words for waiting until a standby has the commit on its disk, or shows it. */
const WAITING_WORDS: readonly string[] = ['on', 'true', 'yes', '1', 'remote_apply'];

const stateOf = (
  waiter: Waiter,
  settings: readonly WaitingSetting[],
): Pick<WaiterReport, 'state' | 'value'> => {
  const setting = settings.find((one) => isSame(one, waiter));
  if (setting === undefined) return { state: 'missing' };
  const { value, marked, canConnect } = setting;
  const waits = value !== undefined && WAITING_WORDS.includes(value.toLowerCase());
  if (!waits && !marked && value !== undefined) return { state: 'set-otherwise', value };
  if (!waits) return { state: 'not-yet' };
  return { state: canConnect ? 'waits' : 'no-sessions' };
};

/** How far it has come with each that the policy names, in the policy's order. */
export const reportWaiting = (
  settings: readonly WaitingSetting[],
  policy: WaitingPolicy,
): readonly WaiterReport[] =>
  waitersOf(policy).map((waiter) => ({ ...waiter, ...stateOf(waiter, settings) }));
