import type { GuardNotice, Instant, LaunchSpec, LeaseId, StartMode } from '@matriarch/core';

/** Environment of the loop: which loop of its guard it is, and the run of the guard (`Life`). */
export const INCARNATION_VARIABLE = 'MATRIARCH_INCARNATION';
export const RUN_VARIABLE = 'MATRIARCH_RUN';

/**
 * What comes of a request to the guard. `refused` had no effect. `unknown`: no answer in time, or
 * the guard is gone; it may or may not have had its effect.
 */
export type GuardReply<T = Record<never, never>> =
  | ({ readonly kind: 'done' } & T)
  | { readonly kind: 'refused'; readonly cause: string }
  | { readonly kind: 'unknown'; readonly cause: string };

/**
 * The guard as the loop sees it (rule S3): parent of PostgreSQL and holder of the deadline. Every
 * call ends within a time limit; none rejects.
 */
export interface Guard {
  /** Counts the loops of one guard, from 1. */
  readonly incarnation: number;
  /** The deadline as it then stands. Earlier than asked for, or none: it was not moved. */
  extend(request: {
    readonly deadline: Instant;
    readonly leaseId: LeaseId;
  }): Promise<GuardReply<{ readonly deadline: Instant | undefined }>>;
  /** In a pause: whether the server may go on beyond its deadline. Answers what holds now. */
  suspend(request: {
    readonly on: boolean;
    readonly leaseId: LeaseId;
  }): Promise<GuardReply<{ readonly on: boolean }>>;
  start(request: {
    readonly as: Exclude<StartMode, 'adopted'>;
    readonly launch: LaunchSpec;
  }): Promise<GuardReply<{ readonly pid: number }>>;
  /** Takes over a postmaster that another tool started. */
  adopt(request: { readonly pid: number; readonly dataDirectory: string }): Promise<GuardReply>;
  /** Answers when the server has ended. `limitMs` is when the next harder means is used. */
  stop(request: {
    readonly mode: 'fast' | 'immediate';
    readonly limitMs: number;
  }): Promise<GuardReply<{ readonly mode: 'fast' | 'immediate' }>>;
  fence(request: {
    readonly dataDirectory: string;
  }): Promise<GuardReply<{ readonly silent: boolean }>>;
  /** The signal was given; what comes of it is for a probe to tell. */
  promote(): Promise<GuardReply>;
  reload(): Promise<GuardReply>;
  /** The loop ends for good, and the guard with it, with this exit status. */
  leave(status: number): Promise<GuardReply>;
  /** Stops the beat. */
  close(): void;
}

export interface GuardEvents {
  /** The first one is always the hello. */
  readonly onNotice: (notice: GuardNotice) => void;
  /**
   * The channel to the guard is gone, so nothing holds the deadline any more: the loop has to fence
   * PostgreSQL itself and end.
   */
  readonly onLost: () => void;
}
