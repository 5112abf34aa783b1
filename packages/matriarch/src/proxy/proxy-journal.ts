/** The proxy's part of a story: where it sent whom, and when. `matriarch explain` reads it. */
import { ROUTES_MOVED, ROUTES_NOT_MOVED } from './move-routes.ts';
import type { Attributes, Log } from './ports/log.ts';

/** The message of the log that tells of it, and the event it is in the journal. */
const TOLD: Readonly<Record<string, string>> = {
  [ROUTES_MOVED]: 'routes.moved',
  [ROUTES_NOT_MOVED]: 'routes.not-moved',
};

const flat = (value: unknown): unknown => (Array.isArray(value) ? value.join(', ') : value);

/** A log whose lines about routes also go to `append`, as lines of a journal. */
export const tellRoutes = (log: Log, append: (line: object) => void): Log => {
  const note = (level: string, details: Attributes, message: string): void => {
    const event = TOLD[message];
    if (event === undefined) return;
    const { elapsedMs: tookMs, ...rest } = details;
    const told = Object.entries(rest).map(([key, value]) => [key, flat(value)] as const);
    append({ event, level, tookMs, ...Object.fromEntries(told) });
  };
  return {
    info: (details, message) => {
      log.info(details, message);
      note('info', details, message);
    },
    warn: (details, message) => {
      log.warn(details, message);
      note('warn', details, message);
    },
    error: (details, message) => log.error(details, message),
  };
};
