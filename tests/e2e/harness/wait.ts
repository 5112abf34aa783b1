import { setTimeout as pause } from 'node:timers/promises';

const LIMIT_MS = 60_000;
const INTERVAL_MS = 50;

export interface WaitOptions {
  readonly limitMs?: number | undefined;
  readonly intervalMs?: number | undefined;
  /** Added to the error when it was in vain. */
  readonly explain?: (() => string) | undefined;
}

/** Looks until it is so; the limit is generous, for nothing is shown by being just in time. */
export const waitUntil = async (
  what: string,
  look: () => boolean | Promise<boolean>,
  { limitMs = LIMIT_MS, intervalMs = INTERVAL_MS, explain }: WaitOptions = {},
): Promise<void> => {
  const end = performance.now() + limitMs;
  while (!(await look())) {
    if (performance.now() > end)
      throw new Error(`waited ${limitMs} ms in vain for ${what}\n${explain?.() ?? ''}`);
    await pause(intervalMs);
  }
};

/** The same for something that is found. */
export const waitFor = async <T>(
  what: string,
  look: () => T | undefined | Promise<T | undefined>,
  options: WaitOptions = {},
): Promise<T> => {
  let found: T | undefined;
  await waitUntil(
    what,
    async () => {
      found = await look();
      return found !== undefined;
    },
    options,
  );
  if (found === undefined) throw new Error(`nothing was found: ${what}`);
  return found;
};
