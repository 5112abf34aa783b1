import { leaseMarginMs } from '@matriarch/core';
import type { Section } from '../located/section.ts';
import { parseBoolean, parseWholeSecondsMs } from '../located/parsers.ts';

/** The timing that is really used, in milliseconds, after every correction. */
export interface EffectiveTiming {
  readonly ttlMs: number;
  readonly loopWaitMs: number;
  readonly retryTimeoutMs: number;
  readonly fastLease: boolean;
}

type TimingKey = 'ttl' | 'loop_wait' | 'retry_timeout';
type Seconds = Readonly<Record<TimingKey, number>>;

const SECOND_MS = 1_000;

const defaults: Seconds = { ttl: 30, loop_wait: 10, retry_timeout: 10 };
const minimums: Seconds = { ttl: 20, loop_wait: 1, retry_timeout: 3 };

/** With our own lease mode a short ttl is safe: renewals do not wait for the loop. */
const fastMinimums: Seconds = { ttl: 5, loop_wait: 1, retry_timeout: 1 };

/** Renewals are a fifth of the ttl apart, and a store call may take two fifths. */
const fastDefaults = (ttl: number): Seconds => ({
  ttl,
  loop_wait: Math.max(1, Math.floor(ttl / 5)),
  retry_timeout: Math.max(1, Math.floor((2 * ttl) / 5)),
});

const keys: readonly TimingKey[] = ['ttl', 'loop_wait', 'retry_timeout'];

export interface TimingDefaults {
  readonly fastLease: boolean;
  /** In seconds; used with fast_lease only. */
  readonly fastTtl: number;
}

/** A patroni.yml that says nothing means what it means to Patroni. */
const asPatroni: TimingDefaults = { fastLease: false, fastTtl: defaults.ttl };

/** Reads ttl, loop_wait, retry_timeout and fast_lease; what it corrects it warns of. */
export const readTiming = (
  section: Section,
  preset: TimingDefaults = asPatroni,
): EffectiveTiming => {
  const fastLease = section.value('fast_lease', parseBoolean) ?? preset.fastLease;
  const given = new Map(keys.map((key) => [key, section.value(key, parseWholeSecondsMs)]));
  const raise = (key: TimingKey, otherwise: number): number => {
    const milliseconds = given.get(key);
    if (milliseconds === undefined) return otherwise;
    const least = (fastLease ? fastMinimums : minimums)[key];
    const seconds = milliseconds / SECOND_MS;
    if (seconds >= least) return seconds;
    section.warn(key, { message: `${seconds} is below the minimum of ${least}; ${least} is used` });
    return least;
  };
  const ttl = raise('ttl', fastLease ? preset.fastTtl : defaults.ttl);
  const otherwise = fastLease ? fastDefaults(ttl) : defaults;
  const raised: Seconds = {
    ttl,
    loop_wait: raise('loop_wait', otherwise.loop_wait),
    retry_timeout: raise('retry_timeout', otherwise.retry_timeout),
  };
  const used = fastLease ? fitFastLease(section, raised) : fitRelation(section, raised);
  return {
    ttlMs: used.ttl * SECOND_MS,
    loopWaitMs: used.loop_wait * SECOND_MS,
    retryTimeoutMs: used.retry_timeout * SECOND_MS,
    fastLease,
  };
};

/**
 * Patroni's relation, `loop_wait + 2 * retry_timeout <= ttl`, corrected as Patroni corrects it:
 * members of one cluster must come to the same figures.
 */
const fitRelation = (section: Section, seconds: Seconds): Seconds => {
  const { ttl, loop_wait: loopWait, retry_timeout: retryTimeout } = seconds;
  if (loopWait + 2 * retryTimeout <= ttl) return seconds;
  const room = ttl - 2 * retryTimeout;
  const used: Seconds =
    room >= minimums.loop_wait
      ? { ...seconds, loop_wait: room }
      : { ...seconds, loop_wait: 1, retry_timeout: Math.floor((ttl - 1) / 2) };
  const culprit = ['retry_timeout', 'loop_wait', 'ttl'].find((key) => section.has(key));
  section.warn(culprit ?? 'ttl', {
    message:
      `loop_wait ${loopWait} + 2 × retry_timeout ${retryTimeout} is more than ttl ${ttl}; ` +
      `loop_wait ${used.loop_wait} and retry_timeout ${used.retry_timeout} are used`,
  });
  return used;
};

/** A store call that begins at a renewal must end before the guard's deadline. */
const fitFastLease = (section: Section, seconds: Seconds): Seconds => {
  const { ttl, retry_timeout: retryTimeout } = seconds;
  const room = Math.floor(ttl - leaseMarginMs(ttl * SECOND_MS) / SECOND_MS - ttl / 5);
  const most = Math.max(fastMinimums.retry_timeout, room);
  if (retryTimeout <= most) return seconds;
  section.warn('retry_timeout', {
    message:
      `${retryTimeout} is too long for fast_lease with ttl ${ttl}, ` +
      `because a renewal has to end before the lease does; ${most} is used`,
  });
  return { ...seconds, retry_timeout: most };
};
