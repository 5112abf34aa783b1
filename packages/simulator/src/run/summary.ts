import { formatSeconds } from '../world/journal.ts';
import type { RunResult } from './run-seed.ts';

/** One line for one run. */
export const summarise = (result: RunResult): string => {
  const { seed, violation, excuse, hash, events, faults, acknowledged, promotions } = result;
  const figures =
    `${faults} faults, ${promotions} promotions, ${acknowledged} writes acknowledged, ` +
    `${events} events, log hash ${hash}`;
  if (violation === undefined) {
    const verdict = excuse === undefined ? 'nothing wrong' : `nothing wrong, but ${excuse}`;
    return `seed ${seed}: ${verdict}; ${figures}`;
  }
  const { checker, host, at, message } = violation;
  return `seed ${seed}: ${checker} at ${formatSeconds(at).trim()}: ${host} ${message}; ${figures}`;
};
