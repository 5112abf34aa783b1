/** What operators ask for, and what comes of it. */
import type { TimedInput } from '../model/input.ts';
import { type Suspended, askedOperation, isPauseOn, withAnswer } from '../model/operating.ts';
import type { LocalRequest } from '../model/request.ts';
import type { Revision, StoreSnapshot } from '../model/store.ts';
import type { Draft } from '../state.ts';
import { absorbPromiseRequest } from './absorb-failsafe.ts';
import { absorbScheduleRequest } from './absorb-schedules.ts';
import { isHeldBack } from '../view/pause.ts';

/** One at a time: whoever comes second is told so. */
export const absorbRequest = (draft: Draft, request: LocalRequest): void => {
  if (request.kind === 'shut-down') {
    draft.leaving ??= { since: draft.now };
    return;
  }
  if (request.kind === 'promise') return absorbPromiseRequest(draft, request);
  if (request.kind === 'schedule-restart' || request.kind === 'cancel-restart')
    return absorbScheduleRequest(draft, request);
  const { operation } = draft.operating;
  draft.operating =
    operation === undefined
      ? {
          ...draft.operating,
          operation: askedOperation(request, draft.now),
        }
      : withAnswer(draft.operating, {
          id: request.id,
          kind: 'refused',
          because: `${operation.request.kind} already in progress`,
        });
};

/** A later loop of the same guard comes because the one before died: nobody has asked for that. */
export const absorbHelloOfOperating = (
  draft: Draft,
  hello: Extract<TimedInput, { kind: 'guard-hello' }>,
): void => {
  draft.operating = {
    ...draft.operating,
    mayStart: hello.incarnation === 1 ? 'if-shut-down' : 'never',
    suspended: hello.suspended === true ? 'yes' : 'no',
  };
};

const setSuspended = (draft: Draft, suspended: Suspended): void => {
  if (draft.operating.suspended !== suspended) draft.operating = { ...draft.operating, suspended };
};

export const absorbSuspended = (draft: Draft, on: boolean): void =>
  setSuspended(draft, on ? 'yes' : 'no');

/** It may have been done, or be done yet. It keeps the order: its next answer settles that. */
export const absorbSuspensionUnknown = (draft: Draft): void => setSuspended(draft, 'unknown');

/** The guard forgets with the server that it was told to let it go on. */
export const forgetSuspension = (draft: Draft): void => setSuspended(draft, 'no');

/** What was stopped in good order may be started also in a pause; what ended by itself may not. */
export const absorbStopped = (draft: Draft, asked: boolean): void => {
  draft.operating = { ...draft.operating, mayStart: asked ? 'always' : 'never' };
};

/** Whatever the server was stopped for is over. */
export const absorbBackAgain = (draft: Draft): void => {
  if (draft.operating.mayStart !== 'never')
    draft.operating = { ...draft.operating, mayStart: 'never' };
};

/** The checkpoint before a restart is made, or cannot be: the stop makes one of its own. */
export const absorbPrepared = (draft: Draft): void => {
  const { operation } = draft.operating;
  if (operation?.stage !== 'asked' || operation.request.kind !== 'restart') return;
  draft.operating = {
    ...draft.operating,
    operation: { ...operation, stage: 'prepared', since: draft.now },
  };
};

/**
 * What a pause has left as it was is dealt with from now on: the time since a crash, and the time
 * that better candidates have had to take a free lease, are measured anew.
 */
export const absorbPauseOver = (draft: Draft, snapshot: StoreSnapshot): void => {
  const before = draft.snapshot?.value;
  const { name } = draft.self;
  if (isHeldBack(name, before) && !isHeldBack(name, snapshot) && draft.vacantSince !== undefined)
    draft.vacantSince = draft.now;
  const isOver = isPauseOn(before?.config?.value) && !isPauseOn(snapshot.config?.value);
  if (isOver && draft.vacating?.cause === 'crash')
    draft.vacating = { ...draft.vacating, begunAt: draft.now, since: draft.now };
};

/** Each key that a transaction writes gets its revision. */
export const absorbAnnounced = (draft: Draft, announced: Revision): void => {
  draft.operating = { ...draft.operating, announced };
};
