/*
 * Shows when the lease is granted, renewed and confirmed, when the guard is told, and when the store
 * is read: at the instant, not before, and again when something failed.
 */
import { describe, expect, it } from 'vitest';
import { after } from '../model/instant.ts';
import { NOW } from '../testing/scene/line.ts';
import { mustBuildMember } from '../testing/scene/must-build.ts';
import { assembleView } from '../view/view.ts';
import { armGuard, readStore, renewLease } from './lease-chores.ts';

const HOLDER = `
me alpha:
store initialize:
store leader alpha:
store status: written 0/5000000, slot bravo at 0/4000000, slot alpha at 0/5000000, retains bravo
store member bravo: running, replica
lease held: term 40, deadline in 20s
process: running, primary
`;

const view = (...lines: readonly string[]) =>
  assembleView(mustBuildMember([HOLDER, ...lines].join('\n')));
const probe = 'probe: primary, at 0/5000000, slot bravo active at 0/4000000';

describe('renewLease', () => {
  it('asks for a lease when there is none', () => {
    expect(
      renewLease(assembleView(mustBuildMember('me alpha:\nprocess: not known\nlease: none'))),
    ).toEqual({
      action: { kind: 'grant-lease', ttlMs: 30_000 },
    });
  });

  it.each([
    ['loop_wait', 'policy: loop wait 10s', 10_000],
    ['a fifth of the ttl', 'policy: fast lease, ttl 5s', 1_000],
  ])('renews every %s', (_name, policy, intervalMs) => {
    expect(renewLease(view(policy, `lease: renewed ${intervalMs - 1}ms ago, ttl 30s`))).toEqual({
      askAgainAt: after(NOW, 1),
    });
    expect(renewLease(view(policy, `lease: renewed ${intervalMs}ms ago, ttl 30s`))).toEqual({
      action: { kind: 'keep-alive', leaseId: '7' },
    });
  });

  const standby = 'me alpha:\nprocess: running, standby\nstore initialize:\npolicy: ttl 20s\n';

  it('asks for a new lease when the ttl has changed', () => {
    const free = assembleView(mustBuildMember(`${standby}lease: ttl 30s`));
    expect(renewLease(free)).toMatchObject({ action: { kind: 'grant-lease', ttlMs: 20_000 } });
  });

  it.each([
    ['a primary in peace', probe, true],
    ['one whose server was not looked at', 'probe: no answer', false],
    ['one that is being promoted', 'probe: standby, at 0/5000000', false],
  ])('as holder only as %s', (_name, line, asks) => {
    const answer = renewLease(view('policy: ttl 20s', 'lease: ttl 30s', line));
    expect(answer !== undefined && 'action' in answer).toBe(asks);
  });

  it('stays with the lease under which the leader key names it', () => {
    const doubtful = 'store leader alpha:\ndoubtful term: term 40\n';
    const answer = renewLease(assembleView(mustBuildMember(`${standby}${doubtful}lease: ttl 30s`)));
    expect(answer).toHaveProperty('askAgainAt');
  });

  it('renews a lease of an earlier ttl as often as that ttl needs it', () => {
    const lines = ['policy: ttl 60s, loop wait 20s', 'probe: no answer'];
    expect(renewLease(view(...lines, 'lease: ttl 20s, renewed 3999ms ago'))).toEqual({
      askAgainAt: after(NOW, 1),
    });
    expect(renewLease(view(...lines, 'lease: ttl 20s, renewed 4s ago'))).toHaveProperty('action');
  });

  const confirming = (line: string) => {
    const lines = HOLDER.replace(
      'deadline in 20s',
      'deadline in 20s, to be confirmed from 5ms ago',
    );
    const answer = renewLease(assembleView(mustBuildMember([lines, line].join('\n'))));
    return answer !== undefined && 'action' in answer ? answer.action : undefined;
  };

  it('confirms a renewal by a transaction on our very term, with what has changed of our WAL', () => {
    expect(
      confirming('probe: primary, at 0/5000001, slot bravo active at 0/4000000'),
    ).toMatchObject({
      purpose: 'confirm',
      transaction: {
        compares: [{ key: 'leader', modRevision: 40 }],
        writes: [
          {
            key: 'status',
            put: {
              optime: 0x5000001n,
              // On every standby there is a slot for whoever is the primary now.
              slots: { alpha: 0x5000001n, bravo: 0x4000000n },
              retainSlots: ['bravo'],
            },
          },
        ],
      },
    });
  });

  it('writes nothing when nothing has changed', () => {
    expect(confirming(probe)).toMatchObject({ transaction: { writes: [] } });
  });

  it.each([
    ['a slot has moved', 'probe: primary, at 0/5000000, slot bravo active at 0/4000001', 1],
    ['a slot has come', `${probe}, slot charlie at 0/4000000`, 1],
    ['it is in recovery', 'probe: standby, at 0/6000000', 0],
    ['it does not answer', 'probe: no answer', 0],
  ])('when %s, %s gives %i writes', (_name, line, count) => {
    expect(confirming(line)).toHaveProperty('transaction.writes.length', count);
  });
});

describe('armGuard', () => {
  it.each([
    ['has confirmed nothing', 'guard: no deadline', true],
    ['has confirmed an earlier one', 'guard: deadline in 19999ms', true],
    ['has confirmed this one', 'guard: deadline in 20s', false],
    ['has confirmed a later one of this lease', 'guard: deadline in 21s', false],
    ['has confirmed one of another lease', 'guard: deadline in 21s, for lease 6', true],
  ])('when the guard %s', (_name, guard, tells) => {
    const action = { kind: 'extend-deadline', deadline: after(NOW, 20_000), leaseId: '7' };
    expect(armGuard(view(guard))).toEqual(tells ? { action } : undefined);
  });

  it('never tells a deadline that has passed', () => {
    const lines = HOLDER.replace('deadline in 20s', 'deadline now');
    expect(armGuard(assembleView(mustBuildMember(`${lines}guard: no deadline`)))).toBeUndefined();
  });
});

describe('readStore', () => {
  it.each([
    ['was never read', 'store: never read', true],
    ['is known to have changed', 'store: stale', true],
    ['was read a loop_wait ago', 'store: read 10s ago', true],
    ['was read later than that', 'store: read 9999ms ago', false],
  ])('when the store %s', (_name, store, reads) => {
    const answer = readStore(view(store));
    expect(answer !== undefined && 'action' in answer).toBe(reads);
  });
});
