import type { Instant } from './instant.ts';
import type { ScheduledRestart, WallTime } from './schedule.ts';
import type { Seen } from './server.ts';
import type { Revision } from './store.ts';

/**
 * What this member waits for by the wall clock. Once something is due it is due since an instant of
 * the boot clock: a wall clock that is set back afterwards does not make it due a second time.
 */
export interface Schedules {
  /** The wall clock as it was told last. */
  readonly clock: Seen<WallTime> | undefined;
  readonly restart: ScheduledRestart | undefined;
  readonly restartDueAt: Instant | undefined;
  /** The request of this revision of `failover` is due. */
  readonly switchoverDue: { readonly revision: Revision; readonly since: Instant } | undefined;
}

export const noSchedules: Schedules = {
  clock: undefined,
  restart: undefined,
  restartDueAt: undefined,
  switchoverDue: undefined,
};

/** Without the restart: it has begun, was taken back, or is dropped. */
export const withoutRestart = (schedules: Schedules): Schedules => ({
  ...schedules,
  restart: undefined,
  restartDueAt: undefined,
});
