/** Lines about the member itself: its name, its policy, its lease and its guard. */
import type { Lane } from '../../model/action.ts';
import type { Instant } from '../../model/instant.ts';
import { after } from '../../model/instant.ts';
import type { LeaseId, LeaseTerm, Revision } from '../../model/store.ts';
import type { LineReader } from './line.ts';
import { NOW } from './line.ts';
import { type Facts, type SceneDraft, addressOf } from './scene-draft.ts';

const readSelf = (line: LineReader, { state }: SceneDraft): void => {
  const { name } = line.line;
  const { self } = state;
  const noConfig = line.has('no bootstrap configuration');
  state.self = {
    ...self,
    name: name as typeof self.name,
    address: addressOf(name),
    connUrl: `postgres://${addressOf(name)}/postgres`,
    apiUrl: `http://${name}:8008/patroni`,
    tags: {
      ...self.tags,
      nofailover: line.has('nofailover'),
      failoverPriority: line.number('priority') ?? 1,
    },
    life: { host: line.text('host') ?? 'host-1', run: line.text('run') ?? 'run-1' },
    bootstrapConfig: noConfig ? undefined : { ttl: 30 },
    mayTakeOverData: line.has('may take over data'),
  };
};

const readPolicy = (line: LineReader, { state }: SceneDraft): void => {
  const { policy } = state;
  const restart = line.choice(['hand over', 'restart in place']);
  const limitMs = line.duration('restart limit') ?? policy.primaryStartTimeoutMs;
  state.policy = {
    ...policy,
    ttlMs: line.duration('ttl') ?? policy.ttlMs,
    loopWaitMs: line.duration('loop wait') ?? policy.loopWaitMs,
    retryTimeoutMs: line.duration('retry timeout') ?? policy.retryTimeoutMs,
    fastLease: line.has('fast lease'),
    primaryStartTimeoutMs: restart === 'hand over' ? 0 : limitMs,
    maximumLagOnFailoverBytes: BigInt(line.number('maximum lag') ?? 1_048_576),
    usePgRewind: !line.has('no rewind'),
    useSlots: !line.has('no slots'),
    failsafe: line.has('failsafe'),
    serverConfigVersion: line.text('configuration') ?? 'v1',
    synchronous: {
      mode: line.has('quorum') ? 'quorum' : line.has('synchronous') ? 'on' : 'off',
      strict: line.has('strict'),
      count: line.number('standbys') ?? 1,
      lagBytesMax: undefined,
    },
    waiting: { roles: line.texts('role waits'), databases: line.texts('database waits') },
  };
};

const readVote = (line: LineReader, { state }: SceneDraft): void => {
  state.vote = line.number('against term') as LeaseTerm | undefined;
};

const readLoop = (line: LineReader, { state }: SceneDraft): void => {
  state.startedAt = line.time('started') ?? state.startedAt;
  const since = line.time('leaving since');
  state.leaving = since === undefined ? undefined : { since };
};

const readLease = (line: LineReader, { state }: SceneDraft): void => {
  const none = line.has('none');
  state.lease = none
    ? undefined
    : {
        id: (line.text('id') ?? '7') as LeaseId,
        ttlMs: line.duration('ttl') ?? state.policy.ttlMs,
        renewedAt: line.time('renewed') ?? after(NOW, -1_000),
        askedTtlMs: line.duration('asked for'),
      };
};

/** Granted with the ttl of today; the leader key still hangs on the other one. */
const readNextLease = (line: LineReader, { state }: SceneDraft): void => {
  const { ttlMs } = state.policy;
  state.nextLease = {
    id: (line.text('id') ?? '8') as LeaseId,
    ttlMs: line.duration('ttl') ?? ttlMs,
    askedTtlMs: ttlMs,
    renewedAt: line.time('renewed') ?? NOW,
  };
};

/** The lease is held. The guard has confirmed the deadline, unless a line on it says otherwise. */
const readTenure = (line: LineReader, { state }: SceneDraft): void => {
  const deadline = line.time('deadline') ?? after(NOW, 26_000);
  state.tenure = { term: (line.number('term') ?? 40) as LeaseTerm, deadline };
  state.confirmFrom = line.time('to be confirmed from');
  state.guardDeadline = deadline;
  state.guardLeaseId = '7' as LeaseId;
};

const readGuard = (line: LineReader, { state }: SceneDraft): void => {
  state.guardDeadline = line.has('no deadline') ? undefined : line.time('deadline');
  state.guardLeaseId = (line.text('for lease') ?? '7') as LeaseId;
};

const readDoubt = (line: LineReader, { state }: SceneDraft): void => {
  state.doubtfulTerm = line.number('term') as LeaseTerm | undefined;
};

const readUnsettled = (line: LineReader, { state }: SceneDraft): void => {
  const term = (line.number('term') ?? 40) as LeaseTerm;
  state.unsettledSync = { term, revision: (line.number('revision') ?? 12) as Revision };
};

const readUnderWay = (line: LineReader, { state }: SceneDraft): void => {
  const lane = line.line.name as Lane;
  const kinds = ['fence', 'start as standby', 'promote', 'clone', 'renewal', 'suspend'] as const;
  const action = line.choice(kinds);
  const sentAt: Instant = line.seen();
  const upstream = { member: state.self.name, address: addressOf('bravo') };
  const actions = {
    fence: { kind: 'fence', by: 'guard' },
    'start as standby': { kind: 'start-server', as: 'standby' },
    promote: { kind: 'promote', timeline: 2 as never },
    clone: { kind: 'clone', from: upstream },
    renewal: { kind: 'keep-alive', leaseId: '7' as LeaseId },
    suspend: { kind: 'suspend-deadline', on: true, leaseId: '7' as LeaseId },
  } as const;
  if (action === undefined) return line.mistake('"under way" needs the action');
  const flight = { id: 0, lane, action: actions[action], rule: undefined, sentAt };
  state.lanes = { ...state.lanes, [lane]: flight };
};

/** `operation restart: stopping, since 2s ago, server 100, within 10s` */
const readOperation = (line: LineReader, { state }: SceneDraft): void => {
  const kind = line.oneOf(['restart', 'reinitialize']);
  const stage = line.oneOf(['asked', 'prepared', 'stopping']);
  const limitMs = line.duration('within');
  const id = '1';
  const request = kind === 'restart' ? { kind, id, limitMs } : { kind, id };
  const operation = {
    request,
    stage,
    since: line.time('since') ?? NOW,
    pid: line.number('server'),
    failedStarts: line.number('failed starts') ?? 0,
  };
  state.operating = { ...state.operating, operation };
};

const readPause = (line: LineReader, { state }: SceneDraft): void => {
  const suspended = line.choice(['guard told', 'guard not heard'] as const);
  const mayStart = line.choice(['may start', 'may start if shut down'] as const);
  const mayStartBy = { 'may start': 'always', 'may start if shut down': 'if-shut-down' } as const;
  state.operating = {
    ...state.operating,
    suspended: suspended === undefined ? 'no' : suspended === 'guard told' ? 'yes' : 'unknown',
    announced: line.number('announced at') as Revision | undefined,
    mayStart: mayStart === undefined ? 'never' : mayStartBy[mayStart],
  };
};

export const factsOfMember: Facts = {
  me: { of: 'member', read: readSelf },
  policy: { read: readPolicy },
  loop: { read: readLoop },
  lease: { read: readLease },
  'next lease': { read: readNextLease },
  'lease held': { read: readTenure },
  guard: { read: readGuard },
  'doubtful term': { read: readDoubt },
  'unsettled electorate': { read: readUnsettled },
  'in pause': { read: readPause },
  operation: { read: readOperation },
  vote: { read: readVote },
  'under way': { of: 'lane', read: readUnderWay },
  resting: {
    of: 'lane',
    read: (line, { state }) => {
      const until = line.time('until');
      state.restUntil = { ...state.restUntil, [line.line.name]: until };
    },
  },
};
