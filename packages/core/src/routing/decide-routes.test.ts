/*
 * Shows who gets writes and reads for every stage of a failover, as the store tells it. Each row is
 * what the store holds and what was decided before; nothing else is needed.
 */
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type MemberName, defaultTags, memberName } from '../model/member.ts';
import type { LeaseTerm, MemberDocument, Revision, StoreSnapshot } from '../model/store.ts';
import { type Routes, decideRoutes } from './decide-routes.ts';

const a = memberName('a');
const b = memberName('b');
const c = memberName('c');
const members = [a, b, c];
const revision = (number: number): Revision => number as Revision;

interface Said {
  readonly role: string;
  readonly state?: string;
  readonly noloadbalance?: boolean;
}

const primary: Said = { role: 'primary' };
const replica: Said = { role: 'replica' };

const documentOf = ({ role, state = 'running', noloadbalance = false }: Said): MemberDocument => ({
  connUrl: 'postgres://127.0.0.1:5432/postgres',
  apiUrl: 'http://127.0.0.1:8008/patroni',
  state,
  role,
  tags: { ...defaultTags, noloadbalance },
  ours: true,
});

const versioned = <T>(value: T, created: number) => ({
  value,
  createRevision: revision(created),
  modRevision: revision(created),
});

const store = (
  holder: { readonly name: MemberName; readonly term: number } | undefined,
  said: Readonly<Record<string, Said>>,
): StoreSnapshot => ({
  revision: revision(100),
  members: Object.fromEntries(
    Object.entries(said).map(([name, what]) => [name, versioned(documentOf(what), 1)]),
  ),
  ...(holder === undefined ? {} : { leader: versioned(holder.name, holder.term) }),
});

const open = (write: MemberName, term: number, reads: readonly MemberName[]): Routes => ({
  write,
  term: revision(term),
  reads,
  lost: [],
  because: '',
});

const withHolder = (snapshot: StoreSnapshot, since: number, writtenAt: number): StoreSnapshot => ({
  ...snapshot,
  holder: versioned(
    { member: a, life: { host: 'h', run: 'r' }, since: since as LeaseTerm },
    writtenAt,
  ),
});

const decide = (snapshot: StoreSnapshot, previous?: Routes): Routes =>
  decideRoutes({ snapshot, members, previous });

const healthy = store({ name: a, term: 7 }, { a: primary, b: replica, c: replica });
const openAtA = open(a, 7, [b, c]);
const starting = documentOf({ role: 'primary', state: 'starting' });

describe('writes', () => {
  it('go to the lease holder that says it is a running primary', () => {
    expect(decide(healthy)).toEqual({
      write: a,
      term: 7,
      reads: [b, c],
      lost: [],
      because: 'a holds the lease and is a running primary',
    });
  });

  it('go nowhere while nobody holds the lease, whoever calls itself primary', () => {
    const snapshot = store(undefined, { a: primary, b: replica, c: replica });
    expect(decide(snapshot, openAtA)).toMatchObject({
      write: undefined,
      term: undefined,
      reads: [b, c],
      because: 'nobody holds the lease',
    });
  });

  it('stay where they are while a primary goes on in a pause without the lease', () => {
    const life = { host: 'host-1', run: 'run-1' };
    const paused = (member: MemberName, said: Said) => ({
      ...store(undefined, { a: said, b: replica }),
      suspension: versioned({ member, life }, 50),
    });
    const before = open(a, 40, [b]);
    expect(decide(paused(a, primary), before)).toMatchObject({ write: a, term: 40 });
    expect(decide(paused(a, replica), before).write).toBeUndefined();
    expect(decide(paused(b, primary), before).write).toBeUndefined();
    expect(decide(paused(a, primary)).write).toBeUndefined();
  });

  it('stay where they are while a primary may go on by promises', () => {
    const life = { host: 'host-1', run: 'run-1' };
    const named = { a: '', b: '' };
    const vacant = (said: Readonly<Record<string, Said>>, written = 7): StoreSnapshot => ({
      ...store(undefined, said),
      holder: versioned({ member: a, life }, 7),
      failsafe: versioned(named, written),
    });
    // Its key has ended with its lease.
    expect(decide(vacant({ b: replica }), openAtA)).toMatchObject({ write: a, term: openAtA.term });
    expect(decide(vacant({ a: primary, b: replica }), openAtA).write).toBe(a);
    expect(decide(vacant({ a: replica, b: replica }), openAtA).write).toBeUndefined();
    // It does not go by names of before its term.
    expect(decide(vacant({ b: replica }, 6), openAtA).write).toBeUndefined();
    expect(decide(vacant({ b: replica })).write).toBeUndefined();
    const end = { known: false } as const;
    const released = { from: a, term: 7 as LeaseTerm, cause: 'crash', end, quietMs: 0 } as const;
    const after = { ...vacant({ b: replica }), handover: versioned(released, 8) };
    expect(decide(after, openAtA).write).toBeUndefined();
    const taken = { ...vacant({ b: primary }), leader: versioned(b, 9) };
    expect(decide(taken, openAtA)).toMatchObject({ write: b, term: 9 });
  });

  it('go nowhere while the holder is still being promoted', () => {
    const snapshot = store({ name: b, term: 9 }, { b: replica, c: replica });
    expect(decide(snapshot, openAtA)).toMatchObject({
      write: undefined,
      reads: [b, c],
      lost: [a],
      because: 'b holds the lease but says it is replica, running',
    });
    const promoted = store({ name: b, term: 9 }, { b: { role: 'promoted' }, c: replica });
    expect(decide(promoted, openAtA)).toMatchObject({ write: undefined, reads: [c] });
  });

  it('go to the new holder as soon as it says primary', () => {
    const snapshot = store({ name: b, term: 9 }, { a: primary, b: primary, c: replica });
    expect(decide(snapshot, openAtA)).toMatchObject({ write: b, term: 9, reads: [c] });
  });

  it('stay where they are when the leader key was written anew in one reign', () => {
    const exchanged = { ...healthy, leader: versioned(a, 12) };
    expect(decide(withHolder(exchanged, 7, 12), openAtA).term).toBe(7);
    const blind = { ...exchanged, members: { ...exchanged.members, a: versioned(starting, 1) } };
    expect(decide(withHolder(blind, 7, 12), openAtA)).toMatchObject({ write: a, term: 7 });
    // A record of an earlier term says nothing of this one.
    expect(decide(withHolder(exchanged, 7, 11), openAtA).term).toBe(12);
    expect(decide(exchanged, openAtA).term).toBe(12);
  });

  it('go to a primary in the words of Patroni 3.0, too', () => {
    expect(decide(store({ name: a, term: 7 }, { a: { role: 'master' } })).write).toBe(a);
  });

  it.each(['stopping', 'stopped', 'crashed', 'start failed', 'creating replica'])(
    'stop at once when the holder says %s',
    (state) => {
      const snapshot = store({ name: a, term: 7 }, { a: { role: 'primary', state } });
      expect(decide(snapshot, openAtA).write).toBeUndefined();
    },
  );

  it('stop at once when the holder says it is no primary any more', () => {
    const snapshot = store({ name: a, term: 7 }, { a: { role: 'demoted' } });
    expect(decide(snapshot, openAtA).write).toBeUndefined();
  });

  it.each([
    ['says starting, perhaps blind for a moment', { a: { role: 'primary', state: 'starting' } }],
    ['says restarting', { a: { role: 'primary', state: 'restarting' } }],
    ['has no document', {}],
  ])('stay where they are while the same holder %s', (_what, said) => {
    const snapshot = store({ name: a, term: 7 }, said);
    expect(decide(snapshot, openAtA)).toMatchObject({ write: a, term: 7 });
    // But none of that opens a route, for another member or in another term.
    expect(decide(snapshot).write).toBeUndefined();
    expect(decide(snapshot, open(a, 6, [])).write).toBeUndefined();
    expect(decide(snapshot, open(b, 7, [])).write).toBeUndefined();
  });

  it('cannot go to a member there is no route to', () => {
    const d = memberName('d');
    const snapshot = store({ name: d, term: 7 }, { d: primary, e: replica, b: replica });
    expect(decide(snapshot)).toMatchObject({
      write: undefined,
      term: undefined,
      reads: [b],
      because: 'd holds the lease but is not among the members configured here',
    });
  });
});

describe('reads', () => {
  it('go to replicas that run and may take them', () => {
    const snapshot = store(
      { name: a, term: 7 },
      {
        a: primary,
        b: { role: 'replica', noloadbalance: true },
        c: { role: 'replica', state: 'streaming' },
      },
    );
    expect(decide(snapshot).reads).toEqual([c]);
  });

  it.each(['stopped', 'creating replica', 'start failed'])(
    'leave a replica that says %s',
    (state) => {
      const snapshot = store(
        { name: a, term: 7 },
        { a: primary, b: { role: 'replica', state }, c: replica },
      );
      expect(decide(snapshot, openAtA).reads).toEqual([c]);
    },
  );

  it('stay at a replica that says starting, and do not come to one', () => {
    const snapshot = store(
      { name: a, term: 7 },
      {
        a: primary,
        b: { role: 'replica', state: 'starting' },
        c: { role: 'replica', state: 'starting' },
      },
    );
    expect(decide(snapshot, open(a, 7, [b])).reads).toEqual([b]);
  });

  it('leave a replica that is lost', () => {
    const snapshot = store({ name: a, term: 7 }, { a: primary, c: replica });
    expect(decide(snapshot, openAtA)).toMatchObject({ reads: [c], lost: [b] });
  });
});

describe('for every store', () => {
  const said = fc.record({
    role: fc.constantFrom('primary', 'master', 'replica', 'promoted', 'demoted', 'uninitialized'),
    state: fc.constantFrom('running', 'starting', 'stopped', 'crashed', 'streaming', 'nonsense'),
    noloadbalance: fc.boolean(),
  });
  const names = fc.constantFrom('a', 'b', 'c', 'd');
  const snapshots = fc
    .record({
      holder: fc.option(fc.record({ name: names.map(memberName), term: fc.nat({ max: 3 }) }), {
        nil: undefined,
      }),
      said: fc.dictionary(names, said),
    })
    .map(({ holder, said: words }) => store(holder, words));

  it('writes only ever go to the lease holder, and never to a member that takes reads', () => {
    fc.assert(
      fc.property(fc.array(snapshots, { minLength: 1, maxLength: 6 }), (history) => {
        let previous: Routes | undefined;
        for (const snapshot of history) {
          const routes = decide(snapshot, previous);
          if (routes.write !== undefined) {
            expect(routes.write).toBe(snapshot.leader?.value);
            expect(routes.term).toBe(snapshot.leader?.modRevision);
            const role = snapshot.members[routes.write]?.value.role ?? 'primary';
            expect(['primary', 'master']).toContain(role);
            expect(routes.reads).not.toContain(routes.write);
          }
          previous = routes;
        }
      }),
    );
  });
});
