/**
 * Shows what holds of one step for any state: also for states no member is ever in, because a rule
 * that is safe only by what other rules did before is safe until somebody changes those.
 */
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { step } from './step.ts';
import { anyMember } from './testing/any-member.ts';
import { findBreaches } from './testing/check-step.ts';
import { deepFreeze } from './testing/deep-freeze.ts';

const RUNS = 60_000;

describe('step, for any state', () => {
  it('never throws, changes nothing that it was given, and breaks no rule', () => {
    fc.assert(
      fc.property(anyMember, (member) => {
        const result = step(deepFreeze(member), { kind: 'tick', now: member.now });
        expect(findBreaches(result)).toEqual([]);
      }),
      { numRuns: RUNS },
    );
  });

  it('answers the same to the same', () => {
    fc.assert(
      fc.property(anyMember, (member) => {
        const input = { kind: 'tick', now: member.now } as const;
        expect(step(member, input)).toEqual(step(structuredClone(member), input));
      }),
      { numRuns: RUNS / 10 },
    );
  });
});
