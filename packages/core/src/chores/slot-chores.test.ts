/*
 * Shows that every member has a slot for every other one, that a slot outlives its member for half an
 * hour and no longer, and that a standby's slots follow the holder's without running ahead.
 */
import { describe, expect, it } from 'vitest';
import type { Action, ActionOf } from '../model/action.ts';
import { after } from '../model/instant.ts';
import { lsn } from '../model/lsn.ts';
import type { Revision, StoreSnapshot } from '../model/store.ts';
import type { MemberState } from '../state.ts';
import { PlayedMember } from '../testing/played-member.ts';
import { NOW } from '../testing/scene/line.ts';
import { mustBuildMember } from '../testing/scene/must-build.ts';
import { assemblePeerAnswer } from '../view/documents.ts';
import { assembleView } from '../view/view.ts';
import { MEMBER_SLOT_TTL_MS, changeSlots, wantedSlotNames } from './slot-chores.ts';

const PRIMARY = `
me alpha:
store initialize:
store leader alpha:
store holder alpha:
store timelines: issued 1
store member bravo: running, replica
store member pg-3.example: running, replica
lease held: deadline in 20s
process: running, primary
slots:
`;

const build = (probe: string, rest = ''): MemberState =>
  mustBuildMember(`${PRIMARY}probe: primary, at 0/5000000${probe}\n${rest}`);

const changed = (state: MemberState): ActionOf<'change-slots'> | undefined => {
  const answer = changeSlots(assembleView(state));
  const action: Action | undefined =
    answer !== undefined && 'action' in answer ? answer.action : undefined;
  return action?.kind === 'change-slots' ? action : undefined;
};

const ago = (ms: number) => after(NOW, -ms);

describe('on a primary', () => {
  it('a slot is made for each other member that has none', () => {
    const action = changed(build(', slot bravo active at 0/4000000'));
    expect(action).toMatchObject({ create: ['pg_3_example'], drop: [] });
  });

  it('nothing is done when each has one, and the look is remembered', () => {
    const answer = changeSlots(
      assembleView(build(', slot bravo active at 0/4000000, slot pg_3_example at 0/4000000')),
    );
    expect(answer).toMatchObject({
      askAgainAt: after(NOW, 10_000),
      remember: { slotsAt: NOW, slotsWantedAt: { bravo: NOW, pg_3_example: NOW } },
    });
  });

  const withGone = ', slot bravo active at 0/4000000, slot pg_3_example at 0/4000000, slot delta';

  it.each([
    [MEMBER_SLOT_TTL_MS - 1, []],
    [MEMBER_SLOT_TTL_MS, ['delta']],
  ])('the slot of a member that went away %i ms ago: %j is dropped', (goneMs, dropped) => {
    const state = build(`${withGone} at 0/1000000`);
    const slotsWantedAt = { delta: ago(goneMs) };
    expect(changed({ ...state, slotsWantedAt })?.drop ?? []).toEqual(dropped);
    expect(wantedSlotNames(assembleView({ ...state, slotsWantedAt })).includes('delta')).toBe(
      dropped.length === 0,
    );
  });

  it('none is dropped in a pause', () => {
    const state = build(`${withGone} at 0/1000000`, 'store config: paused');
    const slotsWantedAt = { delta: ago(MEMBER_SLOT_TTL_MS) };
    expect(changed({ ...state, slotsWantedAt })?.drop ?? []).toEqual([]);
  });

  it('a slot in use is never dropped', () => {
    const state = build(`${withGone} active at 0/1000000`);
    const slotsWantedAt = { delta: ago(MEMBER_SLOT_TTL_MS) };
    expect(changed({ ...state, slotsWantedAt })?.drop ?? []).toEqual([]);
  });

  it('a slot that is nobody’s is left alone', () => {
    expect(changed(build(`${withGone} at 0/1000000`))?.drop ?? []).toEqual([]);
  });

  it('slots that the last holder retained are kept from now on, our own excepted', () => {
    const state = build(
      ', slot bravo active at 0/4000000, slot pg_3_example at 0/4000000',
      'store status: written 0/5000000, retains delta, retains alpha',
    );
    expect(changed(state)).toMatchObject({ create: ['delta'] });
  });

  it('a member that is there for hours keeps its slot when it goes', () => {
    const state = build(', slot bravo active at 0/4000000, slot pg_3_example active at 0/4000000');
    const member = new PlayedMember({
      ...state,
      slotsWantedAt: { bravo: ago(4 * MEMBER_SLOT_TTL_MS), pg_3_example: NOW },
    });
    member.tick();
    expect(member.underWay('change-slots')).toBeUndefined();
    const seen = member.state.snapshot?.value;
    const { bravo: _gone, ...members } = seen?.members ?? {};
    const snapshot = { ...seen, members, revision: 60 as Revision } as StoreSnapshot;
    member.tell({ kind: 'store-changed' });
    member.done('read-store', { snapshot }, 10);
    member.tick(10_000);
    expect(wantedSlotNames(assembleView(member.state))).toContain('bravo');
    expect(member.underWay('change-slots')).toBeUndefined();
  });

  it('slots are looked after every loop_wait, not with every step', () => {
    const state = build('');
    expect(changeSlots(assembleView({ ...state, slotsAt: ago(9_999) }))).toEqual({
      askAgainAt: after(NOW, 1),
    });
    expect(changed({ ...state, slotsAt: ago(10_000) })).toBeDefined();
  });
});

describe('slots are left alone', () => {
  it.each([
    ['when the policy has none', build('', 'policy: no slots')],
    ['while the store was never read', build('', 'store: never read')],
    ['while the server does not answer', mustBuildMember(`${PRIMARY}probe: starting`)],
  ])('%s', (_name, state) => {
    expect(changeSlots(assembleView(state))).toBeUndefined();
  });
});

describe('on a standby', () => {
  const standby = (probe: string): MemberState =>
    mustBuildMember(`
me alpha:
store initialize:
store leader bravo:
store member bravo: running, primary
store member charlie: running, replica
store status: written 0/5000000, slot charlie at 0/4000000
process: running, standby
slots:
probe: standby, from bravo, streaming, slot bravo at 0/3000000, ${probe}
`);

  it.each([
    ['behind the holder’s', 'at 0/5000000, slot charlie at 0/3000000', { charlie: lsn(0x4000000) }],
    ['where the holder’s is', 'at 0/5000000, slot charlie at 0/4000000', {}],
    ['ahead of it', 'at 0/5000000, slot charlie at 0/4000001', {}],
    ['in use', 'at 0/5000000, slot charlie active at 0/3000000', {}],
    [
      'and what it needs is replayed to the byte',
      'at 0/5000000, replayed 0/4000000, slot charlie at 0/3000000',
      { charlie: lsn(0x4000000) },
    ],
    [
      'and what it needs is not replayed yet',
      'at 0/5000000, replayed 0/3FFFFFF, slot charlie at 0/3000000',
      {},
    ],
  ])('a slot that is %s', (_name, probe, advance) => {
    expect(changed(standby(probe))?.advance ?? {}).toEqual(advance);
  });

  it('what is known of the server stays, and it is looked at anew at once', () => {
    const member = new PlayedMember(standby('at 0/5000000, slot charlie at 0/3000000'));
    member.tick();
    expect(assemblePeerAnswer(member.state)).toMatchObject({ electable: true });
    member.done('change-slots', {}, 5);
    expect(assemblePeerAnswer(member.state)).toMatchObject({
      electable: true,
      position: { known: true },
    });
    expect(member.underWay('probe-server')).toBeDefined();
  });
});
