/**
 * Promises as they are asked for, given and counted: what a member refuses, what it is bound by until
 * when, and how far a primary may go on with what it has been promised.
 */
import { describe, expect, it } from 'vitest';
import {
  FAILSAFE_IS_OFF,
  type PromiseAnswer,
  type PromiseRequest,
  RUNNING_AS_LEADER,
} from '../model/failsafe.ts';
import { laneOf } from '../lanes.ts';
import type { Action, Outcome } from '../model/action.ts';
import { after } from '../model/instant.ts';
import type { MemberName } from '../model/member.ts';
import type { LeaseTerm } from '../model/store.ts';
import type { MemberState } from '../state.ts';
import { type StepResult, step } from '../step.ts';
import { NOW } from '../testing/scene/line.ts';
import { parseTranscript } from '../testing/scene/transcript.ts';

const sceneOf = (...lines: readonly string[]): MemberState => {
  const { scenes, mistakes } = parseTranscript(`${lines.join('\n')}\nanswers hold\n----\n`);
  expect(mistakes).toEqual([]);
  const [scene] = scenes;
  if (scene === undefined) throw new Error('there is no scene');
  return scene.member;
};

const STANDBY = [
  'me alpha:',
  'policy: failsafe',
  'store initialize:',
  'store config: failsafe',
  'store leader bravo:',
  'store holder bravo:',
  'process: running, standby',
  'probe: standby, at 0/5000000, from bravo, streaming',
];

const request = (parts: Partial<PromiseRequest> = {}): PromiseRequest => ({
  kind: 'promise',
  id: '1',
  from: 'bravo' as MemberName,
  term: 40 as LeaseTerm,
  ttlMs: 20_000,
  ...parts,
});

const ask = (member: MemberState, parts: Partial<PromiseRequest> = {}): StepResult =>
  step(member, { kind: 'request', request: request(parts), now: NOW });

const saidTo = ({ state }: StepResult) => state.operating.answers.at(-1);

const sent = ({ dispatches }: StepResult) => dispatches.find(({ lane }) => lane === 'word');

describe('a member that is asked', () => {
  it('is bound at once, and answers when that is on disk', () => {
    const asked = ask(sceneOf(...STANDBY));
    const { promise } = asked.state.failsafe;
    expect(promise).toEqual({ to: 'bravo', term: 40, ttlMs: 20_000, until: after(NOW, 20_000) });
    expect(saidTo(asked)).toBeUndefined();
    const dispatch = sent(asked);
    expect(dispatch?.action).toEqual({ kind: 'keep-promise', promise, ids: ['1'] });
    const outcome = {
      id: dispatch?.id ?? 0,
      kind: 'keep-promise',
      result: { kind: 'done' },
    } as const;
    const kept = step(asked.state, { kind: 'outcome', outcome, now: after(NOW, 5) });
    expect(saidTo(kept)).toMatchObject({ id: '1', kind: 'done', because: 'Accepted' });
  });

  it('says that it failed when the disk did not take it, and is bound all the same', () => {
    const asked = ask(sceneOf(...STANDBY));
    const result = { kind: 'failed', cause: 'no space' } as const;
    const outcome = { id: sent(asked)?.id ?? 0, kind: 'keep-promise', result } as const;
    const failed = step(asked.state, { kind: 'outcome', outcome, now: after(NOW, 5) });
    expect(saidTo(failed)).toMatchObject({ kind: 'failed', because: 'no space' });
    expect(failed.state.failsafe.promise?.until).toBe(after(NOW, 20_000));
  });

  it('takes term and ttl from what it knows where Patroni does not say', () => {
    const asked = ask(sceneOf(...STANDBY), { term: undefined, ttlMs: undefined });
    expect(asked.state.failsafe.promise).toMatchObject({ term: 40, ttlMs: 30_000 });
  });

  it('is never bound for less than before', () => {
    const bound = sceneOf(...STANDBY, 'promise to bravo: until in 25s');
    expect(ask(bound).state.failsafe.promise?.until).toBe(after(NOW, 25_000));
  });

  const others = STANDBY.filter((line) => !line.startsWith('store leader'));
  const free = others.filter((line) => !line.startsWith('store holder'));
  const unread = free.filter((line) => !line.startsWith('store'));
  const primary = ['process: running, primary', 'probe: primary, at 0/5000000'];
  const server = (lines: readonly string[]) =>
    lines.filter((line) => !line.startsWith('process') && !line.startsWith('probe'));

  it.each([
    ['the mode is off', STANDBY.toSpliced(1, 1), FAILSAFE_IS_OFF],
    ['it runs a primary', [...server(STANDBY), ...primary], RUNNING_AS_LEADER],
    ['it holds the lease', [...free, 'store leader alpha:', 'lease held:'], RUNNING_AS_LEADER],
    ['it holds it unawares', [...free, 'store leader alpha: lease 6'], RUNNING_AS_LEADER],
    ['another one holds it now', [...free, 'store leader charlie: revision 44'], 'charlie has'],
    ['another one has held it', [...free, 'store holder charlie: revision 44'], 'charlie has'],
    [
      'it is bound to a later one',
      [...STANDBY, 'promise to charlie: term 44, until in 5s'],
      'charlie has',
    ],
    ['it has voted', [...others, 'vote: against term 40'], 'voted'],
    ['it knows nothing yet', [...unread, 'store: never read'], 'not read the store'],
  ])('refuses when %s', (_when, lines, because) => {
    const asked = ask(sceneOf(...lines));
    expect(saidTo(asked)).toMatchObject({ id: '1', kind: 'refused' });
    expect(saidTo(asked)?.because).toContain(because);
    expect(sent(asked)).toBeUndefined();
  });

  it('refuses while an acquisition of its own is under way', () => {
    const member = sceneOf(...others);
    const transaction = { compares: [], writes: [] };
    const action = { kind: 'transact', purpose: 'acquire', transaction } as const;
    const lease = { id: 0, lane: 'lease', action, rule: undefined, sentAt: NOW } as const;
    const asked = ask({ ...member, lanes: { lease } });
    expect(saidTo(asked)?.because).toContain('about to take the lease');
  });

  it('goes on promising without the store what a loop before it had promised', () => {
    const member = sceneOf(...unread, 'store: never read', 'promise to bravo: until in 5s');
    expect(saidTo(ask(member))).toBeUndefined();
    expect(saidTo(ask(member, { term: 41 as LeaseTerm }))).toMatchObject({ kind: 'refused' });
  });

  it('remembers the vote that a loop before it has published', () => {
    const member = sceneOf(...unread, 'store: never read');
    const { snapshot } = sceneOf(
      ...others,
      'store member alpha: running, vote 40',
      'store member charlie: running, replica',
    );
    const reading = { id: 0, lane: 'read', rule: undefined, sentAt: NOW } as const;
    const lanes = { read: { ...reading, action: { kind: 'read-store' } as const } };
    if (snapshot === undefined) throw new Error('there is no snapshot');
    const result = { kind: 'done', snapshot: snapshot.value } as const;
    const outcome = { id: 0, kind: 'read-store', result } as const;
    const read = step({ ...member, lanes }, { kind: 'outcome', outcome, now: NOW });
    expect(saidTo(ask(read.state))?.because).toContain('voted');
  });

  it('is free when the primary has released the lease in that term', () => {
    const bound = ask(sceneOf(...STANDBY)).state;
    const { snapshot } = sceneOf(...others, 'store handover: from bravo, term 40, crash');
    const lanes = {
      read: { id: 90, lane: 'read', rule: undefined, sentAt: NOW, action: { kind: 'read-store' } },
    } as const;
    if (snapshot === undefined) throw new Error('there is no snapshot');
    const result = { kind: 'done', snapshot: snapshot.value } as const;
    const outcome = { id: 90, kind: 'read-store', result } as const;
    const read = step({ ...bound, lanes }, { kind: 'outcome', outcome, now: NOW });
    expect(read.state.failsafe.promise).toBeUndefined();
  });
});

describe('a promise that is found on disk', () => {
  const found = { to: 'bravo' as MemberName, term: 40 as LeaseTerm, ttlMs: 20_000 };

  it('is in force until the same instant in the same boot', () => {
    const promise = { ...found, until: after(NOW, 7_000) };
    const { state } = step(sceneOf(...STANDBY), { kind: 'promise-found', promise, now: NOW });
    expect(state.failsafe.promise?.until).toBe(after(NOW, 7_000));
  });

  it('counts anew in another boot', () => {
    const { state } = step(sceneOf(...STANDBY), {
      kind: 'promise-found',
      promise: found,
      now: NOW,
    });
    expect(state.failsafe.promise?.until).toBe(after(NOW, 20_000));
  });
});

const PRIMARY = [
  'me alpha:',
  'store: failing since 14s ago, stale, read 14s ago',
  'store initialize:',
  'store config: failsafe',
  'store leader alpha:',
  'store holder alpha:',
  'store failsafe: revision 41, names alpha, names bravo, names charlie',
  'failsafe: names alpha, names bravo, names charlie',
  'lease: renewed 16s ago',
  'lease held: deadline in 11s',
  'process: running, primary',
  'probe: primary, at 0/5000000',
];

const VOTERS = 'store sync: leader alpha, voter bravo, voter charlie';

/** The members answer a second after they were asked. */
const hear = (member: MemberState, given: Readonly<Record<string, PromiseAnswer>>) => {
  const asked = step(member, { kind: 'tick', now: NOW });
  const dispatch = asked.dispatches.find(({ lane }) => lane === 'promises');
  if (dispatch === undefined) throw new Error('nobody was asked');
  const result = { kind: 'done', given } as const;
  const outcome = { id: dispatch.id, kind: 'ask-promises', result } as const;
  return step(asked.state, { kind: 'outcome', outcome, now: after(NOW, 1_000) }).state;
};

const promised: PromiseAnswer = { kind: 'promised' };
const refused: PromiseAnswer = { kind: 'refused', because: 'no' };
const silent: PromiseAnswer = { kind: 'no-answer', cause: 'late' };
const UNTIL = after(NOW, 27_000);

describe('a primary that has asked', () => {
  const open = (...more: readonly string[]) => sceneOf(...PRIMARY, ...more);

  it('goes on for a ttl from when it asked, less the margin, when all have promised', () => {
    const state = hear(open('policy: failsafe'), { bravo: promised, charlie: promised });
    expect(state.failsafe.until).toBe(UNTIL);
  });

  it.each([refused, silent])('does not when one of them has not promised', (other) => {
    const state = hear(open('policy: failsafe'), { bravo: promised, charlie: other });
    expect(state.failsafe.until).toBeUndefined();
    expect(Object.keys(state.failsafe.refusals)).toEqual(['charlie']);
  });

  it.each([
    ['two votes are needed, one is left', 'votes 2', UNTIL],
    ['one vote is needed, one is left', 'votes 1', undefined],
  ])('counts votes where there is an electorate: %s', (_what, votes, until) => {
    const member = open('policy: failsafe, quorum', `${VOTERS}, ${votes}`);
    expect(hear(member, { bravo: promised, charlie: silent }).failsafe.until).toBe(until);
  });

  it('does not count votes while another electorate may be on its way', () => {
    const unsettled = 'unsettled electorate: term 40, revision 12';
    const member = open('policy: failsafe, quorum', `${VOTERS}, votes 2`, unsettled);
    expect(hear(member, { bravo: promised, charlie: silent }).failsafe.until).toBeUndefined();
    expect(hear(member, { bravo: promised, charlie: promised }).failsafe.until).toBe(UNTIL);
  });

  it('does not count votes of an electorate of another primary', () => {
    const member = open('policy: failsafe, quorum', `${VOTERS}, votes 2`.replace('alpha', 'delta'));
    expect(hear(member, { bravo: promised, charlie: silent }).failsafe.until).toBeUndefined();
  });

  it('needs nobody where only it may be elected', () => {
    const member = open('policy: failsafe, quorum', 'store sync: leader alpha');
    expect(hear(member, { bravo: silent, charlie: silent }).failsafe.until).toBe(UNTIL);
  });

  it('does not go back when fewer promise in the next round', () => {
    const lines = ['policy: failsafe', 'promise from bravo: until in 19s'];
    const before = open(...lines, 'promise from charlie: until in 19s');
    const until = after(NOW, 19_000);
    const askedAt = after(NOW, -8_000);
    const bridged = { ...before, failsafe: { ...before.failsafe, until, askedAt } };
    expect(hear(bridged, { bravo: promised, charlie: silent }).failsafe.until).toBe(until);
    expect(hear(bridged, { bravo: promised, charlie: promised }).failsafe.until).toBe(UNTIL);
  });

  it('is not brought back by answers that come after the deadline', () => {
    const member = open('policy: failsafe');
    const asked = step(member, { kind: 'tick', now: NOW });
    const id = asked.dispatches.find(({ lane }) => lane === 'promises')?.id ?? 0;
    const result = { kind: 'done', given: { bravo: promised, charlie: promised } } as const;
    const outcome = { id, kind: 'ask-promises', result } as const;
    const late = step(asked.state, { kind: 'outcome', outcome, now: after(NOW, 11_000) });
    expect(late.state.failsafe.until).toBeUndefined();
    expect(late.dispatches.map(({ action }) => action.kind)).toContain('fence');
  });
});

describe('what promises are worth under another loop, and in another reign', () => {
  const outcomeOf = (member: MemberState, action: Action, result: object): StepResult => {
    const flight = { id: 90, lane: laneOf(action), action, rule: undefined, sentAt: NOW };
    const lanes = { [flight.lane]: flight };
    const outcome = { id: 90, kind: action.kind, result } as Outcome;
    return step({ ...member, lanes }, { kind: 'outcome', outcome, now: NOW });
  };
  const written = ({ dispatches }: StepResult) =>
    dispatches.map(({ action }) => action.kind === 'transact' && action.purpose);
  const NAMED = 'store failsafe: revision 41, names alpha';
  const LINES = ['me alpha:', 'policy: failsafe', 'store initialize:', 'store config: failsafe'];
  const HELD = [
    ...LINES,
    NAMED,
    'store leader alpha:',
    'store holder alpha:',
    'store member bravo:',
  ];
  const RUNS = ['process: running, primary', 'probe: primary, at 0/5000000'];

  it('a new loop changes nothing that the deadline of the guard may rest on', () => {
    const known = sceneOf(...HELD, ...RUNS, 'guard: deadline in 20s');
    const { snapshot } = known;
    const member = { ...known, snapshot: undefined, snapshotStale: true };
    const result = { kind: 'done', snapshot: snapshot?.value };
    const read = outcomeOf(member, { kind: 'read-store' }, result);
    expect(read.state.failsafe.until).toBe(after(NOW, 20_000));
    expect(read.state.tenure).toBeDefined();
    expect(written(read)).not.toContain('write-failsafe');
    // A renewal that reaches as far shows that the lease carries it.
    const renewed = { ...read.state, confirmFrom: NOW };
    const confirmed = { kind: 'done', applied: true, revision: 50, snapshot: snapshot?.value };
    const confirm = {
      kind: 'transact',
      purpose: 'confirm',
      transaction: { compares: [], writes: [] },
    };
    const carried = outcomeOf(renewed, confirm as Action, confirmed);
    expect(carried.state.failsafe.until).toBeUndefined();
    expect(written(carried)).toContain('write-failsafe');
  });

  it.each([
    [
      'by another server: they are over',
      ['process: running, standby', 'probe: standby'],
      undefined,
    ],
    ['by the server that has gone on: they hold', RUNS, after(NOW, 29_000)],
  ])('the lease is taken %s', (_what, process, until) => {
    const bridge = 'failsafe: names alpha, names bravo, asked 1s ago, until in 29s';
    const before = sceneOf(...LINES, ...process, 'store holder alpha:', bridge);
    const { snapshot } = sceneOf(...HELD, ...RUNS);
    const purpose = 'reclaim';
    const action = {
      kind: 'transact',
      purpose,
      transaction: { compares: [], writes: [] },
    } as const;
    const result = { kind: 'done', applied: true, revision: 40, snapshot: snapshot?.value };
    expect(outcomeOf(before, action, result).state.failsafe.until).toBe(until);
  });
});
