/** Any server, data directory and peer. */
import * as fc from 'fast-check';
import { defaultTags } from '../../model/member.ts';
import type { PeerAnswer } from '../../model/peer.ts';
import type { DiskFacts, ServerAnswer, ServerProbe, ServerProcess } from '../../model/server.ts';
import { CLUSTER, anyLineage, anyLsn, anyName, anyPosition, anyTags, maybe } from './values.ts';

export const anyProcess: fc.Arbitrary<ServerProcess> = fc.oneof(
  fc.constant({ kind: 'unknown' as const }),
  fc.record({ kind: fc.constant('none' as const), silent: fc.constantFrom(true, true, false) }),
  fc.record({
    kind: fc.constant('running' as const),
    pid: fc.constant(100),
    startedAs: fc.constantFrom(
      'primary' as const,
      'standby' as const,
      'private' as const,
      'adopted' as const,
    ),
    promoted: fc.boolean(),
  }),
);

const anyAnswer: fc.Arbitrary<ServerAnswer> = fc.record({
  kind: fc.constant('answers' as const),
  systemIdentifier: fc.constantFrom(CLUSTER, CLUSTER, '6999'),
  serverVersion: fc.constant(150_008),
  inRecovery: fc.boolean(),
  lineage: anyLineage,
  position: anyPosition,
  receivedLsn: maybe(anyLsn),
  replayedLsn: maybe(anyLsn),
  replayedAt: fc.constant(undefined),
  replayPaused: fc.constant(false),
  streaming: fc.boolean(),
  receiving: fc.boolean(),
  upstream: maybe(fc.constantFrom('bravo:5432', 'charlie:5432')),
  standbys: fc.array(
    fc
      .record({ pid: fc.constantFrom(201, 202), applicationName: anyName, flushLsn: anyLsn })
      .map((row) => ({
        ...row,
        replyTime: undefined,
        state: 'streaming',
        sentLsn: row.flushLsn,
        replayLsn: row.flushLsn,
        syncState: 'async',
        clientAddress: '',
      })),
    { maxLength: 2 },
  ),
  slots: fc.array(
    fc.record({
      name: fc.constantFrom('bravo', 'charlie', 'delta'),
      active: fc.boolean(),
      restartLsn: maybe(anyLsn),
      walStatus: fc.constant('reserved'),
    }),
    { maxLength: 2 },
  ),
  startedAt: fc.constant(''),
  pendingRestart: fc.boolean(),
});

export const anyProbe: fc.Arbitrary<ServerProbe> = fc.oneof(
  { weight: 4, arbitrary: anyAnswer },
  fc.constantFrom(
    { kind: 'none' as const },
    { kind: 'starting' as const },
    { kind: 'no-answer' as const, cause: '' },
  ),
);

export const anyDisk: fc.Arbitrary<DiskFacts> = fc.record({
  content: fc.oneof(
    fc.constantFrom(
      { kind: 'empty' as const },
      { kind: 'not-ours' as const, detail: 'photos' },
      { kind: 'unreadable' as const, detail: 'no permission' },
    ),
    {
      weight: 4,
      arbitrary: fc.record({
        kind: fc.constant('data' as const),
        systemIdentifier: fc.constantFrom(CLUSTER, CLUSTER, '6999'),
        control: fc.constantFrom(
          'shut-down' as const,
          'in-production' as const,
          'in-recovery' as const,
        ),
        lineage: anyLineage,
        standbySignal: fc.boolean(),
        end: maybe(anyLsn),
        rewindable: fc.boolean(),
      }),
    },
  ),
  rewindUnfinished: fc.constantFrom(false, false, true),
  bootstrapUnfinished: fc.constantFrom(false, false, true),
  asideKept: fc.boolean(),
  newReady: fc.boolean(),
  lastWords: fc.constantFrom(undefined, undefined, 'panic' as const),
});

export const anyPeer: fc.Arbitrary<PeerAnswer> = fc.oneof(
  fc.constant({ kind: 'no-answer' as const, cause: '' }),
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constant('answers' as const),
      running: fc.boolean(),
      primary: fc.constantFrom(false, false, true),
      position: anyPosition,
      lineage: maybe(anyLineage),
      tags: anyTags.map((tags) => ({ ...defaultTags, ...tags })),
      electable: fc.constantFrom(true, true, false),
      streaming: fc.boolean(),
      promisedTo: maybe(anyName),
    }),
  },
);
