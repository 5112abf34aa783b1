/*
 * Shows what a holder makes of a ttl that changes under it: when it asks for another lease, until
 * when it counts on which of the two (S2), and how it learns where the leader key hangs when nobody
 * tells it. Played through step, input by input.
 */
import { describe, expect, it } from 'vitest';
import type { Failure } from '../model/action.ts';
import { type Instant, after } from '../model/instant.ts';
import type { LeaseId, Revision, StoreSnapshot, Versioned } from '../model/store.ts';
import { PlayedMember } from '../testing/played-member.ts';
import { mustBuildMember } from '../testing/scene/must-build.ts';
import { LEASE_NOT_FOUND } from './absorb-store.ts';

const holderWith = (ttl: string, deadline: string): string => `
me alpha:
policy: fast lease, ttl ${ttl}
store: revision 50
store initialize:
store leader alpha: revision 40
store holder alpha:
store timelines: issued 1
lease: renewed now, ttl ${ttl}
lease held: term 40, deadline in ${deadline}
process: running, primary
probe: primary, at 0/5000000, now
`;

const SHORT = holderWith('5s', '4s');
const LONG = holderWith('60s', '54s');
const unknown: Failure = { kind: 'unknown', cause: 'timed out' };

const play = (scene: string): PlayedMember => new PlayedMember(mustBuildMember(scene));

const changeTtl = (member: PlayedMember, ttlMs: number): void => {
  member.tell({ kind: 'policy-changed', policy: { ...member.state.policy, ttlMs } }, 10);
};

/** A member whose ttl has changed, up to the moment in which the other lease is granted. */
const grant = (scene: string, ttlMs: number): { member: PlayedMember; sentAt: Instant } => {
  const member = play(scene);
  changeTtl(member, ttlMs);
  const sentAt = member.underWay('grant-lease')?.sentAt;
  if (sentAt === undefined) throw new Error('no other lease is asked for');
  member.done('grant-lease', { leaseId: '8' as LeaseId, ttlMs }, 20);
  return { member, sentAt };
};

const armed = (member: PlayedMember): PlayedMember => {
  const told = member.underWay('extend-deadline')?.action;
  if (told?.kind !== 'extend-deadline') throw new Error('the guard was not told');
  member.done('extend-deadline', { deadline: told.deadline }, 5);
  return member;
};

const snapshotWith = (
  member: PlayedMember,
  revision: number,
  leader: { readonly name: string; readonly at: number; readonly lease: string } | undefined,
): StoreSnapshot => {
  const seen = member.state.snapshot?.value;
  if (seen === undefined) throw new Error('the scene has no store');
  const key =
    leader === undefined
      ? undefined
      : ({
          value: leader.name,
          createRevision: 40 as Revision,
          modRevision: leader.at as Revision,
          leaseId: leader.lease as LeaseId,
        } as Versioned<never>);
  return { ...seen, revision: revision as Revision, leader: key };
};

const moved = (member: PlayedMember): StoreSnapshot =>
  snapshotWith(member, 51, { name: 'alpha', at: 51, lease: '8' });

describe('a ttl that is raised', () => {
  it('counts when the leader key hangs on a lease that was granted with it', () => {
    const { member, sentAt } = grant(SHORT, 60_000);
    armed(member);
    expect(member.rules).toContain('exchange-lease-for-changed-ttl');
    const snapshot = moved(member);
    member.done('transact', { applied: true, revision: snapshot.revision, snapshot }, 10);
    expect(member.state.tenure).toEqual({ term: 51, deadline: after(sentAt, 54_000) });
    expect(member.state).toMatchObject({ lease: { id: '8', ttlMs: 60_000 }, nextLease: undefined });
    expect(member.underWay('fence')).toBeUndefined();
    expect(member.last?.events.map(({ name }) => name)).toContain('lease.exchanged');
  });

  it('changes nothing about the deadline before', () => {
    const { member } = grant(SHORT, 60_000);
    const before = member.state.guardDeadline;
    armed(member);
    expect(member.state.tenure).toEqual({ term: 40, deadline: before });
    expect(member.state.guardDeadline).toBe(before);
  });
});

describe('a ttl that is lowered', () => {
  it('binds the guard before the leader key can hang on the shorter lease', () => {
    const { member, sentAt } = grant(LONG, 5_000);
    expect(member.state.tenure).toEqual({ term: 40, deadline: after(sentAt, 4_000) });
    expect(member.underWay('transact')).toBeUndefined();
    expect(member.underWay('extend-deadline')?.action).toEqual({
      kind: 'extend-deadline',
      deadline: after(sentAt, 4_000),
      leaseId: '8',
    });
    armed(member);
    expect(member.underWay('transact')?.action).toMatchObject({ purpose: 'exchange-lease' });
  });

  it('is silent in time when nobody knows where the key hangs', () => {
    const { member, sentAt } = grant(LONG, 5_000);
    armed(member);
    member.fails('transact', unknown, 500);
    const deadline = after(sentAt, 4_000);
    member.fails('read-store', unknown, 500);
    member.tick(deadline - member.now - 1);
    expect(member.underWay('fence')).toBeUndefined();
    member.tick(1);
    expect(member.underWay('fence')).toBeDefined();
  });
});

describe('an exchange without an answer', () => {
  const unheard = (): { member: PlayedMember; sentAt: Instant } => {
    const granted = grant(SHORT, 60_000);
    armed(granted.member);
    granted.member.fails('transact', unknown, 500);
    return granted;
  };

  it('was carried out: a look at the store tells, and the reign goes on', () => {
    const { member, sentAt } = unheard();
    member.done('read-store', { snapshot: moved(member) }, 10);
    expect(member.state.tenure).toEqual({ term: 51, deadline: after(sentAt, 54_000) });
    expect(member.state.lease?.id).toBe('8');
    expect(member.underWay('fence')).toBeUndefined();
  });

  it('was not: it is tried again', () => {
    const { member } = unheard();
    const snapshot = snapshotWith(member, 50, { name: 'alpha', at: 40, lease: '7' });
    member.done('read-store', { snapshot }, 10);
    expect(member.state.tenure?.term).toBe(40);
    member.tick(300);
    expect(member.underWay('transact')?.action).toMatchObject({ purpose: 'exchange-lease' });
  });

  it('ends the reign when somebody else has the key', () => {
    const { member } = unheard();
    const snapshot = snapshotWith(member, 51, { name: 'bravo', at: 51, lease: '9' });
    member.done('read-store', { snapshot }, 10);
    expect(member.state).toMatchObject({ tenure: undefined, nextLease: undefined });
    expect(member.underWay('fence')).toBeDefined();
  });

  it('has an answer to a renewal of the lease before left aside', () => {
    const { member, sentAt } = unheard();
    member.tell({ kind: 'server-changed' });
    member.tick(600);
    const renewing = member.underWay('keep-alive');
    expect(renewing?.action).toEqual({ kind: 'keep-alive', leaseId: '7' });
    member.done('read-store', { snapshot: moved(member) }, 10);
    member.done('keep-alive', { ttlMs: 0 }, 10);
    expect(member.state.lease).toMatchObject({ id: '8', renewedAt: sentAt });
    expect(member.state.tenure?.term).toBe(51);
    expect(member.state.confirmFrom).toBeUndefined();
  });
});

describe('the other lease', () => {
  it('that the store does not know any more costs nothing but another one', () => {
    const { member } = grant(SHORT, 60_000);
    armed(member);
    member.fails('transact', { kind: 'failed', cause: LEASE_NOT_FOUND }, 10);
    expect(member.state.nextLease).toBeUndefined();
    expect(member.state.lease?.id).toBe('7');
    expect(member.state.tenure?.term).toBe(40);
    member.tick(300);
    expect(member.underWay('grant-lease')).toBeDefined();
  });

  it('is not taken when the answer is so late that it is half over', () => {
    const member = play(LONG);
    changeTtl(member, 5_000);
    member.done('grant-lease', { leaseId: '8' as LeaseId, ttlMs: 5_000 }, 2_500);
    expect(member.state.nextLease).toBeUndefined();
    expect(member.state.tenure?.term).toBe(40);
  });

  it('is asked for once, also when the store grants more', () => {
    const member = play(LONG);
    changeTtl(member, 5_000);
    member.done('grant-lease', { leaseId: '8' as LeaseId, ttlMs: 15_000 }, 10);
    armed(member);
    const snapshot = moved(member);
    member.done('transact', { applied: true, revision: snapshot.revision, snapshot }, 10);
    expect(member.state.lease).toMatchObject({ id: '8', ttlMs: 15_000 });
    member.tick(100);
    expect(member.underWay('grant-lease')).toBeUndefined();
  });
});

describe('a member that does not hold the lease', () => {
  it('asks once as well', () => {
    const member = play(`
me alpha:
policy: ttl 20s
store initialize:
store leader bravo:
store member bravo: running, primary
lease: ttl 30s
process: running, standby
probe: standby, at 0/5000000, streaming, from bravo
`);
    member.tick();
    member.done('grant-lease', { leaseId: '8' as LeaseId, ttlMs: 25_000 }, 10);
    member.tick(100);
    expect(member.state.lease).toMatchObject({ id: '8', ttlMs: 25_000 });
    expect(member.underWay('grant-lease')).toBeUndefined();
  });
});
