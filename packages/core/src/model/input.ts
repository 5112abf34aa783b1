import type { Outcome } from './action.ts';
import type { FoundPromise } from './failsafe.ts';
import type { Instant } from './instant.ts';
import type { MemberTags } from './member.ts';
import type { Policy } from './policy.ts';
import type { LocalRequest } from './request.ts';
import type { WallTime } from './schedule.ts';
import type { ServerExit, ServerProcess } from './server.ts';
import type { JobProgress, LeaseId } from './store.ts';

/** Everything that can happen to a member. Each comes with the time on the host's boot clock. */
export type Input =
  /** The timer asked for by the last step, or a spurious wake-up: both are harmless. */
  | { readonly kind: 'tick' }
  /** Before everything else: what a loop before this one has promised, and is on disk. */
  | { readonly kind: 'promise-found'; readonly promise: FoundPromise }
  /** First input of every loop: what the guard kept while there was no loop (rule S3). */
  | {
      readonly kind: 'guard-hello';
      readonly incarnation: number;
      readonly process: ServerProcess;
      readonly leaseId: LeaseId | undefined;
      readonly deadline: Instant | undefined;
      /** The server may go on beyond the deadline, because the cluster is paused. */
      readonly suspended?: boolean | undefined;
    }
  | { readonly kind: 'server-exited'; readonly exit: ServerExit }
  /** The guard fenced by itself, because its deadline passed. */
  | { readonly kind: 'guard-fenced'; readonly silent: boolean }
  /** The watch saw a change; what it is, only reading tells. */
  | { readonly kind: 'store-changed' }
  /** Something in PostgreSQL worth a look happened (a walreceiver came or went). */
  | { readonly kind: 'server-changed' }
  | { readonly kind: 'outcome'; readonly outcome: Outcome }
  | { readonly kind: 'job-progress'; readonly progress: JobProgress }
  | { readonly kind: 'policy-changed'; readonly policy: Policy }
  /** The member's own file was read again. */
  | { readonly kind: 'tags-changed'; readonly tags: MemberTags }
  | { readonly kind: 'request'; readonly request: LocalRequest };

/** The wall clock is for what people ask for at a time. Not told: it has gone on as before. */
export type TimedInput = Input & {
  readonly now: Instant;
  readonly wallClock?: WallTime | undefined;
};
