/** Shows when it is looked whether names hold, and when a checkpoint is made for that: seldom. */
import { describe, expect, it } from 'vitest';
import type { SyncState } from '../replication/sync-state.ts';
import { mustBuildMember } from '../testing/scene/must-build.ts';
import { assembleView } from '../view/view.ts';
import { armSyncNames, showSyncNames } from './sync-chores.ts';

const SCENE = `
me alpha:
policy: quorum
store initialize:
store leader alpha:
lease held:
process: running, primary
probe: primary, at 0/5000000`;

const viewWith = (sync: Partial<SyncState>) => {
  const member = mustBuildMember(SCENE);
  return assembleView({ ...member, sync: { ...member.sync, ...sync } });
};

const shown = (names: string): SyncState['shown'] => ({ names, at: 0 as never, senders: [] });

describe('names that the server was told', () => {
  it.each<[string, Partial<SyncState>, string | undefined]>([
    ['are looked for', { told: '"bravo"' }, 'show-sync-names'],
    ['are not looked for again', { told: '"bravo"', shown: shown('"bravo"') }, undefined],
    ['are not looked for when there are none', { told: '' }, undefined],
    ['are not looked for when another loop told', { told: undefined }, undefined],
  ])('%s', (_what, sync, action) => {
    const due = showSyncNames(viewWith(sync));
    expect(due !== undefined && 'action' in due ? due.action.kind : undefined).toBe(action);
  });
});

describe('a checkpoint', () => {
  const names = { told: '"bravo"', shown: shown('"bravo"') };

  it.each<[string, Partial<SyncState>, string | undefined]>([
    ['is made when backends may not wait yet', { ...names, armed: false }, 'checkpoint'],
    ['is not made when they do', { ...names, armed: true }, undefined],
    ['is not made before the names are shown', { told: '"bravo"', armed: false }, undefined],
    ['is not made for no names', { told: '', shown: shown(''), armed: false }, undefined],
  ])('%s', (_what, sync, action) => {
    const due = armSyncNames(viewWith(sync));
    expect(due !== undefined && 'action' in due ? due.action.kind : undefined).toBe(action);
  });
});
