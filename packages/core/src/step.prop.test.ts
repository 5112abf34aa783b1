/**
 * Shows what holds of one step for any state: also for states no member is ever in, because a rule
 * that is safe only by what other rules did before is safe until somebody changes those. Half of the
 * states are drawn part by part, half are scenes of the transcripts with a few parts drawn anew.
 */
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { rules } from './rules/table.ts';
import { step } from './step.ts';
import { anyMember, anyMemberNear } from './testing/any-member.ts';
import { findBreaches } from './testing/check-step.ts';
import { deepFreeze } from './testing/deep-freeze.ts';
import { readScenes } from './testing/scene/read-scenes.ts';

const RUNS = 4_000;

const near = anyMemberNear(readScenes());

describe.each([
  { name: 'any state', states: anyMember },
  { name: 'any state near a scene', states: near },
])('step, for $name', ({ states }) => {
  it('never throws, changes nothing that it was given, and breaks no rule', () => {
    fc.assert(
      fc.property(states, (member) => {
        const result = step(deepFreeze(member), { kind: 'tick', now: member.now });
        expect(findBreaches(result)).toEqual([]);
      }),
      { numRuns: RUNS },
    );
  });

  it('answers the same to the same', () => {
    fc.assert(
      fc.property(states, (member) => {
        const input = { kind: 'tick', now: member.now } as const;
        expect(step(member, input)).toEqual(step(structuredClone(member), input));
      }),
      { numRuns: RUNS / 10 },
    );
  });
});

describe('the states that are drawn near scenes', () => {
  it('are such that every rule answers', () => {
    const answered = new Set<string>();
    for (const member of fc.sample(near, { numRuns: RUNS, seed: 1 }))
      for (const { rule } of step(member, { kind: 'tick', now: member.now }).decisions)
        answered.add(rule);
    expect(rules.map(({ id }) => id).filter((id) => !answered.has(id))).toEqual([]);
  });
});
