import type { Instant } from '../model/instant.ts';
import type { ServerExit, ServerProcess, StartMode } from '../model/server.ts';
import type { LeaseId } from '../model/store.ts';

/**
 * How a postmaster is started. The loop knows the configuration; the guard only carries it out, so
 * that the guard stays small and needs no restart when the configuration changes.
 */
export interface LaunchSpec {
  readonly command: string;
  readonly arguments: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
  readonly dataDirectory: string;
  /** PostgreSQL's own output goes to the end of this file. */
  readonly logFile: string;
  /** Undefined: run as the guard's own user. */
  readonly user: { readonly uid: number; readonly gid: number } | undefined;
}

/** What the loop asks of the guard. Every message but `beat` is answered, under the same id. */
export type LoopMessage =
  | {
      readonly kind: 'extend';
      readonly id: number;
      readonly deadline: Instant;
      readonly leaseId: LeaseId;
    }
  /** In a pause: whether the server may go on beyond the deadline. Refused when it has passed. */
  | {
      readonly kind: 'suspend';
      readonly id: number;
      readonly on: boolean;
      readonly leaseId: LeaseId;
    }
  | {
      readonly kind: 'start';
      readonly id: number;
      readonly as: Exclude<StartMode, 'adopted'>;
      readonly launch: LaunchSpec;
    }
  /** A postmaster that another tool started and the loop found. */
  | {
      readonly kind: 'adopt';
      readonly id: number;
      readonly pid: number;
      readonly dataDirectory: string;
    }
  | {
      readonly kind: 'stop';
      readonly id: number;
      readonly mode: 'fast' | 'immediate';
      readonly limitMs: number;
    }
  /** `dataDirectory` is where leftovers are looked for when the guard has started nothing yet. */
  | { readonly kind: 'fence'; readonly id: number; readonly dataDirectory: string }
  | { readonly kind: 'promote'; readonly id: number }
  | { readonly kind: 'reload'; readonly id: number }
  | { readonly kind: 'beat' }
  /** The loop is about to end for good; the guard ends with this status. */
  | { readonly kind: 'leave'; readonly id: number; readonly status: number };

export type GuardAnswer =
  /** The deadline as it stands now. Earlier than asked for, or none: the extension was refused. */
  | { readonly kind: 'deadline'; readonly id: number; readonly deadline: Instant | undefined }
  /** What holds now, which is not what was asked for when that was refused. */
  | { readonly kind: 'suspended'; readonly id: number; readonly on: boolean }
  | { readonly kind: 'started'; readonly id: number; readonly pid: number }
  /** `fast` only if it ended by itself with status 0: everything was sent and written before. */
  | { readonly kind: 'stopped'; readonly id: number; readonly mode: 'fast' | 'immediate' }
  | { readonly kind: 'fenced'; readonly id: number; readonly silent: boolean }
  | { readonly kind: 'done'; readonly id: number }
  | { readonly kind: 'refused'; readonly id: number; readonly cause: string };

/** What the guard tells the loop unasked. */
export type GuardNotice =
  | {
      readonly kind: 'hello';
      readonly incarnation: number;
      readonly process: ServerProcess;
      readonly leaseId: LeaseId | undefined;
      readonly deadline: Instant | undefined;
      readonly suspended?: boolean | undefined;
    }
  /** Once for every postmaster, before the answer to the stop or fence that ended it. */
  | { readonly kind: 'server-exited'; readonly exit: ServerExit }
  /** A fence no loop of today asked for. It is tried again until it is silent. */
  | { readonly kind: 'guard-fenced'; readonly silent: boolean }
  /** SIGTERM or SIGHUP arrived at the guard. */
  | { readonly kind: 'signal'; readonly signal: 'SIGTERM' | 'SIGHUP' };

export type GuardMessage = GuardAnswer | GuardNotice;
