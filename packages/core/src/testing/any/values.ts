/** What the states of members are made of: few values, just below, on and just above the limits. */
import * as fc from 'fast-check';
import { type Instant, after } from '../../model/instant.ts';
import { type Lsn, lsn } from '../../model/lsn.ts';
import type { MemberName } from '../../model/member.ts';
import type { LeaseId } from '../../model/store.ts';
import { type Lineage, type Timeline, timeline } from '../../model/timeline.ts';
import { type KnownPosition, knownPosition, unknownPosition } from '../../model/wal-position.ts';

export const NOW = 3_600_000 as Instant;

export const NAMES = ['alpha', 'bravo', 'charlie'] as const;
export const anyName = fc.constantFrom(...NAMES).map((name) => name as MemberName);
export const CLUSTER = '7001';

/** Moments around now: limits of a millisecond, of seconds, of minutes. */
const OFFSETS = [-70_000, -20_000, -5_000, -1_000, -51, -1, 0, 1, 299, 300, 5_000, 26_000];
export const anyTime: fc.Arbitrary<Instant> = fc
  .constantFrom(...OFFSETS)
  .map((ms) => after(NOW, ms));
export const anyPast: fc.Arbitrary<Instant> = fc
  .constantFrom(...OFFSETS.filter((ms) => ms <= 0))
  .map((ms) => after(NOW, ms));

export const maybe = <T>(arbitrary: fc.Arbitrary<T>): fc.Arbitrary<T | undefined> =>
  fc.option(arbitrary, { nil: undefined });

export const anyLsn: fc.Arbitrary<Lsn> = fc
  .constantFrom(0x4ffffffn, 0x5000000n, 0x5000001n)
  .map(lsn);
export const anyTimeline: fc.Arbitrary<Timeline> = fc.constantFrom(1, 2, 3).map(timeline);

export const anyLineage: fc.Arbitrary<Lineage> = fc
  .tuple(anyTimeline, anyLsn)
  .map(([number, switchLsn]) => ({
    timeline: number,
    ancestors: number === 1 ? [] : [{ timeline: timeline(number - 1), switchLsn }],
  }));

export const anyPosition: fc.Arbitrary<KnownPosition> = fc.oneof(
  fc.constant(unknownPosition),
  fc.record({ timeline: anyTimeline, lsn: anyLsn }).map(knownPosition),
);

export const anyTags = fc.record({
  nofailover: fc.constantFrom(false, false, true),
  failoverPriority: fc.constantFrom(1, 1, 0, 2),
});

export const anyLife = fc.record({
  host: fc.constantFrom('host-1', 'host-2'),
  run: fc.constantFrom('run-1', 'run-2'),
});

export const LEASES = ['6', '7'].map((id) => id as LeaseId);
export const anyLeaseId = fc.constantFrom(...LEASES);
export const NEXT_LEASE = '8' as LeaseId;

export const seen = <T>(value: fc.Arbitrary<T>) => maybe(fc.record({ value, at: anyPast }));
