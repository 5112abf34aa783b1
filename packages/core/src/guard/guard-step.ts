/**
 * The guard's decisions (rule S3). The guard is the parent of PostgreSQL and of the loop. It holds
 * the deadline until which PostgreSQL may accept writes and fences when it passes, whatever the
 * loop does. It is kept small on purpose: it knows no store, no peers and no policy.
 */
import { type Instant, after, earliest } from '../model/instant.ts';
import { FENCE_RETRY_MS, GuardDraft } from './guard-draft.ts';
import { receiveMessage } from './guard-requests.ts';
import {
  type Asker,
  type GuardState,
  type GuardStep,
  type TimedGuardInput,
  isDeadlineArmed,
  isForeign,
  mustBeSilent,
} from './guard-state.ts';
import type { ServerProcess } from '../model/server.ts';

/** A loop that has said nothing for this long is killed and started anew. */
export const LOOP_SILENCE_LIMIT_MS = 10_000;
/** Wait before a loop that died is started again: the first time, and at most. */
export const LOOP_RESTART_MS = 100;
export const LOOP_RESTART_MAX_MS = 5_000;
/** A loop that lived this long is not counted among the quick deaths any more. */
export const LOOP_SETTLED_MS = 10_000;
/** Time an immediate shutdown may take before the processes are killed. */
export const IMMEDIATE_LIMIT_MS = 1_000;
/** Time a fast shutdown may take when the guard itself has to stop the server. */
export const OWN_STOP_LIMIT_MS = 10_000;
type RunningServer = Extract<ServerProcess, { kind: 'running' }>;

/** Statuses with which a loop ends for good: done, wrong input, refused by a rule. */
const FINAL_STATUSES: readonly number[] = [0, 2, 3];
/** The guard's status when it had to end without a loop that hands over. */
const UNTIDY_STATUS = 1;

export const guardStep = (before: GuardState, input: TimedGuardInput): GuardStep => {
  if (before.ended) return { state: before, effects: [], wakeAt: undefined };
  const draft = new GuardDraft(before, input.now);
  // The clock first: a message that comes at or after the deadline must find it passed, also when
  // the guard itself was asleep in between.
  enforceSilence(draft);
  receive(draft, input);
  enforceSilence(draft);
  hastenStop(draft);
  tendLoop(draft);
  return { state: draft.state, effects: draft.effects, wakeAt: nextWake(draft.state) };
};

const receive = (draft: GuardDraft, input: TimedGuardInput): void => {
  const { incarnation, loop } = draft.state;
  switch (input.kind) {
    case 'tick':
      return;
    case 'loop-message':
      // Messages of a loop that has exited may still be on their way: they count no more either.
      if (input.incarnation !== incarnation || loop.kind !== 'present') return;
      draft.set({ loop: { ...loop, heardAt: draft.now } });
      return receiveMessage(draft, input.message);
    case 'loop-exited':
      if (input.incarnation === incarnation) receiveLoopExit(draft, input.status);
      return;
    case 'server-spawned':
      return receiveSpawned(draft, input.pid);
    case 'server-not-spawned': {
      const { starting } = draft.state;
      if (starting === undefined) return;
      draft.set({ starting: undefined });
      return draft.answer(starting.asker, (id) => ({ kind: 'refused', id, cause: input.cause }));
    }
    case 'server-exited':
      return receiveServerExit(draft, input);
    case 'fence-finished':
      return receiveFenced(draft, input.silent);
    case 'signal':
      return receiveSignal(draft, input.signal);
  }
};

const receiveSignal = (draft: GuardDraft, signal: 'SIGTERM' | 'SIGHUP'): void => {
  if (signal === 'SIGTERM') draft.set({ terminating: true });
  if (draft.state.loop.kind === 'present') return draft.send({ kind: 'signal', signal });
  // No loop that could hand over: the guard ends things itself. SIGHUP is lost, and rightly: the
  // next loop reads its configuration anyway.
  if (signal === 'SIGTERM') leave(draft, UNTIDY_STATUS);
};

/** Ends the guard; a server that still runs gets an orderly stop with a limit. */
const leave = (draft: GuardDraft, status: number): void => {
  const { leaving, process, stopping, fencing } = draft.state;
  draft.set({ leaving: leaving ?? status });
  if (process.kind !== 'running' || isForeign(draft.state)) return;
  if (stopping !== undefined || fencing !== undefined) return;
  const harderAt = after(draft.now, OWN_STOP_LIMIT_MS);
  draft.effects.push({ kind: 'signal-server', pid: process.pid, signal: 'SIGINT' });
  draft.set({ stopping: { askers: [], mode: 'fast', harderAt } });
};

const receiveSpawned = (draft: GuardDraft, pid: number): void => {
  const { starting } = draft.state;
  if (starting === undefined) return;
  const { as, asker } = starting;
  draft.set({
    starting: undefined,
    suspended: false,
    process: { kind: 'running', pid, startedAs: as, promoted: false },
  });
  draft.answer(asker, (id) => ({ kind: 'started', id, pid }));
};

const receiveServerExit = (
  draft: GuardDraft,
  input: Extract<TimedGuardInput, { kind: 'server-exited' }>,
): void => {
  const { process, fencing } = draft.state;
  if (process.kind !== 'running' || process.pid !== input.pid) return;
  const { code, signal } = input;
  draft.set({ process: { kind: 'none', silent: false }, suspended: false });
  // Only status 0 shows that everything was sent and written before the end.
  reportExit(draft, process, { code, signal, clean: fencing === undefined && code === 0 });
};

interface Ending {
  readonly code: number | null;
  readonly signal: string | null;
  readonly clean: boolean;
}

/** Every postmaster's end is told once, before the answer to what brought it about. */
const reportExit = (draft: GuardDraft, server: RunningServer, ending: Ending): void => {
  const { pid, startedAs, promoted } = server;
  const { code, signal, clean } = ending;
  draft.send({ kind: 'server-exited', exit: { pid, startedAs, promoted, code, signal } });
  const { stopping } = draft.state;
  draft.set({ stopping: undefined });
  for (const asker of stopping?.askers ?? []) {
    const mode = clean ? (stopping?.mode ?? 'immediate') : 'immediate';
    draft.answer(asker, (id) => ({ kind: 'stopped', id, mode }));
  }
};

const receiveFenced = (draft: GuardDraft, silent: boolean): void => {
  const { fencing, process, starting, dataDirectory } = draft.state;
  if (fencing?.attempt === undefined || dataDirectory === undefined) return;
  if (!silent) {
    const retryAt = after(draft.now, FENCE_RETRY_MS);
    draft.set({ fencing: { attempt: undefined, askers: [], retryAt } });
    return reportFence(draft, fencing.askers, false);
  }
  // A server that came to be during the attempt was not on its list.
  const isMissed =
    starting !== undefined || (process.kind === 'running' && process.pid !== fencing.attempt.pid);
  if (isMissed) {
    draft.set({ fencing: { ...fencing, attempt: undefined } });
    if (starting === undefined) draft.fence(dataDirectory, []);
    return;
  }
  // Silence ends the deadline: whoever starts a server again must bring a new one.
  draft.set({
    process: { kind: 'none', silent: true },
    deadline: undefined,
    suspended: false,
    fencing: undefined,
  });
  if (process.kind === 'running')
    reportExit(draft, process, { code: null, signal: 'SIGKILL', clean: false });
  reportFence(draft, fencing.askers, true);
};

const reportFence = (draft: GuardDraft, askers: readonly Asker[], silent: boolean): void => {
  if (!draft.hears(askers)) return draft.send({ kind: 'guard-fenced', silent });
  for (const asker of askers) draft.answer(asker, (id) => ({ kind: 'fenced', id, silent }));
};

/** Rule S3: at the deadline the guard fences, whatever the loop does, until it sees silence. */
const enforceSilence = (draft: GuardDraft): void => {
  const { fencing, starting, dataDirectory } = draft.state;
  if (dataDirectory === undefined || fencing?.attempt !== undefined) return;
  const due =
    fencing === undefined
      ? mustBeSilent(draft.state, draft.now)
      : starting === undefined && draft.now >= fencing.retryAt;
  if (due) draft.fence(dataDirectory, []);
};

/** A stop that takes longer than its limit gets the next harder means. */
const hastenStop = (draft: GuardDraft): void => {
  const { stopping, process, dataDirectory, fencing } = draft.state;
  if (stopping === undefined || process.kind !== 'running' || dataDirectory === undefined) return;
  if (draft.now < stopping.harderAt || fencing !== undefined) return;
  if (stopping.mode === 'immediate') return draft.fence(dataDirectory, []);
  draft.effects.push({ kind: 'signal-server', pid: process.pid, signal: 'SIGQUIT' });
  const harderAt = after(draft.now, IMMEDIATE_LIMIT_MS);
  draft.set({ stopping: { ...stopping, mode: 'immediate', harderAt } });
};

const receiveLoopExit = (draft: GuardDraft, status: number | null): void => {
  const { loop, quickDeaths, terminating } = draft.state;
  if (loop.kind !== 'present') return;
  const deaths = draft.now - loop.startedAt >= LOOP_SETTLED_MS ? 0 : quickDeaths;
  const wait = Math.min(LOOP_RESTART_MS * 2 ** deaths, LOOP_RESTART_MAX_MS);
  draft.set({
    loop: { kind: 'absent', startAt: after(draft.now, wait) },
    quickDeaths: deaths + 1,
  });
  if (status !== null && FINAL_STATUSES.includes(status)) leave(draft, status);
  else if (terminating) leave(draft, UNTIDY_STATUS);
};

const tendLoop = (draft: GuardDraft): void => {
  const { loop, leaving, incarnation } = draft.state;
  if (loop.kind === 'present') {
    const overdue = loop.endBy !== undefined && draft.now >= loop.endBy;
    const hung = draft.now - loop.heardAt >= LOOP_SILENCE_LIMIT_MS;
    if (loop.killed || (!overdue && !hung)) return;
    draft.set({ loop: { ...loop, killed: true } });
    draft.effects.push({ kind: 'kill-loop', incarnation });
  } else if (leaving === undefined) {
    if (draft.now >= loop.startAt && isSettled(draft.state)) startLoop(draft);
  } else if (isOver(draft.state)) {
    draft.set({ ended: true });
    draft.effects.push({ kind: 'exit', status: leaving });
  }
};

/** Nothing is under way whose end a new loop would have to be told of after its hello. */
const isSettled = (state: GuardState): boolean =>
  state.starting === undefined && state.fencing?.attempt === undefined;

/** Nothing is left to wait for: a server that was ever started has been seen gone. */
const isOver = (state: GuardState): boolean => {
  const { process, starting, stopping, fencing, dataDirectory } = state;
  if (starting !== undefined || stopping !== undefined || fencing !== undefined) return false;
  if (dataDirectory === undefined || isForeign(state)) return true;
  return process.kind === 'none' && process.silent;
};

const startLoop = (draft: GuardDraft): void => {
  const incarnation = draft.state.incarnation + 1;
  const { process, leaseId, deadline } = draft.state;
  const suspended = draft.state.suspended || undefined;
  draft.set({
    incarnation,
    loop: {
      kind: 'present',
      startedAt: draft.now,
      heardAt: draft.now,
      endBy: undefined,
      killed: false,
    },
  });
  draft.effects.push({ kind: 'start-loop', incarnation });
  draft.send({ kind: 'hello', incarnation, process, leaseId, deadline, suspended });
};

const nextWake = (state: GuardState): Instant | undefined => {
  const { loop, fencing, starting, stopping, leaving, ended } = state;
  if (ended) return undefined;
  const canStart = loop.kind === 'absent' && leaving === undefined && isSettled(state);
  const hurry = fencing === undefined && state.process.kind === 'running';
  const canRetry = fencing !== undefined && fencing.attempt === undefined && starting === undefined;
  const tended = loop.kind === 'present' && !loop.killed ? loop : undefined;
  return earliest(
    isDeadlineArmed(state) ? state.deadline : undefined,
    canRetry ? fencing.retryAt : undefined,
    hurry ? stopping?.harderAt : undefined,
    canStart ? loop.startAt : undefined,
    tended === undefined ? undefined : after(tended.heardAt, LOOP_SILENCE_LIMIT_MS),
    tended?.endBy,
  );
};
