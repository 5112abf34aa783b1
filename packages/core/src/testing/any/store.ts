/** Any document in the store, and any store. */
import * as fc from 'fast-check';
import type { JournalRow } from '../../model/journal.ts';
import { lsn } from '../../model/lsn.ts';
import { type MemberName, defaultTags } from '../../model/member.ts';
import type {
  DocumentKey,
  LeaseTerm,
  MemberDocument,
  Revision,
  StoreDocuments,
  StoreSnapshot,
  Versioned,
} from '../../model/store.ts';
import { timeline } from '../../model/timeline.ts';
import { anySchedule } from './schedules.ts';
import {
  CLUSTER,
  NAMES,
  anyLeaseId,
  anyLife,
  anyLsn,
  anyName,
  anyPast,
  anyPosition,
  anyTimeline,
  maybe,
} from './values.ts';

const anyDocument: fc.Arbitrary<MemberDocument> = fc.record({
  connUrl: fc.constantFrom('postgres://bravo:5432/postgres', 'nonsense'),
  apiUrl: fc.constant(''),
  state: fc.constantFrom('running', 'stopped', 'starting'),
  role: fc.constantFrom('primary', 'replica'),
  tags: fc.constant(defaultTags),
  ours: fc.boolean(),
});

const versioned = <T>(value: fc.Arbitrary<T>): fc.Arbitrary<Versioned<T> | undefined> =>
  maybe(
    fc
      .tuple(value, fc.constantFrom(39, 40, 41), anyLeaseId)
      .map(([content, revision, leaseId]) => ({
        value: content,
        createRevision: revision as Revision,
        modRevision: revision as Revision,
        leaseId,
      })),
  );

export const anyRow: fc.Arbitrary<JournalRow> = fc.record({
  member: anyName,
  clock: anyPast,
  revision: fc.constant(50 as Revision),
  event: fc.constantFrom('server.exited', undefined),
  level: fc.constant('info'),
  details: fc.constantFrom({}, { pid: 100 }),
});

const anyNamed = fc
  .subarray([...NAMES])
  .map((names) => Object.fromEntries(names.map((name) => [name, ''])));

export const documents: { [K in DocumentKey]: fc.Arbitrary<StoreDocuments[K]> } = {
  initialize: fc.constantFrom(CLUSTER, CLUSTER, CLUSTER, ''),
  config: fc.constantFrom({}, {}, { pause: true }, { failsafe_mode: true }),
  leader: anyName,
  status: fc.record({ optime: anyLsn, retainSlots: fc.constantFrom(undefined, ['delta']) }),
  failover: fc.record({
    leader: maybe(anyName),
    member: maybe(anyName),
    scheduledAt: fc.oneof({ weight: 2, arbitrary: fc.constant(undefined) }, anySchedule),
  }),
  history: fc.constantFrom([], [{ timeline: timeline(1), switchLsn: lsn(0x5000000n), reason: '' }]),
  sync: fc.record({
    leader: maybe(anyName),
    voters: fc.subarray([...NAMES]).map((names) => names as unknown as MemberName[]),
    quorum: fc.constantFrom(0, 1),
  }),
  failsafe: anyNamed,
  timelines: fc.record({
    issued: anyTimeline,
    promotions: fc.constantFrom(
      [],
      [
        {
          timeline: timeline(2),
          parent: timeline(1),
          switchLsn: lsn(0x5000000n),
          member: 'bravo' as MemberName,
          term: 30 as LeaseTerm,
        },
      ],
    ),
  }),
  holder: fc.record({ member: anyName, life: anyLife }),
  handover: fc.record({
    from: anyName,
    term: fc.constant(30 as LeaseTerm),
    cause: fc.constantFrom('crash' as const, 'switchover' as const),
    end: anyPosition,
    heir: maybe(anyName),
    quietMs: fc.constantFrom(0, 30_000),
  }),
  quiet: fc.record({ ms: fc.constantFrom(0, 30_000) }),
  bootstrap: fc.record({ member: anyName, life: anyLife }),
  suspension: fc.record({ member: anyName, life: anyLife }),
  journal: fc.record({ rows: fc.array(anyRow, { maxLength: 2 }) }),
};

export const anySnapshot: fc.Arbitrary<StoreSnapshot> = fc
  .record({
    members: fc.dictionary(fc.constantFrom(...NAMES), versioned(anyDocument), { maxKeys: 3 }),
    documents: fc.record(
      Object.fromEntries(
        Object.entries(documents).map(([key, value]) => [key, versioned<unknown>(value)]),
      ),
    ),
  })
  .map(({ members, documents: contents }) => {
    const present = Object.entries(members).filter(([, document]) => document !== undefined);
    const revision = 50 as Revision;
    return { revision, members: Object.fromEntries(present), ...contents } as StoreSnapshot;
  });
