import type { CancelledWaits } from '@matriarch/core';
import { type Answer, attempt, codeOf } from './answer.ts';
import type { PostgresContext } from './context.ts';
import { followLog, type LogPlace } from './follow-log.ts';
import { readLogPlace, writeLogPlace } from './log-place.ts';
import { askLogSettings, findServerLog, whyBlind } from './server-log.ts';

/** How often a server is asked what it writes into its log. */
const SETTINGS_MS = 60_000;
/** How far a place may be behind on disk: that much is read again by the next loop, for nothing. */
const KEEP_EVERY_BYTES = 8 * 1024 * 1024;

export interface CancelCounter {
  /** What the log of the server with this postmaster says that was not counted before. */
  readonly count: (pid: number) => Promise<Answer<CancelledWaits>>;
}

/** Counts commits whose wait was cancelled, from the server's log. One call at a time. */
export const createCancelCounter = (context: PostgresContext): CancelCounter => {
  const settings = createBlindness(context);
  const places = createPlaces(context);
  const look = (pid: number): Promise<Answer<CancelledWaits>> =>
    attempt('look at the log of the server', async () => {
      const blind = await settings.whyBlind(pid);
      const found = await findServerLog(context, pid);
      if (found.kind === 'none') return { kind: 'done', ...nothing, blind: blind ?? found.cause };
      const followed = await followLog(found.log, await places.read());
      const { cancelled, terminated, isBehind, skippedBytes } = followed;
      await places.keep(followed.place, cancelled + terminated > 0);
      const skipped =
        skippedBytes === 0 ? undefined : `${skippedBytes} bytes of log were too much to be read`;
      return { kind: 'done', cancelled, terminated, isBehind, blind: blind ?? skipped };
    });
  return {
    count: async (pid) => {
      const answer = await look(pid);
      // A log that cannot be read is no passing fault: it is told of once, like any other reason.
      return answer.kind === 'done' ? answer : { kind: 'done', ...nothing, blind: answer.cause };
    },
  };
};

const nothing = { cancelled: 0, terminated: 0, isBehind: false };

/** Asked now and then; a server that does not answer has changed nothing. */
const createBlindness = (context: PostgresContext) => {
  let known: { readonly pid: number; readonly atMs: number; readonly why: string | undefined } = {
    pid: 0,
    atMs: 0,
    why: undefined,
  };
  return {
    whyBlind: async (pid: number): Promise<string | undefined> => {
      const nowMs = performance.now();
      if (known.pid === pid && nowMs - known.atMs < SETTINGS_MS) return known.why;
      const answer = await askLogSettings(context);
      const why = answer === undefined ? known.why : whyBlind(answer);
      known = { pid, atMs: nowMs, why };
      return why;
    },
  };
};

/**
 * What has been counted is on disk before it is told. A disk that takes nothing keeps nobody from
 * counting: at worst a later loop counts again.
 */
const createPlaces = (context: PostgresContext) => {
  let place: LogPlace | undefined;
  let kept: LogPlace | undefined;
  let isLoaded = false;
  return {
    read: async (): Promise<LogPlace | undefined> => {
      if (!isLoaded) {
        place = await readLogPlace(context);
        kept = place;
        isLoaded = true;
      }
      return place;
    },
    keep: async (now: LogPlace, isCounted: boolean): Promise<void> => {
      place = now;
      const isNear =
        kept?.file === now.file &&
        kept.isStopping === now.isStopping &&
        now.offset >= kept.offset &&
        now.offset - kept.offset < KEEP_EVERY_BYTES;
      if (isNear && !isCounted) return;
      try {
        await writeLogPlace(context, now);
        kept = now;
      } catch (error) {
        if (codeOf(error) === undefined) throw error;
      }
    },
  };
};
