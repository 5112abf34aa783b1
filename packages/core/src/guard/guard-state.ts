import type { Instant } from '../model/instant.ts';
import type { ServerProcess, StartMode } from '../model/server.ts';
import type { LeaseId } from '../model/store.ts';
import type { GuardMessage, LaunchSpec, LoopMessage } from './messages.ts';

/**
 * Who asked for something. Each loop counts its ids anew, so an answer belongs to an incarnation:
 * a later loop must never take an answer to its predecessor for its own.
 */
export interface Asker {
  readonly incarnation: number;
  readonly id: number;
}

/** A spawn that was begun and not answered yet. */
export interface Starting {
  readonly asker: Asker;
  readonly as: Exclude<StartMode, 'adopted'>;
}

export interface Stopping {
  readonly askers: readonly Asker[];
  readonly mode: 'fast' | 'immediate';
  /** When the next, harder means is used. */
  readonly harderAt: Instant;
}

/** A fence once begun is carried on until silence was seen: there is no way back from it. */
export interface Fencing {
  /** The attempt that is under way and the postmaster it was given; undefined: between attempts. */
  readonly attempt: { readonly pid: number | undefined } | undefined;
  readonly askers: readonly Asker[];
  /** When the next attempt begins, if none is under way. */
  readonly retryAt: Instant;
}

export type LoopState =
  | { readonly kind: 'absent'; readonly startAt: Instant }
  | {
      readonly kind: 'present';
      readonly startedAt: Instant;
      readonly heardAt: Instant;
      /** Set once the loop said that it leaves: it is killed if it has not ended by then. */
      readonly endBy: Instant | undefined;
      readonly killed: boolean;
    };

export interface GuardState {
  /** Counts the loops; messages of an earlier one are ignored. */
  readonly incarnation: number;
  readonly loop: LoopState;
  readonly quickDeaths: number;
  readonly process: ServerProcess;
  /** Known from the first start, adoption or fence on. */
  readonly dataDirectory: string | undefined;
  readonly deadline: Instant | undefined;
  readonly leaseId: LeaseId | undefined;
  /**
   * The server that runs may go on beyond the deadline: the cluster is paused, and the store names
   * this member as one that nobody may succeed meanwhile. Ends with the server.
   */
  readonly suspended: boolean;
  readonly starting: Starting | undefined;
  readonly stopping: Stopping | undefined;
  readonly fencing: Fencing | undefined;
  /** SIGTERM has arrived: a loop that dies now is not started again. */
  readonly terminating: boolean;
  /** The status to end with, once the guard is to end. */
  readonly leaving: number | undefined;
  /** `exit` was given: nothing has an effect any more. */
  readonly ended: boolean;
}

export type GuardInput =
  | { readonly kind: 'tick' }
  | { readonly kind: 'loop-message'; readonly incarnation: number; readonly message: LoopMessage }
  | { readonly kind: 'loop-exited'; readonly incarnation: number; readonly status: number | null }
  | { readonly kind: 'server-spawned'; readonly pid: number }
  | { readonly kind: 'server-not-spawned'; readonly cause: string }
  | {
      readonly kind: 'server-exited';
      readonly pid: number;
      readonly code: number | null;
      readonly signal: string | null;
    }
  | { readonly kind: 'fence-finished'; readonly silent: boolean }
  | { readonly kind: 'signal'; readonly signal: 'SIGTERM' | 'SIGHUP' };

export type TimedGuardInput = GuardInput & { readonly now: Instant };

export type GuardEffect =
  | { readonly kind: 'start-loop'; readonly incarnation: number }
  | { readonly kind: 'kill-loop'; readonly incarnation: number }
  | { readonly kind: 'send'; readonly message: GuardMessage }
  /** Answered by `server-spawned` or `server-not-spawned`. */
  | {
      readonly kind: 'spawn-server';
      readonly launch: LaunchSpec;
      readonly as: Exclude<StartMode, 'adopted'>;
    }
  | {
      readonly kind: 'signal-server';
      readonly pid: number;
      readonly signal: 'SIGINT' | 'SIGQUIT' | 'SIGHUP';
    }
  /** Writes PostgreSQL's promote file, then SIGUSR1. */
  | { readonly kind: 'promote-server'; readonly pid: number; readonly dataDirectory: string }
  /** Answered by `server-exited` once the process is gone, or was never one of this directory. */
  | { readonly kind: 'watch-process'; readonly pid: number; readonly dataDirectory: string }
  /** Answered by `fence-finished`, within a limit. */
  | { readonly kind: 'fence'; readonly pid: number | undefined; readonly dataDirectory: string }
  | { readonly kind: 'exit'; readonly status: number };

export interface GuardStep {
  readonly state: GuardState;
  readonly effects: readonly GuardEffect[];
  /** When the guard wants to be woken at the latest. */
  readonly wakeAt: Instant | undefined;
}

export const createGuard = (now: Instant): GuardState => ({
  incarnation: 0,
  loop: { kind: 'absent', startAt: now },
  quickDeaths: 0,
  process: { kind: 'none', silent: false },
  dataDirectory: undefined,
  deadline: undefined,
  leaseId: undefined,
  suspended: false,
  starting: undefined,
  stopping: undefined,
  fencing: undefined,
  terminating: false,
  leaving: undefined,
  ended: false,
});

/** Whether these processes may accept writes from clients, judged by how they were started. */
export const mayAcceptWrites = (process: ServerProcess): boolean =>
  process.kind === 'running' &&
  (process.promoted || process.startedAs === 'primary' || process.startedAs === 'adopted');

/**
 * Whether something may be writing in the data directory that the deadline has to end: a server
 * that accepts writes, or backends that outlived their postmaster and were not seen gone (rule S4).
 */
export const mayHoldWriters = (state: GuardState): boolean =>
  state.dataDirectory !== undefined &&
  (state.process.kind === 'none' ? !state.process.silent : mayAcceptWrites(state.process));

/** A running server that the deadline does not end. What outlives its postmaster is none. */
const isGoingOn = ({ suspended, process }: GuardState): boolean =>
  suspended && process.kind === 'running';

/** Whether the deadline is being waited for: then the guard must look at the clock often. */
export const isDeadlineArmed = (state: GuardState): boolean =>
  state.deadline !== undefined &&
  !isGoingOn(state) &&
  state.starting === undefined &&
  state.fencing === undefined &&
  mayHoldWriters(state);

/**
 * An adopted server that never came under a deadline. It ran before there was a guard, and a guard
 * that ends, for example because this is another cluster's server, leaves it as it was found.
 */
export const isForeign = ({ process, deadline }: GuardState): boolean =>
  process.kind === 'running' &&
  process.startedAs === 'adopted' &&
  !process.promoted &&
  deadline === undefined;

/** Rule S3: whether the server must not live on at this moment, whatever the loop does. */
export const mustBeSilent = (state: GuardState, now: Instant): boolean => {
  const { dataDirectory, deadline, process, leaving, starting, stopping } = state;
  if (dataDirectory === undefined || isForeign(state)) return false;
  // Judged when the spawn has been answered: until then nobody knows what to fence.
  if (starting !== undefined) return false;
  const silent = process.kind === 'none' && process.silent;
  // A guard that ends leaves nothing behind; an orderly stop may take the time it was given.
  if (leaving !== undefined && stopping === undefined && !silent) return true;
  if (!mayHoldWriters(state) || isGoingOn(state)) return false;
  // What a server left behind may go on only as long as the server itself was allowed to.
  if (deadline === undefined) return process.kind === 'running';
  return now >= deadline;
};
