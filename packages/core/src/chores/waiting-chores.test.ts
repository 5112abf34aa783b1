/**
 * Shows when the settings of roles and databases are looked at and changed: by the primary that
 * holds the lease alone, at once after a change of the policy, seldom else, and in no race with
 * whoever sets them back.
 */
import { describe, expect, it } from 'vitest';
import { WAITING_LOOK_MS } from '../absorb/absorb-waiting.ts';
import type { Action } from '../model/action.ts';
import { after } from '../model/instant.ts';
import type { WaitingSetting } from '../model/waiting.ts';
import type { MemberState } from '../state.ts';
import { PlayedMember } from '../testing/played-member.ts';
import { NOW } from '../testing/scene/line.ts';
import { mustBuildMember } from '../testing/scene/must-build.ts';
import { assembleMemberDocument } from '../view/documents.ts';
import { assembleView } from '../view/view.ts';
import { WAITING_CHANGE_MS, manageWaiting } from './waiting-chores.ts';

const PRIMARY = `
me alpha:
store initialize:
store leader alpha:
store holder alpha:
store timelines: issued 1
lease held: deadline in 20s
process: running, primary
probe: primary, at 0/5000000
`;
const NAMED = 'policy: quorum, role waits billing, database waits ledger';

const build = (...lines: readonly string[]): MemberState =>
  mustBuildMember([PRIMARY, ...lines].join('\n'));

/** As if the server had not been asked yet. */
const unasked = (state: MemberState): MemberState => ({
  ...state,
  waiting: { ...state.waiting, asked: undefined, lookAt: NOW },
});

const ask = (state: MemberState) => manageWaiting(assembleView(state));

const actionOf = (state: MemberState): Action | undefined => {
  const answer = ask(state);
  return answer !== undefined && 'action' in answer ? answer.action : undefined;
};

const setting = (changes: Partial<WaitingSetting> = {}): WaitingSetting => ({
  kind: 'role',
  name: 'billing',
  value: undefined,
  marked: false,
  canConnect: true,
  ...changes,
});

const SHOW = { kind: 'show-waiting', roles: ['billing'], databases: ['ledger'] };

describe('the settings are looked at', () => {
  it('once in a reign, also where nobody is named: an earlier primary may have left marks', () => {
    expect(actionOf(unasked(build()))).toEqual({ ...SHOW, roles: [], databases: [] });
    expect(ask(build('waiting: looked 1h ago'))).toBeUndefined();
  });

  it('as long as somebody is named, or is still marked', () => {
    const named = 'waiting: looked 9999ms ago, role billing marked on';
    expect(ask(build(NAMED, named))).toEqual({ askAgainAt: after(NOW, 1) });
    expect(actionOf(build(NAMED, named.replace('9999ms', '10s')))).toEqual(SHOW);
    const left = 'waiting: for nobody, looked 10s ago, role old marked on';
    expect(actionOf(build(left))).toMatchObject({ kind: 'show-waiting' });
  });

  it('at once when the policy names others', () => {
    expect(actionOf(build(NAMED, 'waiting: for nobody, looked 1ms ago'))).toEqual(SHOW);
  });

  it('later when a look has failed', () => {
    const member = new PlayedMember(unasked(build(NAMED)));
    member.tick();
    member.fails('show-waiting', { kind: 'failed', cause: 'no connection' });
    member.tick(WAITING_LOOK_MS - 1);
    expect(member.underWay('show-waiting')).toBeUndefined();
    member.tick(1);
    expect(member.underWay('show-waiting')).toBeDefined();
  });
});

describe('nothing is looked at or changed', () => {
  it.each([
    ['without the lease', build(NAMED), { tenure: undefined }],
    ['past its deadline', build(NAMED), { tenure: { term: 40 as never, deadline: NOW } }],
    ['on a standby', build(NAMED, 'probe: standby, at 0/5000000'), {}],
    ['while the server does not answer', build(NAMED, 'probe: no answer'), {}],
    ['on a private server', build(NAMED, 'process: running, private'), {}],
    ['while the server is handed over', build(NAMED, 'vacating: switchover'), {}],
  ])('%s', (_what, state, changes: Partial<MemberState>) => {
    expect(ask({ ...unasked(state), ...changes })).toBeUndefined();
  });
});

describe('what differs from the policy', () => {
  it('is changed, and looked at again at once', () => {
    const member = new PlayedMember(unasked(build(NAMED)));
    member.tick();
    member.done('show-waiting', { settings: [setting()] }, 5);
    expect(member.underWay('manage-waiting')?.action).toEqual({
      kind: 'manage-waiting',
      set: [{ kind: 'role', name: 'billing' }],
      reset: [],
    });
    member.done('manage-waiting', {}, 5);
    expect(member.underWay('show-waiting')).toBeDefined();
    member.done('show-waiting', { settings: [setting({ value: 'on', marked: true })] }, 5);
    expect(member.underWay('manage-waiting')).toBeUndefined();
    const document = assembleMemberDocument(assembleView(member.state));
    expect(document.waiting).toEqual([
      { kind: 'role', name: 'billing', state: 'waits' },
      { kind: 'database', name: 'ledger', state: 'missing' },
    ]);
  });

  it('is not changed in a race with whoever sets it back', () => {
    const lines = (changedMs: number) =>
      build(NAMED, `waiting: looked 0ms ago, changed ${changedMs}ms ago, role billing`);
    expect(actionOf(lines(WAITING_CHANGE_MS - 1))).toBeUndefined();
    expect(actionOf(lines(WAITING_CHANGE_MS))).toMatchObject({ kind: 'manage-waiting' });
  });

  it('is changed at once for a policy of now, whenever it was changed for another one', () => {
    const member = new PlayedMember(
      build('waiting: for nobody, looked 0ms ago, changed 1ms ago, role billing marked on'),
    );
    member.tell({ kind: 'policy-changed', policy: build(NAMED).policy });
    member.done('show-waiting', { settings: [setting()] }, 5);
    expect(member.underWay('manage-waiting')).toBeDefined();
  });

  it('is not judged by a look for other names', () => {
    const state = build(NAMED, 'waiting: for nobody, looked 0ms ago, role billing marked on');
    expect(assembleMemberDocument(assembleView(state)).waiting).toBeUndefined();
  });

  it('is what this server says: after its end nothing is known', () => {
    const member = new PlayedMember(build(NAMED, 'waiting: looked 1s ago, role billing marked on'));
    const exit = {
      pid: 100,
      startedAs: 'primary',
      promoted: false,
      code: 1,
      signal: null,
    } as const;
    member.tell({ kind: 'server-exited', exit });
    expect(member.state.waiting.asked).toBeUndefined();
  });
});
