/** What the loop asks of the guard, and what the guard refuses it. */
import { after } from '../model/instant.ts';
import type { GuardDraft } from './guard-draft.ts';
import { type Asker, type GuardState, mayAcceptWrites } from './guard-state.ts';
import type { LoopMessage } from './messages.ts';

/**
 * A deadline further ahead than this is taken for one of another clock and refused: on the boot
 * clock of a fresh host the time of day would be a deadline in fifty years.
 */
export const DEADLINE_AHEAD_MAX_MS = 86_400_000;
/** A loop that said it leaves and has not ended by then is killed. */
export const LOOP_LEAVE_LIMIT_MS = 5_000;

type Request<K extends LoopMessage['kind']> = Extract<LoopMessage, { kind: K }>;

export const receiveMessage = (draft: GuardDraft, message: LoopMessage): void => {
  switch (message.kind) {
    case 'beat':
      return;
    case 'extend':
      return extend(draft, message);
    case 'suspend':
      return suspend(draft, message);
    case 'start':
      return start(draft, message);
    case 'adopt':
      return adopt(draft, message);
    case 'stop':
      return stop(draft, message);
    case 'fence':
      return fence(draft, message);
    case 'promote':
      return promote(draft, message.id);
    case 'reload':
      return reload(draft, message.id);
    case 'leave':
      return leave(draft, message);
  }
};

const refuse = (draft: GuardDraft, id: number, cause: string): void =>
  draft.send({ kind: 'refused', id, cause });

const askerOf = (draft: GuardDraft, id: number): Asker => ({
  incarnation: draft.state.incarnation,
  id,
});

const holdsDeadline = ({ state, now }: GuardDraft): boolean =>
  state.deadline !== undefined && now < state.deadline;

/** Why no server may come to life now; undefined when it may. */
const findObstacle = (state: GuardState, dataDirectory: string): string | undefined => {
  if (state.process.kind === 'running')
    return `a server is already running, pid ${state.process.pid}`;
  if (state.starting !== undefined) return 'a start is under way';
  if (state.fencing !== undefined) return 'a fence is under way';
  if (state.leaving !== undefined) return 'the guard is about to end';
  return findStray(state, dataDirectory);
};

/**
 * The guard looks after one data directory. It turns to another one only when it has seen the first
 * one silent, or what is left there would be forgotten.
 */
const findStray = (state: GuardState, dataDirectory: string): string | undefined => {
  const { dataDirectory: known, process } = state;
  const settled = process.kind === 'none' && process.silent && state.starting === undefined;
  if (known === undefined || known === dataDirectory || settled) return undefined;
  return `the guard looks after ${known} and has not seen it silent; asked for ${dataDirectory}`;
};

/**
 * Takes none that has already passed, and of one lease only later deadlines. Another lease brings
 * its own, also an earlier one: what the old lease allowed says nothing about the new one.
 */
const extend = (draft: GuardDraft, message: Request<'extend'>): void => {
  const { deadline, leaseId, fencing } = draft.state;
  const aheadMs = message.deadline - draft.now;
  const sane = aheadMs > 0 && aheadMs <= DEADLINE_AHEAD_MAX_MS;
  const newer =
    deadline === undefined || message.leaseId !== leaseId || message.deadline > deadline;
  // While a fence is under way nothing may bring the server back to life.
  if (sane && newer && fencing === undefined)
    draft.set({ deadline: message.deadline, leaseId: message.leaseId });
  draft.send({ kind: 'deadline', id: message.id, deadline: draft.state.deadline });
};

/**
 * Begins only for a server whose deadline has not passed, under the lease that deadline is of: by
 * then the loop has written to the store that nobody may succeed it. Ends at once, and with it the
 * server if its deadline is past.
 */
const suspend = (draft: GuardDraft, { id, on, leaseId }: Request<'suspend'>): void => {
  const { process, fencing, stopping, leaving } = draft.state;
  const isOrderly = fencing === undefined && stopping === undefined && leaving === undefined;
  const mayBegin =
    isOrderly &&
    mayAcceptWrites(process) &&
    holdsDeadline(draft) &&
    leaseId === draft.state.leaseId;
  if (!on) draft.set({ suspended: false });
  else if (mayBegin) draft.set({ suspended: true });
  draft.send({ kind: 'suspended', id, on: draft.state.suspended });
};

const start = (draft: GuardDraft, message: Request<'start'>): void => {
  const { id, as, launch } = message;
  const obstacle = findObstacle(draft.state, launch.dataDirectory);
  if (obstacle !== undefined) return refuse(draft, id, obstacle);
  if (as === 'primary' && !holdsDeadline(draft))
    return refuse(draft, id, 'a primary needs a deadline that has not passed');
  draft.set({
    dataDirectory: launch.dataDirectory,
    starting: { asker: askerOf(draft, id), as },
  });
  draft.effects.push({ kind: 'spawn-server', launch, as });
};

const adopt = (draft: GuardDraft, message: Request<'adopt'>): void => {
  const { id, pid, dataDirectory } = message;
  const obstacle = findObstacle(draft.state, dataDirectory);
  if (obstacle !== undefined) return refuse(draft, id, obstacle);
  draft.set({
    dataDirectory,
    process: { kind: 'running', pid, startedAs: 'adopted', promoted: false },
    suspended: false,
    // A deadline that passed before was another server's.
    deadline: holdsDeadline(draft) ? draft.state.deadline : undefined,
  });
  draft.effects.push({ kind: 'watch-process', pid, dataDirectory });
  draft.send({ kind: 'done', id });
};

const stop = (draft: GuardDraft, message: Request<'stop'>): void => {
  const { process, starting, fencing, stopping } = draft.state;
  const { id } = message;
  if (starting !== undefined) return refuse(draft, id, 'a start is under way');
  // Nothing runs: it did not end by this stop, so nobody may take it for an orderly one.
  if (process.kind !== 'running') return draft.send({ kind: 'stopped', id, mode: 'immediate' });
  const askers = [...(stopping?.askers ?? []), askerOf(draft, id)];
  const hard =
    message.mode === 'immediate' || stopping?.mode === 'immediate' || fencing !== undefined;
  const mode = hard ? 'immediate' : 'fast';
  const asked = after(draft.now, Math.max(0, message.limitMs) || 0);
  // Asking twice never gives the server more time.
  const harderAt =
    stopping !== undefined && stopping.mode === mode && stopping.harderAt < asked
      ? stopping.harderAt
      : asked;
  if (fencing === undefined && stopping?.mode !== mode) {
    const signal = mode === 'fast' ? 'SIGINT' : 'SIGQUIT';
    draft.effects.push({ kind: 'signal-server', pid: process.pid, signal });
  }
  draft.set({ stopping: { askers, mode, harderAt } });
};

const fence = (draft: GuardDraft, message: Request<'fence'>): void => {
  const stray = findStray(draft.state, message.dataDirectory);
  if (stray !== undefined) return refuse(draft, message.id, stray);
  draft.fence(message.dataDirectory, [askerOf(draft, message.id)]);
};

const promote = (draft: GuardDraft, id: number): void => {
  const { process, dataDirectory, fencing, stopping, leaving } = draft.state;
  if (process.kind !== 'running' || dataDirectory === undefined)
    return refuse(draft, id, 'no server is running');
  if (fencing !== undefined) return refuse(draft, id, 'a fence is under way');
  if (stopping !== undefined || leaving !== undefined)
    return refuse(draft, id, 'the server is being stopped');
  if (!holdsDeadline(draft))
    return refuse(draft, id, 'a promotion needs a deadline that has not passed');
  draft.set({ process: { ...process, promoted: true } });
  draft.effects.push({ kind: 'promote-server', pid: process.pid, dataDirectory });
  draft.send({ kind: 'done', id });
};

const reload = (draft: GuardDraft, id: number): void => {
  const { process, fencing } = draft.state;
  if (process.kind !== 'running') return refuse(draft, id, 'no server is running');
  if (fencing !== undefined) return refuse(draft, id, 'a fence is under way');
  draft.effects.push({ kind: 'signal-server', pid: process.pid, signal: 'SIGHUP' });
  draft.send({ kind: 'done', id });
};

/**
 * The loop ends for good. A stop that it asked for takes its course; any other server that is ours
 * is fenced by this very step, since nobody would renew its lease any more.
 */
const leave = (draft: GuardDraft, message: Request<'leave'>): void => {
  const { loop, leaving } = draft.state;
  draft.set({ leaving: leaving ?? message.status });
  if (loop.kind === 'present')
    draft.set({ loop: { ...loop, endBy: loop.endBy ?? after(draft.now, LOOP_LEAVE_LIMIT_MS) } });
  draft.send({ kind: 'done', id: message.id });
};
