/** How what waits for a time stands to now. */
import { type Instant, after, elapsedMs } from '../model/instant.ts';
import type { Policy } from '../model/policy.ts';
import type { Schedule, WallTime } from '../model/schedule.ts';
import type { FailoverDocument, StoreSnapshot } from '../model/store.ts';
import type { MemberState } from '../state.ts';

/** So late it may begin; what could not begin by then was not to happen any more, as in Patroni. */
export const lateLimitMs = ({ loopWaitMs }: Policy): number =>
  Math.floor((loopWaitMs * 1.5) / 1_000) * 1_000;

/** The wall clock now, gone on like the boot clock since it was told; undefined: it never was. */
export const wallNow = ({
  schedules: { clock },
  now,
}: Pick<MemberState, 'schedules' | 'now'>): WallTime | undefined =>
  clock === undefined ? undefined : ((clock.value + elapsedMs(clock.at, now)) as WallTime);

/** When that time comes, if nobody sets the wall clock; undefined: it has come, or is not known. */
export const awaitedAt = (state: MemberState, { at }: Schedule): Instant | undefined => {
  const wall = wallNow(state);
  return wall === undefined || at === undefined || at <= wall
    ? undefined
    : after(state.now, at - wall);
};

/** The request for a switchover or failover that counts now: one with a time waits for it. */
export const requestNow = (store: StoreSnapshot | undefined): FailoverDocument | undefined => {
  const request = store?.failover?.value;
  if (request?.leader === undefined && request?.member === undefined) return undefined;
  return request.scheduledAt === undefined ? request : undefined;
};
