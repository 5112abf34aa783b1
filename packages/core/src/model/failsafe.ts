/** What members promise a primary that has lost the store (rule S9). */
import type { Instant } from './instant.ts';
import type { MemberName } from './member.ts';
import type { LeaseTerm } from './store.ts';

/** A member's word that for a while it will not be elected, nor help anybody to be. */
export interface FailsafePromise {
  /** The primary it was given to; undefined: nobody knows any more. */
  readonly to: MemberName | undefined;
  /** The term that primary holds, or held last; undefined: it did not say. */
  readonly term: LeaseTerm | undefined;
  readonly ttlMs: number;
  readonly until: Instant;
}

/** What a new loop finds on disk. Without `until` it is of another boot: its clock is gone. */
export type FoundPromise = Omit<FailsafePromise, 'until'> & {
  readonly until?: Instant | undefined;
};

/** Asked of this member by a primary that has lost the store. A primary of Patroni says less. */
export interface PromiseRequest {
  readonly kind: 'promise';
  readonly id: string;
  readonly from: MemberName;
  readonly term: LeaseTerm | undefined;
  readonly ttlMs: number | undefined;
}

export type PromiseAnswer =
  | { readonly kind: 'promised' }
  | { readonly kind: 'refused'; readonly because: string }
  | { readonly kind: 'no-answer'; readonly cause: string };

/** Patroni's words: whoever asks knows them. */
export const RUNNING_AS_LEADER = 'Running as a leader';
export const FAILSAFE_IS_OFF = 'Failsafe mode is not active';

export interface Failsafe {
  /**
   * Everybody whom the document in the store may name, by writes of this loop that had no answer,
   * too. Undefined: this loop has not written it, so that nobody knows.
   */
  readonly named: readonly MemberName[] | undefined;
  /** Since when somebody whom the document names has had no member key. */
  readonly missingSince: Readonly<Record<string, Instant>>;
  /** Until when each member's promise to us holds. */
  readonly promised: Readonly<Record<string, Instant>>;
  /** Who has not promised when last asked, and why. */
  readonly refusals: Readonly<Record<string, string>>;
  /** When promises were last asked for in this outage. */
  readonly askedAt: Instant | undefined;
  /**
   * Our server may go on until then because enough have promised, or because a loop before this one
   * has told the guard so and nobody knows why; undefined: by its lease alone.
   */
  readonly until: Instant | undefined;
  /** What this member has promised. */
  readonly promise: FailsafePromise | undefined;
  /** Requests whose promise is not on disk yet. */
  readonly toAnswer: readonly string[];
  /** The vote that a loop before this one had given. */
  readonly votedBefore: LeaseTerm | undefined;
}

export const freshFailsafe: Failsafe = {
  named: undefined,
  missingSince: {},
  promised: {},
  refusals: {},
  askedAt: undefined,
  until: undefined,
  promise: undefined,
  toAnswer: [],
  votedBefore: undefined,
};
