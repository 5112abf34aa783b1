import type { TimedInput } from '../model/input.ts';
import type { Instant } from '../model/instant.ts';
import { freshRejoin } from '../model/rejoin.ts';
import type { Draft } from '../state.ts';
import { absorbBridgeTime, absorbFoundPromise } from './absorb-failsafe.ts';
import { absorbHelloOfOperating, absorbRequest } from './absorb-operating.ts';
import { absorbOutcome } from './absorb-outcome.ts';
import { absorbNewSchedules, absorbWallClock } from './absorb-schedules.ts';
import { absorbExit, absorbProcess } from './absorb-server.ts';

/** Turns whatever happened into facts. Nothing is decided here. */
export const absorbInput = (draft: Draft, input: TimedInput): void => {
  absorbWallClock(draft, input.wallClock);
  absorbEvent(draft, input);
  absorbBridgeTime(draft);
  absorbNewSchedules(draft);
};

const absorbEvent = (draft: Draft, input: TimedInput): void => {
  switch (input.kind) {
    case 'tick':
      return;
    case 'promise-found':
      return absorbFoundPromise(draft, input.promise);
    case 'guard-hello':
      return absorbHello(draft, input);
    case 'server-exited':
      return absorbExit(draft, input.exit);
    case 'guard-fenced':
      return absorbGuardFence(draft, input.silent);
    case 'store-changed':
      draft.snapshotStale = true;
      return;
    case 'server-changed':
      draft.probe = undefined;
      return;
    case 'outcome':
      return absorbOutcome(draft, input.outcome);
    case 'job-progress':
      draft.job = input.progress;
      return;
    case 'policy-changed':
      draft.policy = input.policy;
      return;
    case 'tags-changed':
      draft.self = { ...draft.self, tags: input.tags };
      return;
    case 'request':
      return absorbRequest(draft, input.request);
  }
};

const absorbHello = (draft: Draft, hello: Extract<TimedInput, { kind: 'guard-hello' }>): void => {
  draft.startedAt = draft.now;
  draft.guardDeadline = hello.deadline;
  draft.guardLeaseId = hello.leaseId;
  draft.rejoin = freshRejoin(draft.now);
  absorbProcess(draft, hello.process);
  absorbHelloOfOperating(draft, hello);
  // The lease of the loop before us; its true ttl comes with the first renewal, which is due now.
  if (hello.leaseId !== undefined)
    draft.lease = { id: hello.leaseId, ttlMs: draft.policy.ttlMs, renewedAt: 0 as Instant };
};

/** The guard fenced by itself at its deadline. */
const absorbGuardFence = (draft: Draft, silent: boolean): void => {
  absorbProcess(draft, { kind: 'none', silent });
  draft.promotion = undefined;
  draft.checkpointDue = false;
  if (silent) draft.guardDeadline = undefined;
};
