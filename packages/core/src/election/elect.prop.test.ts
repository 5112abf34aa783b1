/**
 * Shows that an election has one winner and an end. All members of a make-believe cluster judge for
 * themselves, each from what the others answer: never do two stand, whoever passes over more WAL has
 * been waiting for it, and no wait is for ever, but the one for a server that may accept writes.
 */
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { lsn } from '../model/lsn.ts';
import { type MemberName, defaultTags, mayFailOver } from '../model/member.ts';
import type { PeerAnswer } from '../model/peer.ts';
import { type Lineage, timeline } from '../model/timeline.ts';
import { type WalPosition, knownPosition, unknownPosition } from '../model/wal-position.ts';
import { mustBuildMember } from '../testing/scene/must-build.ts';
import { type View, assembleView } from '../view/view.ts';
import { type Candidate, compareCandidates } from './candidates.ts';
import {
  BETTER_CANDIDATE_LIMIT_MS,
  SILENT_PEER_LIMIT_MS,
  UNKNOWN_POSITION_LIMIT_MS,
  type Verdict,
  elect,
} from './elect.ts';

interface Voter {
  readonly name: MemberName;
  readonly position: WalPosition;
  readonly lineage: Lineage;
  readonly priority: number;
}

const SWITCH = lsn(0x5000000);

/** Timeline 2 and 3 both left 1: two promotions, the first of which was not heard of. */
const lineageOn = (number: number): Lineage => ({
  timeline: timeline(number),
  ancestors: number === 1 ? [] : [{ timeline: timeline(1), switchLsn: SWITCH }],
});

const anyVoters: fc.Arbitrary<readonly Voter[]> = fc
  .array(
    fc.record({
      number: fc.constantFrom(1, 1, 1, 2, 3),
      beyond: fc.constantFrom(-1, 0, 1, 2),
      priority: fc.constantFrom(1, 1, 1, 0, 2),
    }),
    { minLength: 1, maxLength: 5 },
  )
  .map((drawn) =>
    drawn.map(({ number, beyond, priority }, index) => ({
      name: `m${index}` as MemberName,
      // Nobody is on timeline 2 who does not have all of 1 up to there.
      position: {
        timeline: timeline(number),
        lsn: lsn(SWITCH + BigInt(number === 1 ? beyond : Math.max(0, beyond))),
      },
      lineage: lineageOn(number),
      priority,
    })),
  );

const answerOf = (voter: Voter): PeerAnswer => ({
  kind: 'answers',
  running: true,
  primary: false,
  position: knownPosition(voter.position),
  lineage: voter.lineage,
  tags: { ...defaultTags, failoverPriority: voter.priority },
  electable: voter.priority > 0,
});

const sceneOf = (voter: Voter, others: readonly Voter[]): string => {
  const { timeline: number, lsn: end } = voter.position;
  const left = number === 1 ? '' : ', left 1 at 0/5000000';
  return [
    `me ${voter.name}: priority ${voter.priority}`,
    'process: running, standby',
    `probe: standby, at 0/${end.toString(16)}, timeline ${number}${left}`,
    'store initialize:',
    ...others.map(({ name }) => `store member ${name}: running, replica`),
  ].join('\n');
};

const viewOf = (voter: Voter, voters: readonly Voter[]): View =>
  assembleView(
    mustBuildMember(
      sceneOf(
        voter,
        voters.filter((other) => other !== voter),
      ),
    ),
  );

const judge = (voter: Voter, voters: readonly Voter[], vacantMs: number): Verdict => {
  const answers = Object.fromEntries(voters.map((other) => [other.name, answerOf(other)]));
  return elect(viewOf(voter, voters), answers, vacantMs);
};

const standing = (voters: readonly Voter[], vacantMs: number): readonly Voter[] =>
  voters.filter((voter) => judge(voter, voters, vacantMs).kind === 'stand');

const mayStand = ({ priority }: Voter): boolean => priority > 0;

describe('elect, by all members at once', () => {
  it('has one winner when everybody answers', () => {
    fc.assert(
      fc.property(anyVoters, fc.nat({ max: BETTER_CANDIDATE_LIMIT_MS - 1 }), (voters, vacantMs) => {
        const winners = standing(voters, vacantMs);
        expect(winners.length).toBe(voters.some(mayStand) ? 1 : 0);
      }),
    );
  });

  it('chooses nobody who holds less than another one of the same history', () => {
    fc.assert(
      fc.property(anyVoters, (voters) => {
        const [winner] = standing(voters, 0);
        if (winner === undefined) return;
        for (const other of voters.filter(mayStand)) {
          expect(other.position.timeline).toBeLessThanOrEqual(winner.position.timeline);
          if (other.position.timeline !== winner.position.timeline) continue;
          expect(other.position.lsn <= winner.position.lsn).toBe(true);
        }
      }),
    );
  });

  it('lets the next one stand when the best never takes the lease', () => {
    fc.assert(
      fc.property(anyVoters, (voters) => {
        const late = standing(voters, BETTER_CANDIDATE_LIMIT_MS);
        expect(late).toEqual(voters.filter(mayStand));
      }),
    );
  });
});

const anyAnswer: fc.Arbitrary<PeerAnswer | undefined> = fc.oneof(
  fc.constantFrom(undefined, { kind: 'no-answer' as const, cause: '' }),
  fc.record({
    kind: fc.constant('answers' as const),
    running: fc.boolean(),
    primary: fc.constant(false),
    position: fc.constantFrom(
      unknownPosition,
      knownPosition({ timeline: timeline(1), lsn: lsn(0x6000000) }),
      knownPosition({ timeline: timeline(2), lsn: lsn(0x1000000) }),
    ),
    lineage: fc.constant(undefined),
    tags: fc.constant(defaultTags),
    electable: fc.boolean(),
  }),
);

const me: Voter = {
  name: 'm0' as MemberName,
  position: { timeline: timeline(1), lsn: lsn(0x5000000) },
  lineage: lineageOn(1),
  priority: 1,
};
const others = ['m1', 'm2'].map((name): Voter => ({ ...me, name: name as MemberName }));

describe('a wait', () => {
  const view = viewOf(me, [me, ...others]);

  it('has an end, whatever the others answer', () => {
    fc.assert(
      fc.property(anyAnswer, anyAnswer, (m1, m2) => {
        const answers = Object.fromEntries(
          Object.entries({ m1, m2 }).flatMap(([name, answer]) =>
            answer === undefined ? [] : [[name, answer] as const],
          ),
        );
        expect(elect(view, answers, BETTER_CANDIDATE_LIMIT_MS).kind).toBe('stand');
      }),
    );
  });

  const m2 = answerOf({ ...me, position: { timeline: timeline(1), lsn: lsn(1) } });
  const unknown: PeerAnswer = { ...m2, position: unknownPosition } as PeerAnswer;

  it.each([
    ['who does not answer', undefined, SILENT_PEER_LIMIT_MS],
    ['who does not know its position', unknown, UNKNOWN_POSITION_LIMIT_MS],
    [
      'who has more',
      answerOf({ ...me, position: { timeline: timeline(1), lsn: lsn(0x5000001) } }),
      BETTER_CANDIDATE_LIMIT_MS,
    ],
  ])('for one %s ends at its limit', (_who, m1, limitMs) => {
    const answers = m1 === undefined ? { m2 } : { m1, m2 };
    expect(elect(view, answers, limitMs - 1).kind).toBe('wait');
    expect(elect(view, answers, limitMs).kind).toBe('stand');
  });

  it('for one who is out of recovery has none: nobody is promoted beside it', () => {
    const m1 = { ...m2, primary: true } as PeerAnswer;
    expect(elect(view, { m1, m2 }, 24 * 60 * 60_000).kind).toBe('wait');
  });
});

describe('compareCandidates', () => {
  const anyCandidate: fc.Arbitrary<Candidate> = fc.record({
    name: fc.constantFrom('a', 'b', 'c').map((name) => name as MemberName),
    position: fc.record({
      timeline: fc.constantFrom(1, 2).map(timeline),
      lsn: fc.constantFrom(1, 2).map(lsn),
    }),
    tags: fc.constantFrom(1, 2).map((failoverPriority) => ({ ...defaultTags, failoverPriority })),
    wasHolder: fc.boolean(),
  });

  it('is a total order: two different members are never equal, and there is no circle', () => {
    fc.assert(
      fc.property(anyCandidate, anyCandidate, anyCandidate, (a, b, c) => {
        if (a.name !== b.name)
          expect(Math.sign(compareCandidates(a, b))).toBe(-Math.sign(compareCandidates(b, a)));
        if (a.name !== b.name && b.name !== c.name && a.name !== c.name)
          if (compareCandidates(a, b) < 0 && compareCandidates(b, c) < 0)
            expect(compareCandidates(a, c)).toBeLessThan(0);
      }),
    );
  });

  it('puts WAL first, then the priority, then the last holder, then the name', () => {
    const base: Candidate = {
      name: 'b' as MemberName,
      position: { timeline: timeline(1), lsn: lsn(1) },
      tags: defaultTags,
      wasHolder: false,
    };
    const ordered: readonly Candidate[] = [
      { ...base, name: 'z' as MemberName, position: { timeline: timeline(1), lsn: lsn(2) } },
      { ...base, name: 'y' as MemberName, tags: { ...defaultTags, failoverPriority: 2 } },
      { ...base, name: 'x' as MemberName, wasHolder: true },
      { ...base, name: 'a' as MemberName },
      base,
    ];
    expect(ordered.toReversed().toSorted(compareCandidates)).toEqual(ordered);
  });
});

describe('the tag', () => {
  it('of a member that must never be primary keeps it from standing, however long', () => {
    const never = { ...me, priority: 0 };
    expect(mayFailOver({ ...defaultTags, failoverPriority: 0 })).toBe(false);
    expect(judge(never, [never], 60_000).kind).toBe('ineligible');
  });
});
