/** Where one incident ends and the next begins, in scenes of a few lines. */
import { describe, expect, it } from 'vitest';
import type { JournalDetails } from '../model/journal.ts';
import type { PlacedEntry } from './entry.ts';
import { partitionEntries } from './partition.ts';

type Line = readonly [seconds: number, teller: string, event: string, details?: JournalDetails];

const placed = ([seconds, teller, event, details = {}]: Line): PlacedEntry => ({
  teller,
  wallMs: seconds * 1_000,
  atMs: seconds * 1_000,
  clock: undefined,
  revision: undefined,
  event,
  level: event === 'server.exited' ? 'error' : 'info',
  rule: undefined,
  because: undefined,
  action: undefined,
  details,
});

/** The incidents as `teller event`, with who is missing. */
const split = (...lines: readonly Line[]) => {
  const { episodes, calm } = partitionEntries(lines.map(placed));
  const words = ({ teller, event }: PlacedEntry): string => `${teller} ${event ?? ''}`;
  return {
    incidents: episodes.map(({ entries }) => entries.map(words)),
    missing: episodes.map(({ missing }) => missing),
    settled: episodes.map(({ settled }) => settled),
    calm: calm.map(words),
  };
};

const asPrimary = { as: 'primary' };

const crash = (at: number, term: number): readonly Line[] => [
  [at, 'pg1', 'server.exited', asPrimary],
  [at + 0.1, 'pg2', 'lease.vacant', { holder: 'pg1', term, released: 'crash' }],
  [at + 0.2, 'pg2', 'lease.acquired', { term: term + 1 }],
  [at + 0.3, 'pg2', 'primary.accepting'],
  [at + 1, 'pg1', 'standby.streaming'],
];

describe('an incident', () => {
  it('is over when there is a primary and everybody streams', () => {
    const { incidents, missing, settled, calm } = split(...crash(0, 10), [
      30,
      'pg3',
      'server.found',
      {},
    ]);
    expect(incidents.map(({ length }) => length)).toEqual([5]);
    expect([missing, settled]).toEqual([[[]], [true]]);
    expect(calm).toEqual(['pg3 server.found']);
  });

  it('is over when a primary that promises have carried has its lease again', () => {
    const outage: readonly Line[] = [
      [0, 'pg1', 'store.unreachable'],
      [3, 'pg1', 'failsafe.begun', { promised: 'pg2' }],
      [60, 'pg2', 'lease.vacant', { holder: 'pg1', term: 10 }],
      [60.1, 'pg1', 'store.reachable'],
      [60.2, 'pg1', 'lease.acquired', { term: 11 }],
    ];
    expect(split(...outage).settled).toEqual([false]);
    const carried = split(...outage, [60.2, 'pg1', 'failsafe.over', {}]);
    expect([carried.settled, carried.missing]).toEqual([[true], [[]]]);
  });

  it('is another one when the new primary is struck a moment later', () => {
    const { incidents } = split(
      ...crash(0, 10),
      [2, 'pg2', 'server.exited', asPrimary],
      [2.2, 'pg2', 'primary.accepting'],
    );
    expect(incidents.map(([first]) => first)).toEqual(['pg1 server.exited', 'pg2 server.exited']);
  });

  it('begins when a stream is lost, though the lease expires much later', () => {
    const { incidents } = split(
      [0, 'pg2', 'standby.stream-lost'],
      [27, 'pg3', 'lease.vacant', { holder: 'pg1', term: 10, memberGone: true }],
      [27.1, 'pg2', 'lease.vacant', { holder: 'pg1', term: 10, memberGone: true }],
      [27.2, 'pg2', 'lease.acquired', { term: 11 }],
      [27.3, 'pg2', 'primary.accepting'],
    );
    expect(incidents.map(({ length }) => length)).toEqual([5]);
  });

  it('has the return of a member it has lost, hours and incidents later', () => {
    const { incidents, missing } = split(
      [0, 'pg2', 'lease.vacant', { holder: 'pg1', term: 10, memberGone: true }],
      [0.2, 'pg2', 'lease.acquired', { term: 11 }],
      [0.3, 'pg2', 'primary.accepting'],
      [3_600, 'pg2', 'server.exited', asPrimary],
      [3_601, 'pg2', 'primary.accepting'],
      [7_200, 'pg1', 'loop.began'],
      [7_201, 'pg1', 'fork.kept'],
      [7_202, 'pg1', 'standby.streaming'],
    );
    expect(incidents[0]?.slice(3)).toEqual([
      'pg1 loop.began',
      'pg1 fork.kept',
      'pg1 standby.streaming',
    ]);
    expect(incidents).toHaveLength(2);
    expect(missing).toEqual([[], []]);
  });

  it('is not begun by whoever hears of an old one late', () => {
    const { incidents, calm } = split(...crash(0, 10), [
      40,
      'pg3',
      'lease.vacant',
      { holder: 'pg1', term: 10 },
    ]);
    expect(incidents).toHaveLength(1);
    expect(calm).toEqual(['pg3 lease.vacant']);
  });

  it('is a request together with what comes of it', () => {
    const { incidents } = split(
      [0, 'pg3', 'switchover.requested', { request: 5 }],
      [0.1, 'pg1', 'switchover.requested', { request: 5 }],
      [0.2, 'pg1', 'switchover.begun'],
      [0.3, 'pg2', 'switchover.requested', { request: 5 }],
      [0.4, 'pg1', 'server.stopping'],
      [0.5, 'pg2', 'lease.acquired', { term: 11 }],
      [0.6, 'pg2', 'primary.accepting'],
    );
    expect(incidents.map(({ length }) => length)).toEqual([7]);
  });

  it('is not over while there is no primary', () => {
    const { settled, missing } = split([
      0,
      'pg2',
      'lease.vacant',
      { holder: 'pg1', term: 10, memberGone: true },
    ]);
    expect([settled, missing]).toEqual([[false], [['pg1']]]);
  });

  it('is none when nothing is said', () => {
    expect(split()).toMatchObject({ incidents: [], calm: [] });
  });
});
