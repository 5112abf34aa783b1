/*
 * Shows the arithmetic of leases: when a holder must be silent, and how often it renews.
 */
import { describe, expect, it } from 'vitest';
import { earliest, instant } from './instant.ts';
import { deadlineOf, defaultPolicy, leaseMarginMs, renewalIntervalMs } from './policy.ts';

describe('deadlineOf', () => {
  it.each([
    [5_000, 1_000],
    [10_000, 1_000],
    [10_010, 1_001],
    [30_000, 3_000],
    [100_000, 10_000],
  ])('of a ttl of %i ms the last %i ms are given away', (ttlMs, marginMs) => {
    expect(leaseMarginMs(ttlMs)).toBe(marginMs);
    expect(deadlineOf(instant(500), ttlMs)).toBe(500 + ttlMs - marginMs);
  });
});

describe('renewalIntervalMs', () => {
  it('is loop_wait, or a fifth of the ttl with the fast lease', () => {
    expect(renewalIntervalMs(defaultPolicy)).toBe(10_000);
    expect(renewalIntervalMs({ ...defaultPolicy, fastLease: true, ttlMs: 5_000 })).toBe(1_000);
  });
});

describe('earliest', () => {
  it('leaves out what is not known', () => {
    expect(earliest(undefined, instant(3), instant(2), undefined)).toBe(2);
    expect(earliest(undefined)).toBeUndefined();
    expect(earliest()).toBeUndefined();
    expect(earliest(instant(0), instant(1))).toBe(0);
  });
});
