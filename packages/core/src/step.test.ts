/*
 * Shows how a step sends actions on their way: one per lane, one decision at a time, none in a lane
 * that rests after a failure, and fencing before everything, whatever is under way.
 */
import { describe, expect, it } from 'vitest';
import type { Failure } from './model/action.ts';
import { after } from './model/instant.ts';
import type { LeaseId } from './model/store.ts';
import { createMember } from './state.ts';
import { step } from './step.ts';
import { PlayedMember } from './testing/played-member.ts';
import { mustBuildMember } from './testing/scene/must-build.ts';

const STANDBY = `
me alpha:
store initialize:
store leader bravo:
store member bravo: running, primary
process: dead and silent
disk: of a standby
`;

const PRIMARY = `
me alpha:
store initialize:
store leader alpha:
store timelines: issued 1
lease held: deadline in 3s
process: running, primary
probe: primary, at 0/5000000
`;

const play = (scene: string): PlayedMember => new PlayedMember(mustBuildMember(scene));

const failed: Failure = { kind: 'failed', cause: 'no' };

describe('before the guard’s hello', () => {
  const scene = mustBuildMember(STANDBY);
  const fresh = createMember(scene.self, scene.policy);

  it('nothing is decided and nothing is sent', () => {
    const result = step(fresh, { kind: 'tick', now: after(scene.now, 0) });
    expect(result).toMatchObject({ dispatches: [], decisions: [], wakeAt: undefined });
  });

  it('the hello begins everything: the lease, the store, the disk', () => {
    const result = step(fresh, {
      kind: 'guard-hello',
      incarnation: 1,
      process: { kind: 'none', silent: true },
      leaseId: undefined,
      deadline: undefined,
      now: scene.now,
    });
    const kinds = result.dispatches.map(({ action }) => action.kind);
    expect(kinds).toEqual(['grant-lease', 'read-store', 'inspect-disk']);
  });

  it('a lease that is taken over from the loop before is renewed at once', () => {
    const result = step(fresh, {
      kind: 'guard-hello',
      incarnation: 2,
      process: { kind: 'none', silent: true },
      leaseId: '7' as LeaseId,
      deadline: undefined,
      now: scene.now,
    });
    const [first] = result.dispatches;
    expect(first?.action).toEqual({ kind: 'keep-alive', leaseId: '7' });
  });
});

describe('an action under way', () => {
  it('keeps other rules waiting until its outcome comes', () => {
    const member = play(STANDBY);
    member.tick();
    expect(member.underWay('prepare-server')).toBeDefined();
    const { dispatches } = member.tick(5_000);
    expect(dispatches.map(({ lane }) => lane)).not.toContain('server');
    expect(member.rules).toEqual(['hold']);
    member.done('prepare-server', {}, 10);
    expect(member.underWay('start-server')).toBeDefined();
  });

  it('does not keep chores waiting', () => {
    const member = play(STANDBY);
    member.tick();
    expect(member.tick(10_000).dispatches.map(({ lane }) => lane)).toEqual(['lease', 'read']);
  });

  it('is superseded by a fence, and its outcome is dropped', () => {
    const member = play(PRIMARY);
    member.tell({
      kind: 'policy-changed',
      policy: { ...member.state.policy, serverConfigVersion: 'v2' },
    });
    const preparing = member.underWay('prepare-server');
    expect(preparing).toBeDefined();
    member.tick(3_000);
    expect(member.underWay('fence')).toBeDefined();
    const id = preparing?.id ?? 0;
    const before = member.state;
    member.tell({
      kind: 'outcome',
      outcome: { id, kind: 'prepare-server', result: { kind: 'done' } },
    });
    expect(member.state.lanes).toEqual(before.lanes);
    expect(member.state.prepared).toEqual(before.prepared);
  });

  it('is not a fence twice', () => {
    const member = play(PRIMARY);
    member.tick(3_000);
    const fence = member.underWay('fence');
    expect(member.tick(100).dispatches.map(({ action }) => action.kind)).not.toContain('fence');
    expect(member.underWay('fence')).toEqual(fence);
  });
});

describe('a failure', () => {
  it('rests its lane, and the step asks to be woken when that is over', () => {
    const member = play(`${STANDBY}
process: running, standby
probe: standby, at 0/5000000, streaming, from bravo
loop: leaving since now
`);
    member.tick();
    expect(member.underWay('stop-server')).toBeDefined();
    const { wakeAt } = member.fails('stop-server', failed, 10);
    expect(member.rules).toEqual(['stop-standby-when-leaving']);
    expect(member.underWay('stop-server')).toBeUndefined();
    expect(wakeAt).toBe(member.state.restUntil.server);
    const waitMs = (wakeAt ?? member.now) - member.now;
    expect(waitMs).toBeGreaterThan(0);
    member.tick(waitMs - 1);
    expect(member.underWay('stop-server')).toBeUndefined();
    member.tick(1);
    expect(member.underWay('stop-server')).toBeDefined();
  });

  it('of a fence is tried again at once, by the other hand', () => {
    const member = play(PRIMARY.replace('lease held: deadline in 3s', 'lease: renewed 1s ago'));
    member.tick();
    const hands = [member.underWay('fence')?.action];
    for (let round = 0; round < 2; round += 1) {
      member.fails('fence', failed, 10);
      hands.push(member.underWay('fence')?.action);
    }
    const [first, second] = hands.map((action) => (action?.kind === 'fence' ? action.by : '?'));
    expect(new Set([first, second])).toEqual(new Set(['guard', 'loop']));
    expect(hands[2]).toEqual(hands[0]);
  });

  it('of a fence at the deadline is tried again at once, by the loop: the guard has its own', () => {
    const member = play(PRIMARY);
    member.tick(3_000);
    for (let round = 0; round < 2; round += 1) {
      expect(member.underWay('fence')?.action).toEqual({ kind: 'fence', by: 'loop' });
      member.fails('fence', failed, 10);
    }
  });

  it('of the store leaves the server alone until the deadline', () => {
    const member = play(PRIMARY);
    member.tell({ kind: 'store-changed' });
    member.fails('read-store', { kind: 'unknown', cause: 'timed out' }, 500);
    expect(member.rules).toEqual(['hold']);
    member.tick(2_499);
    expect(member.underWay('fence')).toBeUndefined();
    member.tick(1);
    expect(member.underWay('fence')).toBeDefined();
  });
});

describe('an outcome', () => {
  it('of an action that nobody knows of changes nothing', () => {
    const member = play(PRIMARY);
    const before = member.state;
    member.tell({
      kind: 'outcome',
      outcome: { id: 999, kind: 'fence', result: { kind: 'done', silent: true } },
    });
    expect(member.state.process).toEqual(before.process);
  });

  it('of a look at the server before this one is not taken for this one', () => {
    const member = play(PRIMARY.replace('at 0/5000000', 'at 0/5000000, 2s ago'));
    member.tick();
    const asked = member.underWay('probe-server');
    expect(asked).toBeDefined();
    member.tell({
      kind: 'server-exited',
      exit: { pid: 100, startedAs: 'primary', promoted: false, code: null, signal: 'SIGKILL' },
    });
    expect(member.underWay('probe-server')).toBeUndefined();
  });
});

describe('what a step remembers', () => {
  it('lets the rules be asked again in the same step', () => {
    const member = play(`${PRIMARY}
store failover: from alpha, to bravo
store member bravo: running, replica
peer bravo: standby, at 0/5000000 on 1
`);
    member.tick();
    expect(member.rules).toEqual(['begin-switchover', 'checkpoint-before-handing-over']);
    expect(member.underWay('checkpoint')).toBeDefined();
  });

  it('is not remembered when the action that belongs to it could not be sent', () => {
    const scene = mustBuildMember(`${PRIMARY}
store failover: from charlie
under way publish: renewal
`);
    const member = new PlayedMember(scene);
    member.tick();
    expect(member.rules).toEqual(['begin-switchover']);
    expect(member.last?.events).toEqual([]);
    const asked = `${PRIMARY}\noperation: restart, prepared\n`;
    const resting = play(`${asked}resting server: until in 5s\n`);
    resting.tick();
    expect(resting.rules).toEqual(['stop-server-for-operation']);
    expect(resting.state.operating.operation?.stage).toBe('prepared');
    const free = play(asked);
    free.tick();
    expect(free.state.operating.operation?.stage).toBe('stopping');
  });
});
