/** Whatever may be known of commits that nobody can promise. */
import * as fc from 'fast-check';
import type { MemberName } from '../../model/member.ts';
import type { Unpromised } from '../../replication/unpromised.ts';
import { anyLsn, anyPast, anyTime, anyTimeline, maybe } from './values.ts';

const anyPosition = fc.record({ timeline: anyTimeline, lsn: anyLsn });

const anyInterrupted = fc.record({
  names: maybe(
    fc.record({
      method: fc.constant('any' as const),
      count: fc.constantFrom(0, 1, 2),
      names: fc.constant(['bravo', 'charlie'] as MemberName[]),
    }),
  ),
  timeline: maybe(anyTimeline),
  held: maybe(anyPosition),
  isDrained: fc.boolean(),
  askedAt: maybe(anyPast),
});

export const anyUnpromised: fc.Arbitrary<Unpromised> = fc.record({
  cancelled: fc.constantFrom(0, 1),
  terminated: fc.constantFrom(0, 1),
  lookedIn: fc.constantFrom(undefined, 99, 100),
  lookAt: anyTime,
  blind: fc.constantFrom(undefined, 'no log'),
  held: maybe(anyPosition),
  isFed: fc.boolean(),
  interrupted: maybe(anyInterrupted),
  timeline: maybe(anyTimeline),
  ranges: fc.array(fc.record({ timeline: anyTimeline, from: anyLsn, to: anyLsn }), {
    maxLength: 2,
  }),
  exposed: fc.constantFrom(0, 3),
  lastExposed: fc.constant(undefined),
  uncounted: fc.constant(undefined),
});
