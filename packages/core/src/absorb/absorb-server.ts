import { type Instant, after } from '../model/instant.ts';
import type { ServerExit, ServerProbe, ServerProcess } from '../model/server.ts';
import { absorbSyncEnd, absorbSyncProbe } from './absorb-sync.ts';
import { freshRejoin } from '../model/rejoin.ts';
import { freshWaiting } from '../replication/waiting.ts';
import { beginVacating } from '../model/vacating.ts';
import type { Draft } from '../state.ts';
import { writeDeadline } from '../view/failsafe.ts';
import { isRestarting } from '../view/pause.ts';
import { absorbPostmaster } from './absorb-schedules.ts';
import { absorbDrained, absorbInterruption, absorbUnpromised } from './absorb-unpromised.ts';
import { absorbBackAgain, absorbStopped, forgetSuspension } from './absorb-operating.ts';

/**
 * Takes what the guard says of the processes, and forgets what was learnt of an earlier server.
 * Looks that are under way were at that one: whatever they answer, nobody waits for it.
 */
export const absorbProcess = (draft: Draft, process: ServerProcess): void => {
  absorbInterruption(draft, process);
  draft.lanes = { ...draft.lanes, probe: undefined, disk: undefined };
  if (process.kind !== 'running') absorbSyncEnd(draft);
  draft.process = process;
  draft.processSince = draft.now;
  draft.probe = undefined;
  draft.silentSince = undefined;
  draft.streaming = false;
  draft.accepting = false;
  draft.idleSince = undefined;
  draft.waiting = freshWaiting;
  draft.disk = undefined;
  forgetSuspension(draft);
};

/**
 * A running server was changed, in what does not make it another one: it is looked at anew at once,
 * and until then it is as fit to be promoted as before.
 */
export const lookAgain = (draft: Draft): void => {
  if (draft.probe !== undefined) draft.probe = { ...draft.probe, at: 0 as Instant };
};

/** Waits between starts that fail, by how many have failed already. */
const START_RETRY_MS: readonly number[] = [0, 500, 2_000, 5_000, 10_000, 30_000];

export const startRetryMs = (failedStarts: number): number =>
  START_RETRY_MS[Math.min(failedStarts, START_RETRY_MS.length - 1)] ?? 0;

export const countFailedStart = (draft: Draft): void => {
  const failedStarts = draft.rejoin.failedStarts + 1;
  // Its files may not be what we took them for: they are written anew before the next try.
  draft.prepared = undefined;
  const notBefore = after(draft.now, startRetryMs(failedStarts));
  draft.rejoin = { ...draft.rejoin, failedStarts, notBefore };
};

export const absorbExit = (draft: Draft, exit: ServerExit): void => {
  const { process, probe } = draft;
  if (process.kind === 'running' && process.pid !== exit.pid) return;
  // A fence has seen everything gone already: this is older news of the same server.
  if (process.kind === 'none' && process.silent) return;
  const seen = probe?.value.kind;
  const neverAnswered = seen !== 'answers' && seen !== 'refuses' && !exit.promoted;
  const asked = draft.lanes.server?.action.kind === 'stop-server';
  absorbProcess(draft, { kind: 'none', silent: false });
  absorbDrained(draft, exit);
  draft.lastExit = { value: exit, at: draft.now };
  draft.promotion = undefined;
  draft.checkpointDue = false;
  if (neverAnswered && !asked && exit.startedAs !== 'private') countFailedStart(draft);
  const wasPrimary = exit.startedAs === 'primary' || exit.promoted;
  if (exit.promoted) draft.prepared = undefined;
  const restarting = asked && isRestarting(draft);
  absorbStopped(draft, asked);
  // A primary that ended while the lease is ours leaves us the choice of what becomes of both.
  const cause = draft.leaving !== undefined && exit.code === 0 ? 'shutdown' : 'crash';
  if (restarting || !wasPrimary || draft.tenure === undefined) return;
  if (draft.now < (writeDeadline(draft) ?? draft.now))
    draft.vacating = { ...(draft.vacating ?? beginVacating(cause, draft.now)), since: draft.now };
};

export const absorbProbe = (draft: Draft, probe: ServerProbe, sentAt: Instant): void => {
  if (draft.process.kind !== 'running') return;
  draft.probe = { value: probe, at: sentAt };
  if (probe.kind === 'no-answer') {
    draft.silentSince ??= draft.now;
    return;
  }
  draft.silentSince = undefined;
  if (probe.kind !== 'answers') return;
  absorbSyncProbe(draft, probe, sentAt);
  absorbPostmaster(draft, probe);
  absorbUnpromised(draft, probe);
  draft.streaming = probe.inRecovery && probe.streaming;
  draft.accepting = !probe.inRecovery;
  const idle = probe.inRecovery && !probe.streaming;
  draft.idleSince = idle ? (draft.idleSince ?? draft.now) : undefined;
  if (!probe.inRecovery || probe.streaming) absorbBackAgain(draft);
  if (!probe.inRecovery) absorbPrimary(draft);
  else if (probe.streaming && hasTried(draft)) draft.rejoin = freshRejoin(draft.now);
};

const hasTried = ({ rejoin }: Draft): boolean =>
  rejoin.method !== 'follow' ||
  rejoin.failedStarts > 0 ||
  rejoin.failedClones > 0 ||
  rejoin.clonedForStarts;

const absorbPrimary = (draft: Draft): void => {
  const { process, promotion, vacating } = draft;
  if (hasTried(draft)) draft.rejoin = freshRejoin(draft.now);
  // Back in place: nothing is being vacated any more.
  const isBack = vacating?.cause === 'crash' || vacating?.cause === 'cannot-start';
  if (process.kind === 'running' && (isBack || vacating?.givenUp === true))
    draft.vacating = undefined;
  if (promotion?.stage !== 'signalled') return;
  draft.promotion = undefined;
  draft.checkpointDue = true;
};
