/**
 * Shows when what was asked for at a time is due: by the wall clock as it is told, from there on by
 * the boot clock, whatever the wall clock is set to; and what becomes of restarts that are asked for
 * at a time, up to a loop that takes over what the one before it was asked for.
 */
import { describe, expect, it } from 'vitest';
import { emptyLanes } from '../lanes.ts';
import type { Outcome } from '../model/action.ts';
import { after } from '../model/instant.ts';
import { type WallTime, wallTime } from '../model/schedule.ts';
import { noSchedules } from '../model/schedules.ts';
import type { Revision, StoreSnapshot } from '../model/store.ts';
import type { MemberState } from '../state.ts';
import { mustBuildMember } from '../testing/scene/must-build.ts';
import { NOW, wallTimeAt } from '../testing/scene/line.ts';
import { PlayedMember } from '../testing/played-member.ts';

const STANDBY = [
  'me alpha:',
  'store initialize:',
  'store leader bravo:',
  'store holder bravo:',
  'store member bravo: running, primary, at 0/5000000',
  'process: running, standby',
];
const ANSWERING = 'probe: standby, at 0/5000000, from bravo, streaming';
const MINUTE_MS = 60_000;

const build = (...lines: readonly string[]): MemberState =>
  mustBuildMember([...STANDBY, ...lines].join('\n'));

const play = (...lines: readonly string[]): PlayedMember => new PlayedMember(build(...lines));

/** The wall clock of the scene, `aheadMs` before or behind what it would show. */
const wallAt = (member: PlayedMember, waitMs: number, aheadMs = 0): WallTime =>
  wallTime(wallTimeAt(after(member.now, waitMs)) + aheadMs);

/** Time goes on, and the wall clock has been set to be ahead by so much. */
const pass = (member: PlayedMember, waitMs: number, aheadMs = 0): void => {
  member.tell({ kind: 'tick', wallClock: wallAt(member, waitMs, aheadMs) }, waitMs);
};

const dueMsAgo = ({ state }: PlayedMember): number | undefined => {
  const { restartDueAt } = state.schedules;
  return restartDueAt === undefined ? undefined : state.now - restartDueAt;
};

/** Its server is being stopped: nothing else begins, so that what is due stays to be looked at. */
const BUSY = 'operation: restart, stopping, server 100';

describe('a restart at a time', () => {
  it('is not due before, and then since that moment', () => {
    const member = play(ANSWERING, BUSY, 'scheduled restart: for in 1min');
    pass(member, MINUTE_MS - 1);
    expect(dueMsAgo(member)).toBeUndefined();
    pass(member, 301);
    expect(dueMsAgo(member)).toBe(300);
    pass(member, 1_000);
    expect(dueMsAgo(member)).toBe(1_300);
  });

  it('is due by the wall clock as it has gone on when nobody tells it', () => {
    const member = play(ANSWERING, BUSY, 'scheduled restart: for in 1min');
    member.tick(MINUTE_MS);
    expect(dueMsAgo(member)).toBe(0);
  });

  it('is never due when nobody has ever told the time', () => {
    const member = play(ANSWERING, 'scheduled restart: for in 1s', 'wall clock: never told');
    member.tick(MINUTE_MS);
    expect(dueMsAgo(member)).toBeUndefined();
    expect(member.state.schedules.restart).toBeDefined();
  });

  it('is not late when the wall clock was set forward over its time', () => {
    const member = play(ANSWERING, BUSY, 'scheduled restart: for in 1min');
    pass(member, 1_000, 3_600_000);
    // It was seen not to be due a second ago: it cannot have been due for longer.
    expect(dueMsAgo(member)).toBe(1_000);
  });

  it('waits longer when the wall clock was set back', () => {
    const member = play(ANSWERING, BUSY, 'scheduled restart: for in 1min');
    pass(member, MINUTE_MS, -10_000);
    expect(dueMsAgo(member)).toBeUndefined();
    pass(member, 10_000, -10_000);
    expect(dueMsAgo(member)).toBe(0);
  });

  it('stays due when the wall clock is set back after that, and begins once', () => {
    const member = play(ANSWERING, BUSY, 'scheduled restart: for in 1min');
    pass(member, MINUTE_MS);
    pass(member, 100, -3_600_000);
    expect(dueMsAgo(member)).toBe(100);
    member.state = {
      ...member.state,
      lanes: emptyLanes,
      operating: { ...member.state.operating, operation: undefined },
    };
    pass(member, 100, -3_600_000);
    expect(member.rules).toContain('begin-scheduled-restart');
    expect(member.state.schedules.restart).toBeUndefined();
    pass(member, 3_600_000);
    expect(member.rules).not.toContain('begin-scheduled-restart');
  });

  it('that a loop has slept through for too long is late', () => {
    const member = play(ANSWERING, 'scheduled restart: for in 1s');
    pass(member, MINUTE_MS);
    expect(member.rules).toContain('drop-scheduled-restart');
    expect(member.state.operating.operation).toBeUndefined();
  });
});

describe('asking for one', () => {
  const schedule = { text: 'then', at: wallTimeAt(after(NOW, MINUTE_MS)) };
  const conditions = { pendingOnly: true };
  const restart = { schedule, conditions, limitMs: 5_000 };
  const ask = (member: PlayedMember, id: string): unknown => {
    member.tell({ kind: 'request', request: { kind: 'schedule-restart', id, restart } });
    return member.state.operating.answers.find((answer) => answer.id === id);
  };
  const cancel = (member: PlayedMember, id: string): unknown => {
    member.tell({ kind: 'request', request: { kind: 'cancel-restart', id } });
    return member.state.operating.answers.find((answer) => answer.id === id);
  };

  it('is answered, remembered with the server it is for, and told in the store and the log', () => {
    const member = play(ANSWERING);
    expect(ask(member, '1')).toEqual({ id: '1', kind: 'done', because: 'Restart scheduled' });
    const remembered = { ...restart, postmasterStartedAt: '2026-01-01 00:00:00+00:00' };
    expect(member.state.schedules.restart).toEqual(remembered);
    const published = member.underWay('transact')?.action;
    expect(published).toMatchObject({
      purpose: 'publish-member',
      transaction: { writes: [{ member: 'alpha', put: { scheduledRestart: remembered } }] },
    });
    expect(member.last?.events).toContainEqual({
      name: 'restart.scheduled',
      level: 'info',
      details: { for: 'then' },
    });
  });

  it('is refused while another one waits', () => {
    const member = play(ANSWERING, 'scheduled restart: for in 1h');
    const before = member.state.schedules.restart;
    expect(ask(member, '1')).toMatchObject({
      kind: 'refused',
      because: 'Another restart is already scheduled',
    });
    expect(member.state.schedules.restart).toEqual(before);
  });

  it('is taken back', () => {
    const member = play(ANSWERING, 'scheduled restart: for in 1h');
    expect(cancel(member, '1')).toMatchObject({
      kind: 'done',
      because: 'scheduled restart deleted',
    });
    expect(member.state.schedules).toEqual({
      ...noSchedules,
      clock: member.state.schedules.clock,
    });
    expect(member.last?.events.map(({ name }) => name)).toContain('restart.cancelled');
    expect(cancel(member, '2')).toMatchObject({
      kind: 'refused',
      because: 'no restarts are scheduled',
    });
  });

  it('of a server that does not answer yet is meant for the one that answers first', () => {
    const member = play();
    ask(member, '1');
    expect(member.state.schedules.restart?.postmasterStartedAt).toBeUndefined();
    const { probe } = build(ANSWERING);
    if (probe?.value.kind !== 'answers') throw new Error('it answers');
    member.done('probe-server', { probe: probe.value });
    expect(member.state.schedules.restart?.postmasterStartedAt).toBe(probe.value.startedAt);
  });
});

describe('a loop that begins', () => {
  const scheduled = build(ANSWERING, 'scheduled restart: for in 1min').schedules.restart;

  /** What the first read of the store shows of our own key. */
  const begin = (key: { ours: boolean } & Partial<MemberState['schedules']>): MemberState => {
    const scene = build(ANSWERING);
    const store = scene.snapshot?.value;
    const own = store?.members['alpha'];
    if (store === undefined || own === undefined) throw new Error('the scene has both');
    const value = { ...own.value, ours: key.ours, scheduledRestart: scheduled };
    const snapshot: StoreSnapshot = {
      ...store,
      revision: 51 as Revision,
      members: { ...store.members, alpha: { ...own, value } },
    };
    const flight = {
      id: 1,
      lane: 'read',
      action: { kind: 'read-store' },
      rule: undefined,
      sentAt: NOW,
    } as const;
    const schedules = { ...scene.schedules, restart: key.restart };
    const member = new PlayedMember({
      ...scene,
      snapshot: undefined,
      schedules,
      lanes: { ...scene.lanes, read: flight },
      nextId: 2,
    });
    const outcome: Outcome = { id: 1, kind: 'read-store', result: { kind: 'done', snapshot } };
    member.tell({ kind: 'outcome', outcome });
    return member.state;
  };

  it('takes over what the one before it was asked for', () => {
    expect(begin({ ours: true }).schedules.restart).toEqual(scheduled);
  });

  it('keeps what it has been asked for itself', () => {
    const own = { ...scheduled, limitMs: 7 } as NonNullable<typeof scheduled>;
    expect(begin({ ours: true, restart: own }).schedules.restart).toEqual(own);
  });

  it('leaves alone what a member of Patroni of the same name was asked for', () => {
    expect(begin({ ours: false }).schedules.restart).toBeUndefined();
  });
});

describe('a switchover at a time', () => {
  const scene = (failover: string): PlayedMember =>
    new PlayedMember(
      mustBuildMember(
        [
          'me alpha:',
          'store initialize:',
          'store leader alpha:',
          'store holder alpha:',
          'store member bravo: running, replica, at 0/5000000',
          'lease held: deadline in 20s',
          'process: running, primary',
          'probe: primary, at 0/5000000',
          `store failover: from alpha, to bravo, ${failover}`,
        ].join('\n'),
      ),
    );

  it('is asked for when its time has come, and not again while that is under way', () => {
    const member = scene('for in 10s');
    pass(member, 9_999);
    expect(member.rules).not.toContain('begin-scheduled-switchover');
    pass(member, 1);
    expect(member.underWay('transact')?.action).toMatchObject({ purpose: 'file-failover' });
    pass(member, 1, -60_000);
    expect(member.rules).toEqual(['hold']);
  });

  it('is not late when the wall clock was set forward over its time', () => {
    const member = scene('for in 10s');
    pass(member, 1_000, 3_600_000);
    expect(member.rules).toContain('begin-scheduled-switchover');
  });

  it('that is seen for the first time a minute late is dropped', () => {
    const member = scene('for 1min ago');
    const { failover } = member.state.snapshot?.value ?? {};
    // Nobody has looked at it before: the wall clock was not known.
    member.state = { ...member.state, schedules: noSchedules };
    expect(failover?.value.scheduledAt).toBeDefined();
    pass(member, 0);
    expect(member.rules).toContain('drop-scheduled-switchover');
  });
});
