/** What operators have asked of this member, and how far it has come. */
import type { Instant } from './instant.ts';
import type { JsonObject, Revision } from './store.ts';

/** Something asked of this member alone. `id` is for whoever asked, to find the answer again. */
export type OperationRequest =
  /** Stop and start PostgreSQL in place; with a limit for how long it may be away. */
  | { readonly kind: 'restart'; readonly id: string; readonly limitMs: number | undefined }
  /** Replace the data directory by a new clone. */
  | { readonly kind: 'reinitialize'; readonly id: string };

/**
 * asked ─▶ prepared ─▶ stopping ─▶ done, or failed. A standby needs no preparation. From `stopping`
 * on the server is stopped because somebody asked for it: its end is no crash.
 */
export interface Operation {
  readonly request: OperationRequest;
  readonly stage: 'asked' | 'prepared' | 'stopping';
  /** When this stage began. */
  readonly since: Instant;
  /** The postmaster that is to end; undefined: none ran. */
  readonly pid: number | undefined;
  /** Starts that had failed before. */
  readonly failedStarts: number;
}

/** An operation that begins with being asked for. */
export const askedOperation = (request: OperationRequest, now: Instant): Operation => ({
  request,
  stage: 'asked',
  since: now,
  pid: undefined,
  failedStarts: 0,
});

/** What became of a request. `refused`: nothing was done. */
export interface OperationAnswer {
  readonly id: string;
  readonly kind: 'done' | 'refused' | 'failed';
  readonly because: string;
}

/**
 * Whether a stopped server may be started while the cluster is paused: never by itself; after a
 * start of the agent if it was stopped in good order; or because an operator had it stopped.
 */
export type StartPermission = 'never' | 'if-shut-down' | 'always';

/**
 * Whether the guard lets the server go on beyond its deadline. `unknown`: it was told to, or not
 * to, and nobody heard its answer.
 */
export type Suspended = 'no' | 'yes' | 'unknown';

export interface Operating {
  readonly suspended: Suspended;
  /**
   * Where this loop has written that our server may go on. Undefined once it has asked for that to
   * be taken back: the removal may land late, and the guard must not be told on the strength of it.
   */
  readonly announced: Revision | undefined;
  readonly mayStart: StartPermission;
  readonly operation: Operation | undefined;
  /** The last ones, newest last. */
  readonly answers: readonly OperationAnswer[];
}

export const idleOperating: Operating = {
  suspended: 'no',
  announced: undefined,
  mayStart: 'never',
  operation: undefined,
  answers: [],
};

/** Answers kept for whoever asks later. */
const ANSWERS_MAX = 8;

export const withAnswer = (operating: Operating, answer: OperationAnswer): Operating => ({
  ...operating,
  answers: [...operating.answers, answer].slice(-ANSWERS_MAX),
});

/** Whether a value says yes, in any of the words that Patroni takes for it. */
export const meansYes = (value: unknown): boolean =>
  value === true || (typeof value === 'string' && /^(on|true|yes|1)$/i.test(value));

/** Whether the dynamic configuration says that the cluster is paused. */
export const isPauseOn = (config: JsonObject | undefined): boolean => meansYes(config?.['pause']);
