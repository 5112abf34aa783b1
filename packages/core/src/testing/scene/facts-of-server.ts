/** Lines about our own PostgreSQL, its data directory, and what is planned with both. */
import type { Lsn } from '../../model/lsn.ts';
import { parseLsn } from '../../model/lsn.ts';
import type {
  ConnectedStandby,
  ControlState,
  DiskContent,
  DiskFacts,
  ReplicationSlot,
  ServerProbe,
} from '../../model/server.ts';
import type { LeaseTerm } from '../../model/store.ts';
import type { Timeline } from '../../model/timeline.ts';
import { knownPosition, unknownPosition } from '../../model/wal-position.ts';
import { renderSyncNames } from '../../replication/sync-names.ts';
import { type Vacating, beginVacating } from '../../model/vacating.ts';
import { type LineReader, NOW } from './line.ts';
import { type Facts, STARTED, type SceneDraft, addressOf, asMember } from './scene-draft.ts';

export const CLUSTER = '7001';

const readProcess = (line: LineReader, { state }: SceneDraft): void => {
  const kind = line.choice(['running', 'dead and silent', 'dead', 'not known']);
  const startedAs = line.oneOf(['standby', 'primary', 'private', 'adopted']);
  const pid = line.number('pid') ?? 100;
  const promoted = line.has('promoted');
  state.processSince = line.time('since') ?? state.processSince;
  if (kind === 'running') state.process = { kind, pid, startedAs, promoted };
  else if (kind === 'not known') state.process = { kind: 'unknown' };
  else if (kind === undefined)
    line.mistake('"process" needs running, dead and silent, dead or not known');
  else state.process = { kind: 'none', silent: kind === 'dead and silent' };
};

/** `slot bravo active at 0/4000000` */
const readSlots = (line: LineReader): readonly ReplicationSlot[] =>
  line.texts('slot').flatMap((text) => {
    const match = /^(\S+)( active)? at (\S+)$/.exec(text);
    const restartLsn = parseLsn(match?.[3] ?? '');
    if (match === null || restartLsn === undefined) {
      line.mistake(`"slot ${text}": write "slot bravo at 0/4000000" or "slot bravo active at …"`);
      return [];
    }
    const active = match[2] !== undefined;
    return [{ name: match[1] ?? '', active, restartLsn, walStatus: 'reserved' }];
  });

const readReceiving = (line: LineReader, inRecovery: boolean) => {
  const streaming = inRecovery && line.has('streaming');
  return { streaming, receiving: streaming || line.has('receiving') };
};

/** `stream bravo at 0/4000000` */
const readStandbys = (line: LineReader): readonly ConnectedStandby[] =>
  line.texts('stream').flatMap((text, index) => {
    const match = /^(\S+) at (\S+)$/.exec(text);
    const flushLsn = parseLsn(match?.[2] ?? '');
    if (match === null || flushLsn === undefined) {
      line.mistake(`"stream ${text}": write "stream bravo at 0/4000000"`);
      return [];
    }
    return [
      {
        pid: 200 + index,
        replyTime: '2026-01-01T00:00:01Z',
        applicationName: match[1] ?? '',
        state: 'streaming',
        sentLsn: flushLsn,
        flushLsn,
        replayLsn: flushLsn,
        syncState: 'async',
        clientAddress: '127.0.0.1',
      },
    ];
  });

const readAnswer = (line: LineReader, inRecovery: boolean): ServerProbe => {
  const lineage = line.lineage();
  const at = line.lsn('at');
  const upstream = line.text('from');
  const unknown = at === undefined || line.has('end not known');
  return {
    kind: 'answers',
    systemIdentifier: line.text('cluster') ?? CLUSTER,
    serverVersion: 150_008,
    inRecovery,
    lineage,
    position: unknown
      ? unknownPosition
      : knownPosition({ timeline: lineage.timeline, lsn: at ?? (0n as Lsn) }),
    receivedLsn: inRecovery ? at : undefined,
    replayedLsn: inRecovery ? (line.lsn('replayed') ?? at) : undefined,
    replayedAt: undefined,
    replayPaused: false,
    ...readReceiving(line, inRecovery),
    upstream: upstream === undefined ? undefined : addressOf(upstream),
    standbys: readStandbys(line),
    slots: readSlots(line),
    startedAt: line.text('started') ?? STARTED,
    pendingRestart: line.has('restart pending'),
  };
};

const readProbe = (line: LineReader, { state }: SceneDraft): void => {
  const kind = line.choice(['primary', 'standby', 'starting', 'no answer', 'refuses us']);
  const at = line.seen();
  if (kind === undefined)
    line.mistake('"probe" needs primary, standby, starting, no answer or refuses us');
  else if (kind === 'starting') state.probe = { value: { kind }, at };
  else if (kind === 'refuses us')
    state.probe = { value: { kind: 'refuses', cause: 'password authentication failed' }, at };
  else if (kind === 'no answer')
    state.probe = { value: { kind: 'no-answer', cause: 'timed out' }, at };
  else {
    const value = readAnswer(line, kind === 'standby');
    state.probe = { value, at };
    state.streaming = value.kind === 'answers' && value.streaming;
  }
};

const CONTROL: Readonly<Record<string, ControlState>> = {
  'in production': 'in-production',
  'shut down': 'shut-down',
  'shut down in recovery': 'shut-down-in-recovery',
  'in recovery': 'in-recovery',
};

const readContent = (line: LineReader): DiskContent => {
  const kind = line.choice(['of a primary', 'of a standby', 'empty', 'not a data directory']);
  if (kind === 'empty') return { kind };
  if (kind === 'not a data directory') return { kind: 'not-ours', detail: 'it holds photos' };
  if (kind === undefined)
    line.mistake('"disk" needs of a primary, of a standby, empty or not a data directory');
  const standbySignal = kind === 'of a standby';
  const control = line.choice(Object.keys(CONTROL));
  return {
    kind: 'data',
    systemIdentifier: line.text('cluster') ?? CLUSTER,
    control: CONTROL[control ?? ''] ?? (standbySignal ? 'in-recovery' : 'in-production'),
    lineage: line.lineage(),
    standbySignal,
    end: line.lsn('end'),
    rewindable: !line.has('without checksums'),
  };
};

const LAST_WORDS: Readonly<Record<string, DiskFacts['lastWords']>> = {
  'ended with panic': 'panic',
  'ended with disk full': 'disk-full',
  'ended for want of memory': 'host',
};

const readDisk = (line: LineReader, { state }: SceneDraft): void => {
  const at = line.seen();
  const lastWords = line.choice(Object.keys(LAST_WORDS));
  const content = readContent(line);
  const asideKept = line.has('old data aside');
  state.asideKept = asideKept;
  state.disk = {
    at,
    value: {
      content,
      rewindUnfinished: line.has('rewind unfinished'),
      bootstrapUnfinished: line.has('bootstrap unfinished'),
      asideKept,
      newReady: false,
      lastWords: LAST_WORDS[lastWords ?? ''],
    },
  };
};

const readUpstream = (line: LineReader, { state }: SceneDraft): void => {
  const lineage = line.lineage();
  state.upstream = {
    at: line.seen(),
    value: {
      member: asMember(line.line.name),
      systemIdentifier: line.text('cluster') ?? CLUSTER,
      inRecovery: line.has('in recovery'),
      timeline: lineage.timeline,
      lineage,
      oldestLsn: line.lsn('oldest WAL') ?? (0n as Lsn),
      currentLsn: line.lsn('at') ?? (0n as Lsn),
      checkpointed: !line.has('before its checkpoint'),
    },
  };
};

const readVacating = (line: LineReader, { state }: SceneDraft): void => {
  const cause = line.oneOf(['crash', 'cannot-start', 'switchover', 'shutdown']);
  const since = line.time('since') ?? NOW;
  const heir = line.text('heir');
  state.vacating = {
    ...beginVacating(cause, since),
    begunAt: line.time('begun') ?? since,
    endAt: line.time('end known since'),
    heir: heir === undefined ? undefined : asMember(heir),
    checkpointed: line.has('checkpointed'),
    end: line.position('end'),
    givenUp: line.has('given up'),
    rescue: readRescue(line),
    counted: line.has('counted'),
  };
};

const readRescue = (line: LineReader): Vacating['rescue'] => {
  const to = line.text('rescue to');
  return to === undefined
    ? undefined
    : { to: asMember(to), since: line.time('rescue since') ?? NOW };
};

const readRejoin = (line: LineReader, { state }: SceneDraft): void => {
  state.rejoin = {
    ...state.rejoin,
    asked: line.has('asked'),
    method: line.oneOf(['follow', 'rewind', 'clone']),
    because: line.text('because') ?? 'start',
    failedStarts: line.number('failed starts') ?? 0,
    failedRewinds: line.number('failed rewinds') ?? 0,
    failedClones: line.number('failed clones') ?? 0,
    failedMeasures: line.number('failed measures') ?? 0,
    notBefore: line.time('not before') ?? NOW,
    clonedForStarts: line.has('cloned for failed starts'),
    forkKept: line.has('fork kept'),
    cloned: line.has('cloned'),
  };
};

const readPromotion = (line: LineReader, { state }: SceneDraft): void => {
  state.promotion = {
    stage: line.oneOf(['issued', 'placed', 'signalled']),
    timeline: (line.number('timeline') ?? 2) as Timeline,
    term: (line.number('term') ?? 40) as LeaseTerm,
    since: line.time('since') ?? NOW,
  };
};

const readPrepared = (line: LineReader, { state }: SceneDraft): void => {
  const as = line.choice(['primary', 'standby', 'private', 'nothing']);
  const upstream = line.text('from');
  const version = line.text('configuration') ?? state.policy.serverConfigVersion;
  const names = line.texts('wait for').map(asMember);
  if (as === undefined) line.mistake('"prepared" needs primary, standby, private or nothing');
  else if (as === 'nothing') state.prepared = undefined;
  else
    state.prepared = {
      as,
      upstream: upstream === undefined ? undefined : addressOf(upstream),
      version,
      syncNames:
        names.length === 0 ? undefined : renderSyncNames({ method: 'any', count: 1, names }),
    };
  state.appliedVersion = line.text('read') ?? version;
};

export const factsOfServer: Facts = {
  process: { read: readProcess },
  probe: { read: readProbe },
  'not answering': {
    read: (line, { state }) => {
      state.silentSince = line.time('since');
    },
  },
  'not streaming': {
    read: (line, { state }) => {
      state.idleSince = line.time('since');
    },
  },
  fence: {
    read: (line, { state }) => {
      state.fenceFailures = line.number('failed') ?? 0;
    },
  },
  disk: { read: readDisk },
  upstream: { of: 'member', read: readUpstream },
  vacating: { read: readVacating },
  promotion: { read: readPromotion },
  'checkpoint due': {
    read: (_line, { state }) => {
      state.checkpointDue = true;
    },
  },
  aside: {
    read: (line, { state }) => {
      state.asideRetryAt = line.time('not removed before');
    },
  },
  rejoin: { read: readRejoin },
  quiet: {
    read: (line, { state }) => {
      state.quietUntil = line.time('until');
      state.quietCrashes = line.number('crashes') ?? 0;
    },
  },
  bootstrapping: {
    read: (line, { state }) => {
      state.bootstrap = line.choice(['initialised', 'installed', 'users-created']);
      state.failedBootstraps = line.number('failed') ?? 0;
    },
  },
  prepared: { read: readPrepared },
  told: {
    read: (line, { state }) => {
      const upstream = line.text('to follow');
      const value = upstream === undefined ? undefined : addressOf(upstream);
      state.told = { value, at: line.seen() };
    },
  },
  fetched: {
    read: (line, { state }) => {
      state.fetched = line.position('up to');
    },
  },
  slots: {
    read: (line, { state }) => {
      state.slotsAt = line.time('looked at');
    },
  },
};
