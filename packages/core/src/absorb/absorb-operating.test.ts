/*
 * Shows a pause and a restart from their beginning to their end, played through step, input by
 * input: in which order the store and the guard are told, and what is left of a word nobody heard.
 */
import { describe, expect, it } from 'vitest';
import type { Failure } from '../model/action.ts';
import type { LeaseId, MemberDocument, Revision, StoreSnapshot } from '../model/store.ts';
import { PlayedMember } from '../testing/played-member.ts';
import { mustBuildMember } from '../testing/scene/must-build.ts';

const HOLDER = `
me alpha:
policy: fast lease, ttl 5s
store: revision 50
store initialize:
store config: paused
store leader alpha: revision 40
store holder alpha:
store member bravo: running, replica, at 0/5000000
lease: renewed now
lease held: term 40, deadline in 4s
process: running, primary
probe: primary, at 0/5000000, now
`;

const STANDBY = `
me alpha:
store initialize:
store leader bravo:
store holder bravo:
store member bravo: running, primary, at 0/5000000
process: running, standby
probe: standby, at 0/5000000, streaming, from bravo
`;

const play = (scene: string): PlayedMember => new PlayedMember(mustBuildMember(scene));

const unknown: Failure = { kind: 'unknown', cause: 'timed out' };

const seenBy = (member: PlayedMember): StoreSnapshot => {
  const seen = member.state.snapshot?.value;
  if (seen === undefined) throw new Error('the scene has no store');
  return seen;
};

/** What the store holds after the member's last transaction but that of its own key. */
const after = (
  member: PlayedMember,
  revision: number,
  changes: Partial<StoreSnapshot> = {},
): StoreSnapshot => ({ ...seenBy(member), revision: revision as Revision, ...changes });

const document = <T>(value: T, revision: number) => ({
  value,
  createRevision: revision as Revision,
  modRevision: revision as Revision,
});

const suspensionOf = ({ state: { self } }: PlayedMember, revision: number) =>
  document({ member: self.name, life: self.life }, revision);

const applied = (snapshot: StoreSnapshot) => ({
  applied: true,
  revision: snapshot.revision,
  snapshot,
});

/** A rule's transaction that is under way. */
const purposes = (member: PlayedMember): readonly string[] =>
  Object.values(member.state.lanes).flatMap((flight) =>
    flight?.action.kind === 'transact' ? [flight.action.purpose] : [],
  );

/** The watch woke the member, and this is what it reads. */
const reads = (member: PlayedMember, snapshot: StoreSnapshot): void => {
  member.tell({ kind: 'store-changed' });
  member.done('read-store', { snapshot });
};

/** Paused, written, and the guard has answered. */
const suspend = (member: PlayedMember): void => {
  member.tick();
  expect(purposes(member)).toEqual(['suspend']);
  expect(member.underWay('suspend-deadline')).toBeUndefined();
  member.done('transact', applied(after(member, 51, { suspension: suspensionOf(member, 51) })));
  expect(member.underWay('suspend-deadline')?.action).toMatchObject({ on: true });
  member.done('suspend-deadline', { on: true });
};

const isFencing = (member: PlayedMember): boolean => member.underWay('fence') !== undefined;

describe('a pause', () => {
  it('lets the primary go on beyond its deadline once the store and the guard know', () => {
    const member = play(HOLDER);
    suspend(member);
    member.tick(1_100);
    member.fails('keep-alive', unknown, 500);
    member.tick(60_000);
    expect(isFencing(member)).toBe(false);
  });

  it('does not, when the guard has refused, or was not heard', () => {
    for (const answer of [undefined, { on: false }]) {
      const member = play(HOLDER);
      member.tick();
      member.done('transact', applied(after(member, 51, { suspension: suspensionOf(member, 51) })));
      if (answer === undefined) member.fails('suspend-deadline', unknown);
      else member.done('suspend-deadline', answer);
      member.tick(60_000);
      expect(isFencing(member)).toBe(true);
    }
  });

  it('that the guard refuses is not asked for again at once', () => {
    const member = play(HOLDER);
    member.tick();
    member.done('transact', applied(after(member, 51, { suspension: suspensionOf(member, 51) })));
    member.done('suspend-deadline', { on: false });
    expect(member.underWay('suspend-deadline')).toBeUndefined();
    member.tick(1_000);
    expect(member.underWay('suspend-deadline')?.action).toMatchObject({ on: true });
  });

  it('does not, when the store was not heard: the guard is not told', () => {
    const member = play(HOLDER);
    member.tick();
    member.fails('transact', unknown);
    expect(member.underWay('suspend-deadline')).toBeUndefined();
    // It had its effect all the same: it is written once more before anybody relies on it.
    reads(member, after(member, 51, { suspension: suspensionOf(member, 51) }));
    member.tick(300);
    expect(purposes(member)).toContain('suspend');
    expect(member.underWay('suspend-deadline')).toBeUndefined();
  });

  it('ends in the same order backwards', () => {
    const member = play(HOLDER);
    suspend(member);
    reads(member, after(member, 52, { config: document({ ttl: 30 }, 52) }));
    expect(member.underWay('suspend-deadline')?.action).toMatchObject({ on: false });
    expect(purposes(member)).not.toContain('end-suspension');
    member.done('suspend-deadline', { on: false });
    expect(purposes(member)).toContain('end-suspension');
  });

  it('that comes back before its end was confirmed begins anew', () => {
    const member = play(HOLDER);
    suspend(member);
    reads(member, after(member, 52, { config: document({ ttl: 30 }, 52) }));
    member.done('suspend-deadline', { on: false });
    member.fails('transact', unknown);
    // The removal may land late: what stands in the store now is not to be relied on.
    reads(member, after(member, 53, { config: document({ pause: true }, 53) }));
    member.tick(300);
    expect(member.underWay('suspend-deadline')).toBeUndefined();
    expect(purposes(member)).toContain('suspend');
  });

  it('is known to the next loop of the same guard, and to no other one', () => {
    const hello = {
      kind: 'guard-hello',
      process: { kind: 'running', pid: 100, startedAs: 'primary', promoted: false },
      leaseId: '7' as LeaseId,
      deadline: undefined,
    } as const;
    const fresh = play(HOLDER);
    fresh.tell({ ...hello, incarnation: 2, suspended: true });
    expect(fresh.state.operating).toMatchObject({ suspended: 'yes', mayStart: 'never' });
    fresh.tell({ ...hello, incarnation: 1 });
    expect(fresh.state.operating).toMatchObject({ suspended: 'no', mayStart: 'if-shut-down' });
  });

  it('gives better candidates their time from its end on', () => {
    const member = play(`${STANDBY.replace('store leader bravo:', '')}
store config: paused
lease vacant: since 10min ago
`);
    const since = member.state.vacantSince;
    reads(member, after(member, 51));
    expect(member.state.vacantSince).toBe(since);
    reads(member, after(member, 52, { config: document({ ttl: 30 }, 52) }));
    expect(member.state.vacantSince).toBe(member.now);
  });

  it('is published by every member', () => {
    const member = play(STANDBY);
    reads(member, after(member, 51, { config: document({ pause: 'on' }, 51) }));
    const flight = member.underWay('transact')?.action;
    const write = flight?.kind === 'transact' ? flight.transaction.writes[0] : undefined;
    expect((write as { readonly put: MemberDocument } | undefined)?.put.pause).toBe(true);
  });
});

describe('a restart', () => {
  const restart = (id: string, limitMs?: number) =>
    ({ kind: 'request', request: { kind: 'restart', id, limitMs } }) as const;

  it('of the primary keeps the lease, and is no crash', () => {
    const member = play(HOLDER.replace('store config: paused', 'store config:'));
    member.tell(restart('a'));
    member.done('checkpoint', {});
    const stop = member.underWay('stop-server');
    expect(stop?.action).toMatchObject({ mode: 'fast' });
    const exit = {
      pid: 100,
      startedAs: 'primary',
      promoted: false,
      code: 0,
      signal: null,
    } as const;
    member.tell({ kind: 'server-exited', exit });
    expect(member.state.vacating).toBeUndefined();
    expect(member.state.tenure).toBeDefined();
    expect(member.rules).not.toContain('hand-over-when-standby-has-all-wal');
  });

  it('is one at a time: the second one is told so', () => {
    const member = play(STANDBY);
    member.tell(restart('a'));
    member.tell(restart('b'));
    expect(member.state.operating.answers).toEqual([
      { id: 'b', kind: 'refused', because: 'restart already in progress' },
    ]);
  });

  it('keeps the last answers only', () => {
    const member = play(STANDBY);
    for (let count = 0; count < 20; count += 1) member.tell(restart(String(count)));
    expect(member.state.operating.answers.map(({ id }) => id).at(-1)).toBe('19');
    expect(member.state.operating.answers).toHaveLength(8);
  });
});
