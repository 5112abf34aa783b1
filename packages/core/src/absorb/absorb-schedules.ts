/** The wall clock, and what waits for a time on it. */
import { type Instant, after } from '../model/instant.ts';
import { withAnswer } from '../model/operating.ts';
import type { ScheduleRequest } from '../model/request.ts';
import type { Schedule, WallTime } from '../model/schedule.ts';
import { withoutRestart } from '../model/schedules.ts';
import type { ServerProbe } from '../model/server.ts';
import type { StoreSnapshot } from '../model/store.ts';
import type { Draft } from '../state.ts';
import { wallNow } from '../view/schedules.ts';

/** How the wall clock stands now. What was known and is due has become so since the last look. */
export const absorbWallClock = (draft: Draft, clock: WallTime | undefined): void => {
  const lookedAt = draft.schedules.clock?.at;
  if (clock !== undefined)
    draft.schedules = { ...draft.schedules, clock: { value: clock, at: draft.now } };
  absorbDue(draft, lookedAt);
};

/** What this step has brought may be due already, for as long as its time has passed. */
export const absorbNewSchedules = (draft: Draft): void => absorbDue(draft, undefined);

const absorbDue = (draft: Draft, lookedAt: Instant | undefined): void => {
  const { restart, restartDueAt, switchoverDue } = draft.schedules;
  if (restart !== undefined && restartDueAt === undefined) {
    const since = dueSince(draft, restart.schedule, lookedAt);
    if (since !== undefined) draft.schedules = { ...draft.schedules, restartDueAt: since };
  }
  const failover = draft.snapshot?.value.failover;
  const schedule = failover?.value.scheduledAt;
  if (failover === undefined || schedule === undefined) return;
  const revision = failover.modRevision;
  if (switchoverDue?.revision === revision) return;
  const since = dueSince(draft, schedule, lookedAt);
  if (since !== undefined)
    draft.schedules = { ...draft.schedules, switchoverDue: { revision, since } };
};

/** Set forward, a wall clock makes nothing late: at the last look it was not due yet. */
const dueSince = (
  draft: Draft,
  { at }: Schedule,
  lookedAt: Instant | undefined,
): Instant | undefined => {
  const wall = wallNow(draft);
  if (wall === undefined || at === undefined || wall < at) return undefined;
  const since = after(draft.now, at - wall);
  return lookedAt === undefined || since > lookedAt ? since : lookedAt;
};

/** One at a time: whoever comes second is told so. */
export const absorbScheduleRequest = (draft: Draft, request: ScheduleRequest): void => {
  const { id } = request;
  const { restart } = draft.schedules;
  const answer = (kind: 'done' | 'refused', because: string): void => {
    draft.operating = withAnswer(draft.operating, { id, kind, because });
  };
  if (request.kind === 'cancel-restart') {
    if (restart === undefined) return answer('refused', 'no restarts are scheduled');
    draft.schedules = withoutRestart(draft.schedules);
    return answer('done', 'scheduled restart deleted');
  }
  if (restart !== undefined) return answer('refused', 'Another restart is already scheduled');
  const postmasterStartedAt = startOf(draft.probe?.value);
  draft.schedules = { ...draft.schedules, restart: { ...request.restart, postmasterStartedAt } };
  answer('done', 'Restart scheduled');
};

/** What a loop before this one was asked for is in our key still: whoever asked relies on it. */
export const absorbFoundSchedule = (draft: Draft, { members }: StoreSnapshot): void => {
  const own = members[draft.self.name]?.value;
  if (draft.snapshot !== undefined || draft.schedules.restart !== undefined) return;
  if (own?.ours === true && own.scheduledRestart?.schedule.at !== undefined)
    draft.schedules = { ...draft.schedules, restart: own.scheduledRestart };
};

/** The server that answers is the one that is to be restarted, when none was known before. */
export const absorbPostmaster = (draft: Draft, probe: ServerProbe): void => {
  const { restart } = draft.schedules;
  if (restart === undefined || restart.postmasterStartedAt !== undefined) return;
  const postmasterStartedAt = startOf(probe);
  if (postmasterStartedAt !== undefined)
    draft.schedules = { ...draft.schedules, restart: { ...restart, postmasterStartedAt } };
};

const startOf = (probe: ServerProbe | undefined): string | undefined =>
  probe?.kind === 'answers' ? probe.startedAt : undefined;
