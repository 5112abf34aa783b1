/** Anything that waits for a time, and any time. */
import * as fc from 'fast-check';
import { elapsedMs } from '../../model/instant.ts';
import { type Schedule, type ScheduledRestart, wallTime } from '../../model/schedule.ts';
import type { Schedules } from '../../model/schedules.ts';
import type { Revision } from '../../model/store.ts';
import { NOW, anyPast, anyTime, maybe, seen } from './values.ts';

const WALL_NOW = 1_900_000_000_000;

const anyWallTime = anyTime.map((at) => wallTime(WALL_NOW + elapsedMs(NOW, at)));

export const anySchedule: fc.Arbitrary<Schedule> = maybe(anyWallTime).map((at) => ({
  text: at === undefined ? 'tonight' : String(at),
  at,
}));

const anyRestart: fc.Arbitrary<ScheduledRestart> = fc.record({
  schedule: anySchedule,
  conditions: fc.record({
    role: fc.constantFrom(undefined, 'primary' as const, 'replica' as const),
    postgresVersion: fc.constantFrom(undefined, '15.8', '15.9'),
    pendingOnly: fc.boolean(),
  }),
  limitMs: fc.constantFrom(undefined, 1_000),
  postmasterStartedAt: fc.constantFrom(undefined, '', 'earlier'),
});

/** What has become due was asked for. */
export const anySchedules: fc.Arbitrary<Schedules> = fc
  .record({
    clock: seen(anyWallTime),
    restart: maybe(anyRestart),
    restartDueAt: maybe(anyPast),
    switchoverDue: maybe(
      fc.record({
        revision: fc.constantFrom(39, 40, 41).map((revision) => revision as Revision),
        since: anyPast,
      }),
    ),
  })
  .map((schedules) =>
    schedules.restart === undefined ? { ...schedules, restartDueAt: undefined } : schedules,
  );
