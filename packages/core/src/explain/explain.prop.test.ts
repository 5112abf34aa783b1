/**
 * For whatever tellers say, in whatever clocks: nothing is lost or told twice, each teller's own order
 * stands, and where the store orders two tellers, causes come before effects.
 */
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { JournalEntry, Testimony } from './entry.ts';
import { explain } from './explain.ts';
import { orderEntries } from './order.ts';
import { partitionEntries } from './partition.ts';

const EVENTS = [
  'loop.began',
  'server.exited',
  'server.silent',
  'server.fenced',
  'server.started',
  'server.stopping',
  'wal.measured',
  'lease.vacant',
  'lease.handed-over',
  'lease.acquiring',
  'lease.acquired',
  'primary.accepting',
  'primary.promoted',
  'standby.streaming',
  'standby.stream-lost',
  'switchover.requested',
  'switchover.begun',
  'switchover.refused',
  'transaction.applied',
  'fork.kept',
  'routes.moved',
  'commits.cancelled',
  'commits.exposed',
  'no.such-event',
  undefined,
];

const anyDetails = fc.record(
  {
    as: fc.constantFrom('primary', 'standby', 'private'),
    holder: fc.constantFrom('pg1', 'pg2'),
    term: fc.constantFrom(1, 2, 3),
    memberGone: fc.boolean(),
    released: fc.constantFrom('crash', 'switchover'),
    silent: fc.boolean(),
    end: fc.constantFrom('0/5000000', '0/6000000', 'nonsense'),
    from: fc.constantFrom('0/5000000', '0/5500000'),
    to: fc.constantFrom('0/6000000'),
    timeline: fc.constantFrom(1, 2),
    parent: fc.constantFrom(1, 2),
    written: fc.integer({ min: 1, max: 20 }),
    sentAt: fc.integer({ min: 0, max: 1_000 }),
    host: fc.constantFrom('a', 'b'),
    write: fc.constantFrom('pg1', 'pg2'),
    request: fc.constantFrom(1, 2),
    tookMs: fc.nat(5_000),
  },
  { requiredKeys: [] },
);

const anyEntry = fc.record({
  wallMs: fc.integer({ min: 0, max: 200_000 }),
  clock: fc.option(fc.integer({ min: 0, max: 1_000 }), { nil: undefined }),
  revision: fc.option(fc.integer({ min: 0, max: 20 }), { nil: undefined }),
  event: fc.constantFrom(...EVENTS),
  level: fc.constantFrom('info', 'warn', 'error'),
  rule: fc.constantFrom('acquire-as-best-candidate', 'hold', undefined),
  because: fc.constantFrom('a reason', undefined),
  action: fc.constantFrom('transact', undefined),
  details: anyDetails,
});

const anyTestimonies: fc.Arbitrary<readonly Testimony[]> = fc
  .uniqueArray(fc.constantFrom('pg1', 'pg2', 'pg3', 'proxy'), { maxLength: 4 })
  .chain((tellers) =>
    fc.tuple(
      ...tellers.map((teller) =>
        fc.array(anyEntry, { maxLength: 12 }).map((entries) => ({
          teller,
          entries: entries.map((entry) => ({ ...entry, teller })),
        })),
      ),
    ),
  );

describe('the order of all entries', () => {
  it('keeps each teller’s own, loses none and doubles none, and goes forward', () => {
    fc.assert(
      fc.property(anyTestimonies, (testimonies) => {
        const { entries } = orderEntries(testimonies);
        for (const { teller, entries: own } of testimonies) {
          const told = entries.filter((entry) => entry.teller === teller);
          expect(told.map(({ atMs: _atMs, ...entry }) => entry)).toEqual(own);
        }
        expect(entries).toHaveLength(
          testimonies.reduce((count, { entries: own }) => count + own.length, 0),
        );
        const times = entries.map(({ atMs }) => atMs);
        expect(times).toEqual(times.toSorted((a, b) => a - b));
      }),
    );
  });
});

describe('incidents', () => {
  it('have each entry once, or leave it to the calm', () => {
    fc.assert(
      fc.property(anyTestimonies, (testimonies) => {
        const { entries } = orderEntries(testimonies);
        const { episodes, calm } = partitionEntries(entries);
        const placed = [...calm, ...episodes.flatMap((episode) => episode.entries)];
        expect(placed).toHaveLength(entries.length);
        expect(new Set(placed)).toEqual(new Set(entries));
        expect(episodes.every((episode) => episode.entries.length > 0)).toBe(true);
      }),
    );
  });

  it('are told whatever was said, twice in the same words', () => {
    fc.assert(
      fc.property(anyTestimonies, (testimonies) => {
        const told = explain(testimonies);
        expect(explain(testimonies)).toEqual(told);
        for (const { steps, beganAtMs } of told.incidents)
          for (const { text, atMs } of steps) {
            expect(text).not.toBe('');
            expect(atMs).toBeGreaterThanOrEqual(beganAtMs);
          }
      }),
    );
  });
});

/** What truly happened, one after the other: somebody decides and writes, or somebody reads. */
interface Deed {
  readonly who: number;
  readonly writes: boolean;
}

const anyDeeds = fc.array(fc.record({ who: fc.nat(2), writes: fc.boolean() }), { maxLength: 25 });

/** Entries as members with these clocks would tell them; the number is the true order. */
const witness = (deeds: readonly Deed[], skewsMs: readonly number[]): readonly Testimony[] => {
  const told: JournalEntry[][] = [[], [], []];
  let revision = 0;
  for (const [index, { who, writes }] of deeds.entries()) {
    const trueMs = 1_000_000 + index * 40;
    const entry = {
      teller: `pg${who + 1}`,
      wallMs: trueMs + (skewsMs[who] ?? 0),
      clock: trueMs - 500_000 * (who + 1),
      level: 'info',
      because: undefined,
      action: undefined,
    };
    const rule = `rule-${index}`;
    const decided = { ...entry, event: 'a.decision', rule, revision, details: { order: index } };
    if (writes) revision += 1;
    const applied: JournalEntry = {
      ...entry,
      wallMs: entry.wallMs + 10,
      clock: entry.clock + 10,
      event: 'transaction.applied',
      rule,
      revision,
      details: { written: revision, sentAt: entry.clock, order: index },
    };
    told[who]?.push(decided, ...(writes ? [applied] : []));
  }
  return told.map((entries, who) => ({ teller: `pg${who + 1}`, entries }));
};

describe('clocks that are wrong', () => {
  it('do not put an effect before its cause', () => {
    const anySkew = fc.integer({ min: -100_000, max: 100_000 });
    fc.assert(
      fc.property(anyDeeds, fc.tuple(anySkew, anySkew, anySkew), (deeds, skewsMs) => {
        const { entries } = orderEntries(witness(deeds, skewsMs));
        const decisions = entries.filter(({ event }) => event === 'a.decision');
        for (const [place, effect] of decisions.entries()) {
          for (const later of decisions.slice(place + 1)) {
            // Whoever wrote what was known here has decided before.
            const written = entries.find(
              ({ event, rule }) => event === 'transaction.applied' && rule === later.rule,
            );
            const known = Number(effect.revision);
            const wrote = Number(written?.details['written'] ?? Infinity);
            if (later.teller !== effect.teller) expect(wrote).toBeGreaterThan(known);
          }
        }
      }),
    );
  });
});
