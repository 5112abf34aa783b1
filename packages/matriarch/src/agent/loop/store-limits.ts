import type { Policy } from '@matriarch/core';

export interface StoreLimits {
  readonly attemptLimitMs: number;
  readonly budgetMs: number;
}

const ATTEMPT_FAST_MS = 500;
const ATTEMPT_MS = 1_000;

/**
 * A renewal has to come back well before the deadline it moves. With the fast lease a call has a
 * fifth of the ttl and each store member half a second of it; otherwise a third of retry_timeout.
 */
export const storeLimitsOf = (policy: Policy): StoreLimits =>
  policy.fastLease
    ? { attemptLimitMs: ATTEMPT_FAST_MS, budgetMs: Math.max(policy.ttlMs / 5, ATTEMPT_FAST_MS * 2) }
    : { attemptLimitMs: ATTEMPT_MS, budgetMs: Math.max(policy.retryTimeoutMs / 3, ATTEMPT_MS * 2) };
