/** Which members a verb is meant for, by name, role, and what is pending. */
import { describe, expect, it } from 'vitest';
import { buildSnapshot, memberDocument } from '../agent/api/testing/build-state.ts';
import { type Choice, chooseMembers } from './choose-members.ts';

const snapshot = buildSnapshot({
  members: {
    pg1: memberDocument(1, { role: 'primary', pendingRestart: true }),
    pg2: memberDocument(2),
    pg3: memberDocument(3, { pendingRestart: true }),
  },
});

const choose = (choice: Partial<Choice> = {}, drawn = 0) =>
  chooseMembers(
    snapshot,
    { named: [], role: 'any', pendingOnly: false, any: false, ...choice },
    () => drawn,
  );

describe('chooseMembers', () => {
  it.each([
    [{}, ['pg1', 'pg2', 'pg3']],
    [{ named: ['pg3', 'pg2'] }, ['pg2', 'pg3']],
    [{ role: 'primary' }, ['pg1']],
    [{ role: 'leader' }, ['pg1']],
    [{ role: 'replica' }, ['pg2', 'pg3']],
    [{ role: 'standby', pendingOnly: true }, ['pg3']],
    [{ pendingOnly: true }, ['pg1', 'pg3']],
  ] as const)('with %j means %j', (choice, members) => {
    expect(choose(choice)).toEqual({ kind: 'chosen', members });
  });

  it('takes one of those that fit', () => {
    expect(choose({ any: true }, 2)).toEqual({ kind: 'chosen', members: ['pg3'] });
    expect(choose({ any: true, role: 'replica' }, 0)).toEqual({ kind: 'chosen', members: ['pg2'] });
  });

  it('names whom it does not know, and says when nobody fits', () => {
    expect(choose({ named: ['pg1', 'pg7', 'pg8'] })).toEqual({
      kind: 'wrong',
      message: 'pg7, pg8: no such member',
    });
    expect(choose({ named: ['pg2'], pendingOnly: true })).toEqual({
      kind: 'wrong',
      message: 'no member fits',
    });
  });
});
