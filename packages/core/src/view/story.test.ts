/** What a step tells for the story of an incident: what was seen, and what came of what was done. */
import { describe, expect, it } from 'vitest';
import type { Action, Outcome } from '../model/action.ts';
import type { Input } from '../model/input.ts';
import { type Instant, after } from '../model/instant.ts';
import { lsn } from '../model/lsn.ts';
import { defaultTags, memberName } from '../model/member.ts';
import { defaultPolicy } from '../model/policy.ts';
import type { LeaseTerm, Revision, StoreSnapshot, Versioned } from '../model/store.ts';
import { timeline } from '../model/timeline.ts';
import { knownPosition } from '../model/wal-position.ts';
import { type MemberState, createMember } from '../state.ts';
import { deriveStory } from './story.ts';

const NOW = 50_000 as Instant;
const SENT = after(NOW, -30);

const self = {
  name: memberName('alpha'),
  address: 'alpha:5432',
  connUrl: '',
  apiUrl: '',
  tags: defaultTags,
  life: { host: 'boot-1', run: '' },
  bootstrapConfig: undefined,
  mayTakeOverData: false,
};

const at = <T>(value: T, revision: number): Versioned<T> => ({
  value,
  createRevision: revision as Revision,
  modRevision: revision as Revision,
});

const seeing = (changes: Partial<StoreSnapshot>, revision = 50): MemberState['snapshot'] => ({
  value: { revision: revision as Revision, members: {}, ...changes },
  at: NOW,
});

const member = (changes: Partial<MemberState> = {}): MemberState => ({
  ...createMember(self, defaultPolicy),
  now: NOW,
  startedAt: after(NOW, -1_000),
  ...changes,
});

const tell = (
  before: MemberState,
  changes: Partial<MemberState>,
  input: Input = { kind: 'tick' },
) => deriveStory(before, { ...before, ...changes }, { ...input, now: NOW });

describe('the lease', () => {
  const holder = at(memberName('bravo'), 40);

  it('that expired is free, and its holder’s key is gone', () => {
    const before = member({ snapshot: seeing({ leader: holder }) });
    const snapshot = seeing({ status: at({ optime: lsn(0x5000000n) }, 45) }, 51);
    expect(tell(before, { snapshot, vacantSince: NOW })).toMatchObject([
      {
        name: 'lease.vacant',
        details: { holder: 'bravo', term: 40, memberGone: true, lastKnown: '0/5000000' },
      },
    ]);
  });

  it('that was released says so in the words of its holder', () => {
    const before = member({ snapshot: seeing({ leader: holder }) });
    const handover = {
      from: memberName('bravo'),
      term: 40 as LeaseTerm,
      cause: 'crash' as const,
      end: knownPosition({ timeline: timeline(1), lsn: lsn(0x5000000n) }),
      heir: memberName('charlie'),
      quietMs: 0,
    };
    const snapshot = seeing({ handover: at(handover, 51) }, 51);
    expect(tell(before, { snapshot, vacantSince: NOW })).toMatchObject([
      { details: { released: 'crash', heir: 'charlie', end: '0/5000000', timeline: 1 } },
    ]);
  });

  it('of somebody else is told once, our own not at all', () => {
    const before = member({ snapshot: seeing({}) });
    const others = seeing({ leader: holder });
    expect(tell(before, { snapshot: others })).toMatchObject([
      { name: 'lease.held', details: { holder: 'bravo', term: 40 } },
    ]);
    expect(tell(member({ snapshot: others }), { snapshot: others })).toEqual([]);
    expect(tell(before, { snapshot: seeing({ leader: at(self.name, 40) }) })).toEqual([]);
  });
});

describe('a request', () => {
  it('is told when it is new, and asks for something', () => {
    const before = member({ snapshot: seeing({ failover: at({}, 20) }) });
    const asked = seeing({ failover: at({ leader: memberName('bravo') }, 51) });
    expect(tell(before, { snapshot: asked })).toMatchObject([
      { name: 'switchover.requested', details: { from: 'bravo', request: 51 } },
    ]);
    expect(tell(before, { snapshot: seeing({ failover: at({}, 51) }) })).toEqual([]);
    expect(tell(member({ snapshot: asked }), { snapshot: asked })).toEqual([]);
  });
});

describe('the guard', () => {
  it('that fenced by itself is told of', () => {
    expect(tell(member(), {}, { kind: 'guard-fenced', silent: true })).toMatchObject([
      { name: 'server.fenced', details: { by: 'guard', silent: true } },
    ]);
  });
});

describe('what was done', () => {
  const done = (action: Action, outcome: Pick<Outcome, 'kind' | 'result'>, before = member()) => {
    const flight = { id: 7, lane: 'server' as const, action, rule: 'a-rule', sentAt: SENT };
    return tell(
      { ...before, lanes: { server: flight } },
      {},
      {
        kind: 'outcome',
        outcome: { id: 7, ...outcome } as Outcome,
      },
    );
  };

  it('is told with its rule and how long it took', () => {
    expect(
      done(
        { kind: 'fence', by: 'loop' },
        { kind: 'fence', result: { kind: 'done', silent: true } },
      ),
    ).toEqual([
      {
        name: 'server.fenced',
        level: 'info',
        rule: 'a-rule',
        details: { by: 'loop', silent: true, tookMs: 30 },
      },
    ]);
  });

  it('is told with what was kept, from where to where', () => {
    const fork = { timeline: timeline(1), switchLsn: lsn(0x5000000n) };
    expect(
      done(
        { kind: 'keep-fork', fork, end: lsn(0x5000100n) },
        { kind: 'keep-fork', result: { kind: 'done', keptAt: '/kept' } },
      ),
    ).toMatchObject([
      {
        name: 'fork.kept',
        details: { timeline: 1, from: '0/5000000', to: '0/5000100', bytes: 256, path: '/kept' },
      },
    ]);
  });

  const transact = (purpose: 'release' | 'confirm'): Action => ({
    kind: 'transact',
    purpose,
    transaction: { compares: [], writes: [] },
  });
  const applied = (isApplied: boolean): Pick<Outcome, 'kind' | 'result'> => ({
    kind: 'transact',
    result: {
      kind: 'done',
      applied: isApplied,
      revision: 60 as Revision,
      snapshot: { revision: 60 as Revision, members: {} },
    },
  });

  it('is told of a transaction with the revision it wrote, and when it was sent', () => {
    expect(done(transact('release'), applied(true))).toMatchObject([
      {
        name: 'transaction.applied',
        level: 'debug',
        details: { purpose: 'release', written: 60, sentAt: SENT },
      },
    ]);
    expect(done(transact('release'), applied(false))).toMatchObject([
      { name: 'transaction.refused', details: { purpose: 'release' } },
    ]);
  });

  it('is not told of what goes on all the time, nor of what was superseded', () => {
    expect(done(transact('confirm'), applied(true))).toEqual([]);
    const outcome = { id: 9, kind: 'rewind', result: { kind: 'done' } } as const;
    expect(tell(member(), {}, { kind: 'outcome', outcome })).toEqual([]);
  });

  it('is told when it failed, with the cause', () => {
    const result = { kind: 'unknown', cause: 'no answer' } as const;
    const to = { member: memberName('bravo'), address: 'bravo:5432' };
    expect(done({ kind: 'rewind', to }, { kind: 'rewind', result })).toMatchObject([
      { name: 'member.not-rewound', details: { outcome: 'unknown', cause: 'no answer' } },
    ]);
  });
});
