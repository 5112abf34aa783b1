/*
 * Shows what a member makes of the store's answers: when a renewal counts and until when the lease is
 * held (S2), when it is lost, and what it believes of a leader key under its lease that it knows
 * nothing of (S4). Played through step, input by input.
 */
import { describe, expect, it } from 'vitest';
import type { Failure } from '../model/action.ts';
import { after } from '../model/instant.ts';
import type { LeaseId, Revision, StoreSnapshot, Versioned } from '../model/store.ts';
import { PlayedMember } from '../testing/played-member.ts';
import { mustBuildMember } from '../testing/scene/must-build.ts';
import { LEASE_NOT_FOUND } from './absorb-store.ts';

const HOLDER = `
me alpha:
policy: fast lease, ttl 5s
store: revision 50, read 1s ago
store initialize:
store leader alpha: revision 40
store holder alpha:
lease: renewed 1s ago
lease held: term 40, deadline in 3s
process: running, primary
probe: primary, at 0/5000000, now
`;

const STANDBY = `
me alpha:
policy: fast lease, ttl 5s
store: revision 50
store initialize:
lease: renewed now
process: running, standby
probe: standby, at 0/5000000, now
`;

const play = (scene: string): PlayedMember => new PlayedMember(mustBuildMember(scene));

const unknown: Failure = { kind: 'unknown', cause: 'timed out' };

const snapshotOf = (member: PlayedMember, revision: number): StoreSnapshot => {
  const seen = member.state.snapshot?.value;
  if (seen === undefined) throw new Error('the scene has no store');
  return { ...seen, revision: revision as Revision };
};

const leader = (name: string, revision: number, lease = '7'): Versioned<never> => ({
  value: name as never,
  createRevision: revision as Revision,
  modRevision: revision as Revision,
  leaseId: lease as LeaseId,
});

const withLeader = (member: PlayedMember, revision: number, key: Versioned<never> | undefined) => ({
  ...snapshotOf(member, revision),
  leader: key,
});

const applied = (snapshot: StoreSnapshot) => ({
  applied: true,
  revision: snapshot.revision,
  snapshot,
});

describe('a renewal', () => {
  it('counts from before it was sent, once a transaction has seen the leader key', () => {
    const member = play(HOLDER);
    member.tick();
    const sentAt = member.now;
    const before = member.state.tenure?.deadline;
    member.done('keep-alive', { ttlMs: 5_000 }, 200);
    expect(member.state.tenure?.deadline).toBe(before);
    member.done('transact', applied(snapshotOf(member, 51)), 300);
    expect(member.state.tenure?.deadline).toBe(after(sentAt, 5_000 - 1_000));
  });

  it('counts with the ttl that was granted, not with the one that is wished for', () => {
    const member = play(HOLDER);
    member.tick();
    const sentAt = member.now;
    member.done('keep-alive', { ttlMs: 20_000 }, 10);
    member.done('transact', applied(snapshotOf(member, 51)), 10);
    expect(member.state.tenure?.deadline).toBe(after(sentAt, 20_000 - 2_000));
  });

  it('does not count without that transaction: its answer may be of an old member of the store', () => {
    const member = play(HOLDER);
    member.tick();
    const before = member.state.tenure?.deadline;
    member.done('keep-alive', { ttlMs: 5_000 }, 10);
    member.fails('transact', unknown, 500);
    expect(member.state.tenure?.deadline).toBe(before);
  });

  it('is confirmed by a transaction that is sent after its answer, and by no earlier one', () => {
    const member = play(HOLDER);
    member.tick();
    const first = member.now;
    member.done('keep-alive', { ttlMs: 5_000 }, 10);
    const confirming = member.underWay('transact');
    expect(confirming?.sentAt).toBe(after(first, 10));
    expect(member.underWay('keep-alive')).toBeUndefined();
    // As long as it is under way nothing is renewed, so it cannot confirm a later renewal.
    member.tick(2_000);
    expect(member.underWay('keep-alive')).toBeUndefined();
    member.done('transact', applied(snapshotOf(member, 51)), 10);
    expect(member.state.tenure?.deadline).toBe(after(first, 4_000));
  });

  it('that the transaction did not confirm ends the lease', () => {
    const member = play(HOLDER);
    member.tick();
    member.done('keep-alive', { ttlMs: 5_000 }, 10);
    const foreign = withLeader(member, 51, leader('bravo', 51, '8'));
    member.done('transact', { applied: false, revision: foreign.revision, snapshot: foreign }, 10);
    expect(member.state.tenure).toBeUndefined();
    expect(member.underWay('fence')).toBeDefined();
  });

  it('of a lease that the store has forgotten ends it', () => {
    const member = play(HOLDER);
    member.tick();
    member.done('keep-alive', { ttlMs: 0 }, 10);
    expect(member.state.tenure).toBeUndefined();
    expect(member.state.lease).toBeUndefined();
    expect(member.underWay('fence')).toBeDefined();
  });
});

describe('a look at the store', () => {
  const look = (revision: number, key: Versioned<never> | undefined): PlayedMember => {
    const member = play(HOLDER);
    member.tell({ kind: 'store-changed' });
    member.done('read-store', { snapshot: withLeader(member, revision, key) }, 10);
    return member;
  };

  it('that shows somebody else with the leader key ends the lease, and fences', () => {
    const member = look(51, leader('bravo', 51, '8'));
    expect(member.state.tenure).toBeUndefined();
    expect(member.underWay('fence')).toBeDefined();
  });

  it('that shows no leader key does the same', () => {
    const member = look(51, undefined);
    expect(member.state.tenure).toBeUndefined();
    expect(member.state.vacantSince).toBe(member.now);
    expect(member.underWay('fence')).toBeDefined();
  });

  it('that shows the key written anew ends the term', () => {
    expect(look(51, leader('alpha', 51, '8')).state.tenure).toBeUndefined();
  });

  it('from before the one we know changes nothing', () => {
    const member = look(49, leader('bravo', 49, '8'));
    expect(member.state.tenure?.term).toBe(40);
    expect(member.state.snapshot?.value.revision).toBe(50);
  });

  it('of the same revision is a newer look', () => {
    const before = play(HOLDER);
    expect(before.state.snapshot?.at).toBe(after(before.now, -1_000));
    const member = look(50, leader('alpha', 40));
    expect(member.state.tenure?.term).toBe(40);
    expect(member.state.snapshot?.at).toBe(after(member.now, -10));
  });

  it('remembers since when the lease has been free, not since when it looked last', () => {
    const member = play(STANDBY);
    member.tell({ kind: 'store-changed' });
    member.done('read-store', { snapshot: snapshotOf(member, 51) }, 10);
    const since = member.state.vacantSince;
    member.tell({ kind: 'store-changed' }, 100);
    member.done('read-store', { snapshot: snapshotOf(member, 52) }, 10);
    expect(since).toBeDefined();
    expect(member.state.vacantSince).toBe(since);
    member.tell({ kind: 'store-changed' }, 10);
    member.done('read-store', { snapshot: withLeader(member, 53, leader('bravo', 53, '8')) }, 10);
    expect(member.state.vacantSince).toBeUndefined();
  });
});

describe('an acquired lease', () => {
  it('is held from the renewal before it on, not from the answer', () => {
    const member = play(STANDBY);
    member.tell({ kind: 'store-changed' });
    const renewedAt = member.state.lease?.renewedAt ?? member.now;
    member.done('read-store', { snapshot: snapshotOf(member, 51) }, 10);
    expect(member.rules).toContain('acquire-as-best-candidate');
    member.done('probe-server', { probe: member.state.probe?.value ?? { kind: 'none' } }, 5);
    member.done('transact', applied(withLeader(member, 52, leader('alpha', 52))), 400);
    expect(member.state.tenure).toEqual({ term: 52, deadline: after(renewedAt, 4_000) });
  });

  it('that was taken before us is not ours', () => {
    const member = play(STANDBY);
    member.tell({ kind: 'store-changed' });
    member.done('read-store', { snapshot: snapshotOf(member, 51) }, 10);
    member.done('probe-server', { probe: member.state.probe?.value ?? { kind: 'none' } }, 5);
    const foreign = withLeader(member, 52, leader('bravo', 52, '8'));
    member.done('transact', { applied: false, revision: foreign.revision, snapshot: foreign }, 10);
    expect(member.state.tenure).toBeUndefined();
    expect(member.state.vacantSince).toBeUndefined();
  });

  it('is given up when the store does not know our lease', () => {
    const member = play(STANDBY);
    member.tell({ kind: 'store-changed' });
    member.done('read-store', { snapshot: snapshotOf(member, 51) }, 10);
    member.done('probe-server', { probe: member.state.probe?.value ?? { kind: 'none' } }, 5);
    member.fails('transact', { kind: 'failed', cause: LEASE_NOT_FOUND }, 10);
    expect(member.state.lease).toBeUndefined();
    expect(member.state.tenure).toBeUndefined();
  });
});

const begin = (process: 'primary' | 'standby' | 'none'): PlayedMember => {
  const member = play(
    'me alpha:\npolicy: fast lease, ttl 5s\nprocess: not known\nstore: never read',
  );
  const found =
    process === 'none'
      ? ({ kind: 'none', silent: true } as const)
      : ({ kind: 'running', pid: 100, startedAs: process, promoted: false } as const);
  const leaseId = '7' as LeaseId;
  const deadline = after(member.now, 2_000);
  member.tell({ kind: 'guard-hello', incarnation: 2, process: found, leaseId, deadline });
  return member;
};

const readLeader = (member: PlayedMember, key: Versioned<never>): void => {
  const snapshot = { revision: 50 as Revision, members: {}, leader: key } as StoreSnapshot;
  member.done('read-store', { snapshot }, 10);
};

describe('a leader key under our lease that this loop did not write', () => {
  it('is taken over with the deadline that the guard has, and renewed at once', () => {
    const member = begin('primary');
    const deadline = member.state.guardDeadline;
    readLeader(member, leader('alpha', 40));
    expect(member.state.tenure).toEqual({ term: 40, deadline });
    expect(member.underWay('keep-alive')).toBeDefined();
  });

  it.each(['none', 'standby'] as const)(
    'is not believed with a server that is %s: the loop before us may have released it',
    (process) => {
      const member = begin(process);
      readLeader(member, leader('alpha', 40));
      expect(member.state.tenure).toBeUndefined();
      expect(member.state.doubtfulTerm).toBe(40);
    },
  );

  it('of another lease is not ours', () => {
    const member = begin('primary');
    readLeader(member, leader('alpha', 40, '6'));
    expect(member.state.tenure).toBeUndefined();
    expect(member.underWay('fence')).toBeDefined();
  });

  it('that names somebody else is not ours', () => {
    const member = begin('primary');
    readLeader(member, leader('bravo', 40));
    expect(member.state.tenure).toBeUndefined();
  });
});

const LEAVING = `
me alpha:
policy: fast lease, ttl 5s
loop: leaving since 1s ago
store: revision 50
store initialize:
store leader alpha: revision 40
store holder alpha:
lease: renewed now
lease held: term 40, deadline in 3s
process: dead and silent
disk: of a primary, shut down
`;

describe('a release without an answer', () => {
  it('counts as one, and leaves the term in doubt', () => {
    const member = play(LEAVING);
    member.tick();
    expect(member.rules).toContain('release-when-shutting-down-without-heir');
    member.fails('transact', unknown, 500);
    expect(member.state.tenure).toBeUndefined();
    expect(member.state.doubtfulTerm).toBe(40);
    // The key is still there: the release may yet come.
    member.tick(300);
    member.done('read-store', { snapshot: snapshotOf(member, 51) }, 10);
    expect(member.state.tenure).toBeUndefined();
  });

  it('that had no effect leaves the lease with us', () => {
    const member = play(LEAVING);
    member.tick();
    member.fails('transact', { kind: 'failed', cause: 'refused' }, 10);
    expect(member.state.tenure?.term).toBe(40);
    expect(member.state.doubtfulTerm).toBeUndefined();
  });
});

describe('a store that does not answer', () => {
  it('is not believed to be as it was: a decision waits for a new look', () => {
    const member = play(STANDBY);
    member.tell({ kind: 'store-changed' });
    member.fails('read-store', unknown, 10);
    expect(member.state.snapshotStale).toBe(true);
    expect(member.state.storeFailingSince).toBe(member.now);
    const failingSince = member.now;
    member.tick(300);
    member.fails('read-store', unknown, 10);
    expect(member.state.storeFailingSince).toBe(failingSince);
    member.tick(300);
    member.done('read-store', { snapshot: snapshotOf(member, 51) }, 10);
    expect(member.state.storeFailingSince).toBeUndefined();
  });
});
