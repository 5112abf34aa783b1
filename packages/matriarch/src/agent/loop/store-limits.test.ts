/** How long a call to the store may take: a renewal comes back well before the deadline it moves. */
import { type Policy, defaultPolicy, leaseMarginMs, renewalIntervalMs } from '@matriarch/core';
import { describe, expect, it } from 'vitest';
import { storeLimitsOf } from './store-limits.ts';

const fast = (ttlMs: number): Policy => ({ ...defaultPolicy, fastLease: true, ttlMs });

describe('storeLimitsOf', () => {
  it('gives a call of the fast lease a fifth of the ttl, and each store member half a second', () => {
    expect(storeLimitsOf(fast(10_000))).toEqual({ attemptLimitMs: 500, budgetMs: 2_000 });
  });

  it('gives a call of an ordinary lease a third of retry_timeout', () => {
    expect(storeLimitsOf({ ...defaultPolicy, retryTimeoutMs: 12_000 })).toEqual({
      attemptLimitMs: 1_000,
      budgetMs: 4_000,
    });
  });

  it('leaves room for a second store member, however short the times are', () => {
    expect(storeLimitsOf(fast(3_000))).toEqual({ attemptLimitMs: 500, budgetMs: 1_000 });
    expect(storeLimitsOf({ ...defaultPolicy, retryTimeoutMs: 3_000 })).toEqual({
      attemptLimitMs: 1_000,
      budgetMs: 2_000,
    });
  });

  it.each([5_000, 10_000, 30_000])('leaves time for a second renewal with a ttl of %i', (ttlMs) => {
    const policy = fast(ttlMs);
    const { budgetMs } = storeLimitsOf(policy);
    const lived = ttlMs - leaseMarginMs(ttlMs);
    expect(renewalIntervalMs(policy) + 2 * budgetMs).toBeLessThanOrEqual(lived);
  });
});
