import * as fc from 'fast-check';

/** What becomes of one call: whether it has its effect, and what its caller hears of it. */
export type Fate =
  | 'done'
  /** No effect, and the caller is told so. */
  | 'failed'
  /** No effect, and the caller does not know. */
  | 'lost'
  /** It has its effect, and the caller does not know. */
  | 'unheard'
  /** As `unheard`, and the effect comes long after the caller was told that nobody knows. */
  | 'late';

export const MISHAPS = [
  'server-crashes',
  'rival-takes-lease',
  'rival-gives-lease-back',
  'rival-hands-over',
  'switchover-is-asked',
  'pause-is-asked',
  'resume-is-asked',
  'pause-and-long-outage',
  'restart-is-asked',
  'reinitialize-is-asked',
  'wal-is-written',
  'loop-is-frozen',
  'loop-dies',
  'agent-dies',
  'store-is-out',
  'policy-changes',
  'ttl-changes',
  'tags-change',
  'server-looks-changed',
] as const;

export type Mishap = (typeof MISHAPS)[number];

export const BEGINNINGS = [
  'new cluster',
  'as standby',
  'as crashed primary',
  'with another primary',
  'as forked primary',
  'with empty disk',
] as const;

/** All that chance decides in one run. Lists are gone through in circles. */
export interface Weather {
  readonly begins: (typeof BEGINNINGS)[number];
  readonly delaysMs: readonly number[];
  readonly fates: readonly Fate[];
  readonly mishaps: readonly { readonly afterMs: number; readonly kind: Mishap }[];
  readonly handsOver: boolean;
}

const MISHAPS_MAX = 25;

export const anyWeather: fc.Arbitrary<Weather> = fc.record({
  begins: fc.constantFrom(...BEGINNINGS),
  delaysMs: fc.array(
    fc.oneof(
      { weight: 5, arbitrary: fc.nat({ max: 20 }) },
      { weight: 2, arbitrary: fc.nat({ max: 400 }) },
      { weight: 1, arbitrary: fc.nat({ max: 3_000 }) },
    ),
    { minLength: 1, maxLength: 12 },
  ),
  fates: fc.array(
    fc.oneof(
      { weight: 8, arbitrary: fc.constant('done' as const) },
      fc.constantFrom('failed' as const, 'lost' as const, 'unheard' as const, 'late' as const),
    ),
    { minLength: 1, maxLength: 20 },
  ),
  mishaps: fc.array(
    fc.record({
      afterMs: fc.oneof(fc.nat({ max: 50 }), fc.nat({ max: 6_000 })),
      kind: fc.constantFrom(...MISHAPS),
    }),
    { maxLength: MISHAPS_MAX },
  ),
  handsOver: fc.boolean(),
});
