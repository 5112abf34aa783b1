/*
 * Shows what a primary makes of answers that never came (S6): of an electorate that may have been
 * written, of names that PostgreSQL may have read, of files that may have been changed; and that
 * names are decided anew in each term.
 */
import { describe, expect, it } from 'vitest';
import type { Failure } from '../model/action.ts';
import type { LeaseId, Revision, StoreSnapshot } from '../model/store.ts';
import { PlayedMember } from '../testing/played-member.ts';
import { mustBuildMember } from '../testing/scene/must-build.ts';

const unknown: Failure = { kind: 'unknown', cause: 'no answer' };

const play = (scene: string): PlayedMember => new PlayedMember(mustBuildMember(scene));

const storeOf = ({ state }: PlayedMember): StoreSnapshot => {
  if (state.snapshot === undefined) throw new Error('the scene has no store');
  return state.snapshot.value;
};

const written = <T>(value: T, revision: number, lease?: string) => ({
  value,
  createRevision: revision as Revision,
  modRevision: revision as Revision,
  leaseId: lease as LeaseId | undefined,
});

/** Bravo is waited for, and may be elected; charlie alone is left to be waited for now. */
const BRAVO_IS_GONE = `
me alpha:
policy: synchronous
store: revision 50
store initialize:
store leader alpha: revision 40
store holder alpha: revision 40
store member bravo: running, replica
store member charlie: running, replica
store sync: leader alpha, revision 12
lease held: term 40
process: running, primary
probe: primary, at 0/5000000, stream charlie at 0/5000000
commits: wait for bravo, told, shown, armed, proven, seen bravo 3s
`;

describe('an electorate whose answer was lost', () => {
  const inDoubt = `${BRAVO_IS_GONE}unsettled electorate: revision 12\n`;

  it('is written again before commits go on without somebody who may be in it', () => {
    const sure = play(BRAVO_IS_GONE);
    sure.tick();
    expect(sure.state.sync.wanted?.names).toEqual(['charlie']);

    const member = play(inDoubt);
    member.tick();
    expect(member.state.sync.wanted?.names).toEqual(['bravo']);
    expect(member.underWay('transact')?.action).toMatchObject({
      purpose: 'write-sync',
      transaction: {
        compares: expect.arrayContaining([{ key: 'sync', modRevision: 12 }]),
        writes: [{ key: 'sync', put: { leader: 'alpha', voters: [], quorum: 0 } }],
      },
    });
  });

  it('is in doubt as long as no later one is in the store', () => {
    const member = play(inDoubt);
    member.tick();
    member.fails('transact', unknown, 1_000);
    member.tick(1_000);
    expect(member.state.sync.wanted?.names).toEqual(['bravo']);

    const sync = written(storeOf(member).sync?.value ?? ({} as never), 51);
    const snapshot = { ...storeOf(member), revision: 51 as Revision, sync };
    member.done('transact', { applied: true, revision: 51 as Revision, snapshot }, 5);
    expect(member.state.sync.wanted?.names).toEqual(['charlie']);
  });

  it('may be the one that was sent a moment ago', () => {
    const both = BRAVO_IS_GONE.replace(
      'stream charlie',
      'stream bravo at 0/5000000, stream charlie',
    );
    const member = play(both);
    member.tick();
    expect(member.underWay('transact')?.action).toMatchObject({ purpose: 'write-sync' });
    member.fails('transact', unknown, 1_000);
    expect(member.state.unsettledSync).toEqual({ term: 40, revision: 12 });
  });

  it('may be one of the loop before', () => {
    const { tenure, ...fresh } = mustBuildMember(
      BRAVO_IS_GONE.replace('commits: wait for bravo, told, shown', 'commits: not decided, shown'),
    );
    const member = new PlayedMember({ ...fresh, tenure: undefined });
    expect(tenure?.term).toBe(40);
    member.tell({ kind: 'store-changed' });
    member.done('read-store', { snapshot: storeOf(member) }, 5);
    expect(member.state.unsettledSync).toEqual({ term: 40, revision: 12 });
    expect(member.state.sync.wanted).toBeUndefined();
  });

  it('is settled before a crashed primary decides whom its commits wait for', () => {
    const crashed = play(`
me alpha:
policy: synchronous
store initialize:
store leader alpha: revision 40
store holder alpha: revision 40
store sync: leader alpha, voter bravo, revision 12
store member bravo: running, replica
unsettled electorate: revision 12
lease held: term 40
process: dead and silent
disk: of a primary, in production
vacating: crash, given up
`);
    crashed.tick();
    expect(crashed.state.sync.wanted).toBeUndefined();
    expect(crashed.underWay('transact')?.action).toMatchObject({ purpose: 'write-sync' });
  });
});

describe('a reload whose answer was lost', () => {
  it('proves nothing by what the server showed before', () => {
    const member = play(BRAVO_IS_GONE);
    member.tick();
    member.done('prepare-server', {}, 5);
    member.fails('reload-server', unknown, 1_000);
    const { sync, appliedVersion, told } = member.state;
    expect(sync).toMatchObject({ told: undefined, shown: undefined, proven: false });
    expect([appliedVersion, told]).toEqual([undefined, undefined]);
    member.tick(1_000);
    expect(member.underWay('reload-server')).toBeDefined();
  });

  it('leaves it open whether backends wait at all when the names were taken away', () => {
    const member = play(BRAVO_IS_GONE.replace(', stream charlie at 0/5000000', ''));
    member.tick();
    member.done('prepare-server', {}, 5);
    expect(member.state.prepared?.syncNames).toBe('');
    member.fails('reload-server', unknown, 1_000);
    expect(member.state.sync.armed).toBe(false);
  });
});

it('files whose change was not answered are written again', () => {
  const member = play(BRAVO_IS_GONE);
  member.tick();
  member.fails('prepare-server', unknown, 1_000);
  expect(member.state.prepared).toBeUndefined();
  member.tick(5_000);
  expect(member.underWay('prepare-server')).toBeDefined();
});

describe('the names of a server that is to be promoted', () => {
  it('are decided anew when the lease was lost in between', () => {
    const member = play(`
me bravo:
policy: quorum
store: revision 50
store initialize:
store leader bravo: revision 40
store holder bravo: revision 40
store member alpha: stopped, replica
store member charlie: running, replica
store sync: leader bravo, voter alpha, voter charlie, votes 2
lease held: term 40, deadline in 4s
promotion: placed, timeline 2
process: running, standby
probe: standby, at 0/5000000
commits: not decided
`);
    member.tick();
    expect(member.state.sync.wanted).toBeDefined();
    member.tell({ kind: 'store-changed' }, 5_000);
    const leader = written('charlie' as never, 60, '99');
    const snapshot = { ...storeOf(member), revision: 60 as Revision, leader };
    member.done('read-store', { snapshot }, 5);
    expect(member.state.tenure).toBeUndefined();
    expect(member.state.sync.wanted).toBeUndefined();
  });
});
