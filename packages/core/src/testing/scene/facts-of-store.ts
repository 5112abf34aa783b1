/** Lines about the store's documents, and about what the other members answered. */
import { after } from '../../model/instant.ts';
import { type MemberName, defaultTags } from '../../model/member.ts';
import type { FailoverDocument, LeaseId, MemberDocument } from '../../model/store.ts';
import type { Promotion, Revision } from '../../model/store.ts';
import type { LeaseTerm, StatusDocument } from '../../model/store.ts';
import type { Lsn } from '../../model/lsn.ts';
import { parseLsn } from '../../model/lsn.ts';
import type { Timeline } from '../../model/timeline.ts';
import { knownPosition, unknownPosition } from '../../model/wal-position.ts';
import { scheduleFor } from './facts-of-schedules.ts';
import { type LineReader, NOW } from './line.ts';
import {
  type Facts,
  LEASE_OF_OTHERS,
  type SceneDraft,
  addressOf,
  asMember,
  putDocument,
} from './scene-draft.ts';

const readStore = (line: LineReader, { state }: SceneDraft): void => {
  state.snapshotStale = line.has('stale');
  state.storeFailingSince = line.time('failing since');
  if (line.has('never read')) {
    state.snapshot = undefined;
    return;
  }
  const revision = (line.number('revision') ?? 50) as Revision;
  state.snapshot = { value: { revision, members: {} }, at: line.time('read') ?? NOW };
};

const readTags = (line: LineReader) => ({
  ...defaultTags,
  nofailover: line.has('nofailover'),
  failoverPriority: line.number('priority') ?? 1,
  nosync: line.has('nosync'),
  syncPriority: line.number('sync priority') ?? 1,
});

const STATES = ['running', 'starting', 'stopped', 'creating replica', 'crashed'] as const;
const ROLES = ['replica', 'primary', 'promoted', 'demoted', 'uninitialized'] as const;

const readOffer = (line: LineReader): MemberDocument['offer'] => {
  const to = line.text('offers WAL to');
  const end = line.position('offered end');
  return to === undefined || end === undefined ? undefined : { to: asMember(to), end };
};

const readMember = (line: LineReader, scene: SceneDraft): void => {
  const { name } = line.line;
  const position = line.lsn('at');
  const leaseId = (line.text('lease') as LeaseId | undefined) ?? LEASE_OF_OTHERS;
  if (name === scene.state.self.name) scene.ownKeyTold = true;
  const value = {
    connUrl: `postgres://${addressOf(name)}/postgres`,
    apiUrl: `http://${name}:8008/patroni`,
    state: line.oneOf(STATES),
    role: line.oneOf(ROLES),
    tags: readTags(line),
    xlogLocation: position,
    ours: !line.has('of Patroni'),
    vote: line.number('vote') as LeaseTerm | undefined,
    offer: readOffer(line),
  };
  const revision = (line.number('revision') ?? 48) as Revision;
  scene.members[name] = { value, createRevision: revision, modRevision: revision, leaseId };
};

const readLeader = (line: LineReader, scene: SceneDraft): void => {
  const ours = line.line.name === scene.state.self.name;
  const leaseId = (line.text('lease') as LeaseId | undefined) ?? (ours ? '7' : LEASE_OF_OTHERS);
  putDocument(scene, line, {
    key: 'leader',
    value: asMember(line.line.name),
    leaseId: leaseId as LeaseId,
  });
};

const readLife = (line: LineReader) => ({
  host: line.text('host') ?? 'host-1',
  run: line.text('run') ?? 'run-1',
});

const readStatus = (line: LineReader, scene: SceneDraft): void => {
  const slots: Record<string, Lsn> = {};
  for (const text of line.texts('slot')) {
    const [, name = '', at = ''] = /^(\S+) at (\S+)$/.exec(text) ?? [];
    const position = parseLsn(at);
    if (position === undefined) line.mistake(`"slot ${text}": write "slot bravo at 0/4000000"`);
    else slots[name] = position;
  }
  const value: StatusDocument = {
    optime: line.lsn('written') ?? (0n as Lsn),
    slots,
    retainSlots: line.texts('retains'),
  };
  putDocument(scene, line, { key: 'status', value });
};

const CAUSES = ['crash', 'cannot-start', 'switchover', 'shutdown'] as const;

const readHandover = (line: LineReader, scene: SceneDraft): void => {
  const end = line.position('end');
  const heir = line.text('heir');
  const needed = line.position('needed');
  putDocument(scene, line, {
    key: 'handover',
    value: {
      from: asMember(line.text('from') ?? 'bravo'),
      term: (line.number('term') ?? 30) as LeaseTerm,
      cause: line.oneOf(CAUSES),
      end: end === undefined ? unknownPosition : knownPosition(end),
      ...(needed === undefined ? {} : { needed }),
      heir: heir === undefined ? undefined : asMember(heir),
      quietMs: line.duration('quiet') ?? 0,
    },
  });
};

/** `later`; or a time, `for in 10s` */
const readSchedule = (line: LineReader): Pick<FailoverDocument, 'scheduledAt'> => {
  if (line.has('for no time')) return { scheduledAt: { text: 'tonight', at: undefined } };
  const at = line.has('later') ? after(NOW, 3_600_000) : line.time('for');
  return at === undefined ? {} : { scheduledAt: scheduleFor(at) };
};

const readFailover = (line: LineReader, scene: SceneDraft): void => {
  const from = line.text('from');
  const to = line.text('to');
  putDocument(scene, line, {
    key: 'failover',
    value: {
      ...(from === undefined ? {} : { leader: asMember(from) }),
      ...(to === undefined ? {} : { member: asMember(to) }),
      ...readSchedule(line),
    },
  });
};

/** `promotion 2 from 1 at 0/5000000 by bravo` */
const readPromotion = (line: LineReader, text: string): Promotion[] => {
  const match = /^(\d+) from (\d+) at (\S+) by (\S+)$/.exec(text);
  const switchLsn = parseLsn(match?.[3] ?? '');
  if (match === null || switchLsn === undefined) {
    line.mistake(`"promotion ${text}": write "promotion 2 from 1 at 0/5000000 by bravo"`);
    return [];
  }
  return [
    {
      timeline: Number(match[1]) as Timeline,
      parent: Number(match[2]) as Timeline,
      switchLsn,
      member: asMember(match[4] ?? ''),
      term: 30 as LeaseTerm,
    },
  ];
};

const readTimelines = (line: LineReader, scene: SceneDraft): void => {
  const promotions = line.texts('promotion').flatMap((text) => readPromotion(line, text));
  const issued = (line.number('issued') ?? 1) as Timeline;
  putDocument(scene, line, { key: 'timelines', value: { issued, promotions } });
};

const readHistory = (line: LineReader, scene: SceneDraft): void => {
  const value = line
    .ancestors('left')
    .map((ancestor) => ({ ...ancestor, reason: 'no recovery target specified' }));
  putDocument(scene, line, { key: 'history', value });
};

const readPeer = (line: LineReader, scene: SceneDraft): void => {
  const { name } = line.line;
  if (line.has('no answer')) {
    scene.answers[name] = { kind: 'no-answer', cause: 'timed out' };
    return;
  }
  const role = line.oneOf(['standby', 'primary', 'not running']);
  const position = line.position('at');
  const timeline = position?.timeline ?? (1 as Timeline);
  scene.answers[name] = {
    kind: 'answers',
    running: role !== 'not running',
    primary: role === 'primary',
    position: position === undefined ? unknownPosition : knownPosition(position),
    lineage: { timeline, ancestors: line.ancestors('left') },
    tags: readTags(line),
    electable: role === 'standby' && !line.has('not electable'),
    streaming: line.has('streaming'),
    vote: line.number('vote') as LeaseTerm | undefined,
    promisedTo: line.text('promised') as MemberName | undefined,
  };
};

export const factsOfStore: Facts = {
  store: { read: readStore },
  'lease vacant': {
    read: (line, { state }) => {
      state.vacantSince = line.time('since');
    },
  },
  'store initialize': {
    read: (line, scene) => {
      const value = line.has('begun') ? '' : (line.text('cluster') ?? '7001');
      putDocument(scene, line, { key: 'initialize', value });
    },
  },
  'store config': {
    read: (line, scene) => {
      const value = {
        ttl: 30,
        ...(line.has('paused') ? { pause: true } : {}),
        ...(line.has('failsafe') ? { failsafe_mode: true } : {}),
      };
      putDocument(scene, line, { key: 'config', value });
    },
  },
  'store sync': {
    read: (line, scene) => {
      const leader = line.text('leader');
      const value = {
        ...(leader === undefined ? {} : { leader: asMember(leader) }),
        voters: line.texts('voter').map(asMember),
        quorum: (line.number('votes') ?? 1) - 1,
      };
      putDocument(scene, line, { key: 'sync', value });
    },
  },
  'store failsafe': {
    read: (line, scene) => {
      const named = line.texts('names').map((name) => [name, `http://${name}:8008/patroni`]);
      putDocument(scene, line, { key: 'failsafe', value: Object.fromEntries(named) });
    },
  },
  'store member': { of: 'member', read: readMember },
  'store leader': { of: 'member', read: readLeader },
  'store holder': {
    of: 'member',
    read: (line, scene) => {
      const since = line.number('since term') as LeaseTerm | undefined;
      const value = { member: asMember(line.line.name), life: readLife(line), since };
      putDocument(scene, line, { key: 'holder', value });
    },
  },
  'store status': { read: readStatus },
  'store handover': { read: readHandover },
  'store failover': { read: readFailover },
  'store timelines': { read: readTimelines },
  'store history': { read: readHistory },
  'store quiet': {
    read: (line, scene) => {
      putDocument(scene, line, { key: 'quiet', value: { ms: line.duration('for') ?? 0 } });
    },
  },
  'store suspension': {
    of: 'member',
    read: (line, scene) => {
      const value = { member: asMember(line.line.name), life: readLife(line) };
      putDocument(scene, line, { key: 'suspension', value });
    },
  },
  'store bootstrap': {
    of: 'member',
    read: (line, scene) => {
      const { name } = line.line;
      const ours = name === scene.state.self.name;
      const leaseId = (line.text('lease') ?? (ours ? '7' : LEASE_OF_OTHERS)) as LeaseId;
      const value = { member: asMember(name), life: readLife(line) };
      putDocument(scene, line, { key: 'bootstrap', value, leaseId });
    },
  },
  peer: { of: 'member', read: readPeer },
  peers: {
    read: (line, scene) => {
      scene.state.peers = { value: scene.answers, at: line.time('asked') ?? NOW };
    },
  },
};
