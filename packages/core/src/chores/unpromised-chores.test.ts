/**
 * Shows what a member makes of commits that nobody can promise: waits that its server's log tells of,
 * and commits that were waiting when its server ended and are visible since the same data is a
 * primary's again, started in place or elected; and when there is nothing to tell.
 */
import { describe, expect, it } from 'vitest';
import { LOG_LOOK_AGAIN_MS, LOG_LOOK_MS } from '../absorb/absorb-unpromised.ts';
import type { Failure, Results } from '../model/action.ts';
import { after } from '../model/instant.ts';
import { formatLsn, lsn } from '../model/lsn.ts';
import { defaultTags } from '../model/member.ts';
import type { PeerAnswer } from '../model/peer.ts';
import type { ServerAnswer } from '../model/server.ts';
import type { LeaseTerm, Revision } from '../model/store.ts';
import { timeline } from '../model/timeline.ts';
import { type WalPosition, knownPosition } from '../model/wal-position.ts';
import { freshInterrupted } from '../replication/unpromised.ts';
import type { MemberState } from '../state.ts';
import { PlayedMember } from '../testing/played-member.ts';
import { NOW } from '../testing/scene/line.ts';
import { mustBuildMember } from '../testing/scene/must-build.ts';

const AT = '0/5000100';

/** Commits wait for bravo or charlie. Bravo has all but a little, charlie less. */
const PRIMARY = `
me alpha:
policy: quorum, restart in place
store initialize:
store leader alpha: revision 40
store holder alpha: revision 40
store timelines: issued 1
store sync: leader alpha, voter bravo, voter charlie, votes 2
store member bravo: running, replica
store member charlie: running, replica
lease held: term 40, deadline in 25s
guard: deadline in 25s
process: running, primary
probe: primary, at ${AT}, stream bravo at 0/5000000, stream charlie at 0/4000000
commits: wait for bravo, wait for charlie, any 1, told, shown, armed, proven, primary since 60s ago
`;

const play = (...lines: readonly string[]): PlayedMember =>
  new PlayedMember(mustBuildMember([PRIMARY, ...lines].join('\n')));

const answerOf = ({ state }: PlayedMember, changes: Partial<ServerAnswer> = {}): ServerAnswer => {
  const seen = mustBuildMember(PRIMARY).probe?.value ?? state.probe?.value;
  if (seen?.kind !== 'answers') throw new Error('the scene has no answer');
  return { ...seen, ...changes };
};

const place = (position: string, number = 1): WalPosition => {
  const [, high = '', low = ''] = /^(\w+)\/(\w+)$/.exec(position) ?? [];
  return { timeline: timeline(number), lsn: lsn(BigInt(`0x${high}${low.padStart(8, '0')}`)) };
};

const peer = (position: string, number = 1): PeerAnswer => ({
  kind: 'answers',
  running: true,
  primary: false,
  position: knownPosition(place(position, number)),
  lineage: undefined,
  tags: defaultTags,
  electable: true,
});

/** The server is seen out of recovery. */
const look = (member: PlayedMember, changes: Partial<ServerAnswer> = {}): void => {
  member.tell({ kind: 'server-changed' });
  member.done('probe-server', { probe: answerOf(member, changes) }, 25);
};

const crash = (member: PlayedMember): void => {
  const exit = { pid: 100, startedAs: 'primary', promoted: false, code: 1, signal: null } as const;
  member.tell({ kind: 'server-exited', exit });
  member.done('fence', { silent: true }, 20);
};

const DISK: Results['inspect-disk']['disk'] = {
  content: {
    kind: 'data',
    systemIdentifier: '7001',
    control: 'in-production',
    lineage: { timeline: timeline(1), ancestors: [] },
    standbySignal: false,
    end: undefined,
    rewindable: true,
  },
  rewindUnfinished: false,
  bootstrapUnfinished: false,
  asideKept: false,
  newReady: false,
  lastWords: undefined,
};

const saysWhy = (member: PlayedMember): string | undefined =>
  member.last?.decisions.at(-1)?.because;

const prepare = (member: PlayedMember): void => {
  for (let count = 0; member.underWay('start-server') === undefined; count += 1) {
    if (count > 8) throw new Error(`it is not started: ${saysWhy(member) ?? ''}`);
    const armed = member.underWay('extend-deadline')?.action;
    if (armed?.kind === 'extend-deadline')
      member.done('extend-deadline', { deadline: armed.deadline }, 1);
    else if (member.underWay('prepare-server') !== undefined) member.done('prepare-server', {}, 5);
    else member.tick(1);
  }
};

/** Until the server runs again; what standbys say of it in the meantime, if they do. */
const restart = (member: PlayedMember, held?: Results['ask-held']['answers']): void => {
  member.done('inspect-disk', { disk: DISK }, 5);
  if (held !== undefined) member.done('ask-held', { answers: held }, 2);
  prepare(member);
  member.done('start-server', { pid: 101 }, 5);
};

const eventsOf = (member: PlayedMember) =>
  (member.last?.events ?? []).filter(({ name }) => name.startsWith('commits.'));

const rangeOf = ({ state }: PlayedMember): readonly string[] =>
  state.unpromised.ranges.map(
    ({ timeline: number, from, to }) => `${number}: ${formatLsn(from)}..${formatLsn(to)}`,
  );

const LATER = { position: knownPosition(place('0/6000000')), standbys: [] };

describe('a primary that is started in place', () => {
  it('counts what no standby said it had, and tells', () => {
    const member = play();
    look(member);
    crash(member);
    restart(member, { bravo: peer('0/5000080'), charlie: peer('0/4000000') });
    look(member, LATER);
    expect(member.underWay('count-exposed')?.action).toMatchObject({
      range: { timeline: 1, from: place('0/5000080').lsn, to: place('0/6000000').lsn },
    });
    member.done('count-exposed', { commits: 2, to: place(AT).lsn }, 30);
    expect(eventsOf(member)).toMatchObject([
      {
        name: 'commits.exposed',
        level: 'warn',
        details: { commits: 2, timeline: 1, from: '0/5000080', to: AT },
        because: expect.stringContaining('too few standbys'),
      },
    ]);
    expect(member.state.unpromised).toMatchObject({ exposed: 2, ranges: [] });
  });

  it('goes by what it saw last when nobody answers, and waits for nobody', () => {
    const member = play();
    look(member);
    crash(member);
    restart(member);
    expect(member.underWay('ask-held')).toBeDefined();
    member.done('ask-held', { answers: { bravo: peer('0/5000080') } }, 5);
    look(member, LATER);
    // The answer came when the server was there again: bravo may have received that from it.
    expect(rangeOf(member)).toEqual(['1: 0/5000000..0/6000000']);
  });

  it('tells nothing when there were no commits', () => {
    const member = play();
    look(member);
    crash(member);
    restart(member, { bravo: peer('0/5000080') });
    look(member, LATER);
    member.done('count-exposed', { commits: 0, to: place(AT).lsn }, 30);
    expect(eventsOf(member)).toEqual([]);
    expect(member.state.unpromised.exposed).toBe(0);
  });

  it('has nothing to count when standbys have everything', () => {
    const member = play();
    look(member);
    crash(member);
    restart(member, { charlie: peer('0/6000000') });
    look(member, LATER);
    expect(rangeOf(member)).toEqual([]);
    expect(eventsOf(member)).toEqual([]);
  });

  it('says that it does not know when too few have said what they hold', () => {
    const member = play(
      'policy: quorum, standbys 2, restart in place',
      'store sync: leader alpha, voter bravo, voter charlie, votes 1',
      `probe: primary, at ${AT}, stream bravo at 0/5000000`,
      'commits: wait for bravo, wait for charlie, any 2, told, shown, armed, proven',
    );
    look(member, { standbys: answerOf(member).standbys.slice(0, 1) });
    crash(member);
    restart(member, { bravo: peer('0/5000080'), charlie: peer('0/5000080', 2) });
    look(member, LATER);
    expect(eventsOf(member)).toMatchObject([
      {
        name: 'commits.not-counted',
        details: { cause: expect.stringContaining('2 of bravo, charlie') },
      },
    ]);
    expect(member.underWay('count-exposed')).toBeUndefined();
  });

  it('says so when they cannot be counted', () => {
    const member = play();
    look(member);
    crash(member);
    restart(member, { bravo: peer('0/5000080') });
    look(member, LATER);
    const failure: Failure = { kind: 'failed', cause: 'its WAL is gone' };
    member.fails('count-exposed', failure, 30);
    expect(eventsOf(member)).toMatchObject([
      { name: 'commits.not-counted', details: { cause: 'its WAL is gone' } },
    ]);
    expect(rangeOf(member)).toEqual([]);
  });

  it('counts from what was held before the first of two crashes', () => {
    const member = play();
    look(member);
    crash(member);
    restart(member);
    const exit = {
      pid: 101,
      startedAs: 'primary',
      promoted: false,
      code: 1,
      signal: null,
    } as const;
    member.tell({ kind: 'server-exited', exit });
    member.done('fence', { silent: true }, 20);
    expect(member.state.unpromised.interrupted?.held).toEqual(place('0/5000000'));
  });

  describe('after a stop in good order', () => {
    const STOP_LIMIT_MS = 5_000;

    /** An operator restarts it; its postmaster ends after this time. */
    const stop = (takesMs: number, standbys = answerOf(play()).standbys): PlayedMember => {
      const scene = play();
      const policy = { ...scene.state.policy, stopTimeoutMs: STOP_LIMIT_MS };
      const member = new PlayedMember({ ...scene.state, policy });
      look(member, { standbys });
      member.tell({ kind: 'request', request: { kind: 'restart', id: '1', limitMs: undefined } });
      for (let count = 0; member.underWay('stop-server') === undefined; count += 1) {
        if (count > 5) throw new Error(`it is not stopped: ${saysWhy(member) ?? ''}`);
        if (member.underWay('checkpoint') !== undefined) member.done('checkpoint', {}, 5);
        else member.tick(1);
      }
      const exit = { pid: 100, startedAs: 'primary', promoted: false, code: 0 } as const;
      member.tell({ kind: 'server-exited', exit: { ...exit, signal: null } }, takesMs);
      member.done('fence', { silent: true }, 10);
      return member;
    };

    const inspect = (member: PlayedMember, control: 'shut-down' | 'in-production'): void => {
      const content = { ...DISK.content, control } as typeof DISK.content;
      member.done('inspect-disk', { disk: { ...DISK, content } }, 5);
    };

    it('has nothing to count: its standbys were sent all of it', () => {
      const member = stop(100);
      inspect(member, 'shut-down');
      expect(member.state.unpromised.interrupted).toBeUndefined();
      expect(member.underWay('ask-held')).toBeUndefined();
    });

    it.each([
      ['there were no standbys to send to', () => stop(100, []), 'shut-down'],
      ['it was cut short', () => stop(STOP_LIMIT_MS), 'shut-down'],
      ['it ended in another way', () => stop(100), 'in-production'],
    ] as const)('goes by what standbys say when %s', (_why, stopped, control) => {
      const member = stopped();
      inspect(member, control);
      expect(member.underWay('ask-held')).toBeDefined();
    });
  });

  it('that waited for nobody has exposed nothing', () => {
    const unprotected = [
      'store sync: leader alpha',
      'commits: any 0, told, armed',
      `probe: primary, at ${AT}`,
    ];
    const member = play(...unprotected);
    look(member, { standbys: [] });
    crash(member);
    restart(member);
    expect(member.underWay('ask-held')).toBeUndefined();
    look(member, LATER);
    expect(rangeOf(member)).toEqual([]);
    expect(eventsOf(member)).toEqual([]);
  });

  it('in asynchronous mode does nothing of all this', () => {
    const { sync: _sync, ...documents } = mustBuildMember(PRIMARY).snapshot?.value ?? {};
    const state = mustBuildMember(`${PRIMARY}\npolicy: restart in place`);
    const snapshot = { value: documents, at: NOW } as MemberState['snapshot'];
    const sync = { ...state.sync, wanted: undefined, told: undefined };
    const member = new PlayedMember({ ...state, snapshot, sync });
    look(member);
    expect(member.underWay('count-cancelled')).toBeUndefined();
    crash(member);
    restart(member);
    expect(member.underWay('ask-held')).toBeUndefined();
    look(member, LATER);
    expect(member.state.unpromised).toMatchObject({ ranges: [], interrupted: undefined });
    expect(eventsOf(member)).toEqual([]);
  });
});

/** The host is back within the ttl: this loop has seen nothing of the server that ended. */
const BACK = [
  'process: dead and silent',
  'disk: of a primary, in production',
  'vacating: crash, since 10ms ago',
  'prepared: nothing',
  'commits: not decided',
];

describe('a primary whose host went down', () => {
  const without = (...subjects: readonly string[]): string =>
    PRIMARY.split('\n')
      .filter((line) => !subjects.some((subject) => line.startsWith(`${subject}:`)))
      .join('\n');

  it('goes by the store and by what standbys say, once it is started in place', () => {
    const scene = [without('process', 'probe', 'commits'), ...BACK].join('\n');
    const member = new PlayedMember({ ...mustBuildMember(scene), disk: undefined });
    member.tick();
    restart(member, { bravo: peer('0/5000080'), charlie: peer('0/5000040') });
    look(member, LATER);
    expect(rangeOf(member)).toEqual(['1: 0/5000080..0/6000000']);
  });

  it('is none while it runs: its data directory looks the same', () => {
    const member = new PlayedMember({ ...mustBuildMember(PRIMARY), asideKept: undefined });
    look(member);
    member.done('inspect-disk', { disk: DISK }, 5);
    expect(member.state.unpromised.interrupted).toBeUndefined();
    crash(member);
    expect(member.state.unpromised.interrupted?.held).toEqual(place('0/5000000'));
  });

  it('that was stopped in good order is no matter', () => {
    const scene = [without('process', 'probe', 'commits'), ...BACK].join('\n');
    const state = mustBuildMember(scene);
    const member = new PlayedMember({ ...state, disk: undefined, vacating: undefined });
    member.tick();
    const content = { ...DISK.content, control: 'shut-down' } as typeof DISK.content;
    member.done('inspect-disk', { disk: { ...DISK, content } }, 5);
    expect(member.state.unpromised.interrupted).toBeUndefined();
    expect(member.underWay('ask-held')).toBeUndefined();
  });
});

describe('a primary that is elected again', () => {
  const elected = (leader: string): PlayedMember => {
    const scene = PRIMARY.split('\n')
      .filter((line) => !/^(store leader|lease|process|probe|commits|store sync)/.test(line))
      .concat(
        `store sync: leader ${leader}, voter bravo, voter charlie, votes 2`,
        'lease vacant: since 50ms ago',
        'process: running, standby',
        `probe: standby, at ${AT}, now`,
        'vote: against term 40',
        'peer bravo: standby, at 0/5000080 on 1',
        'peer charlie: standby, at 0/5000040 on 1',
      )
      .join('\n');
    const state = mustBuildMember(scene);
    const interrupted = { ...freshInterrupted, timeline: timeline(1) };
    return new PlayedMember({ ...state, unpromised: { ...state.unpromised, interrupted } });
  };

  const acquire = (member: PlayedMember): void => {
    member.tick();
    const flight = member.underWay('transact')?.action;
    expect(flight).toMatchObject({ purpose: 'acquire' });
    const snapshot = member.state.snapshot?.value;
    if (snapshot === undefined) throw new Error('the scene has no store');
    const revision = 60 as Revision;
    const leader = {
      value: member.state.self.name,
      createRevision: revision,
      modRevision: revision,
      leaseId: member.state.lease?.id,
    };
    member.done(
      'transact',
      { applied: true, revision, snapshot: { ...snapshot, revision, leader } },
      5,
    );
    expect(member.state.tenure?.term).toBe(60 as LeaseTerm);
  };

  it('counts what the voters had not, up to where its new timeline begins', () => {
    const member = elected('alpha');
    acquire(member);
    const held = member.state.unpromised.interrupted?.held;
    expect(held).toEqual(place('0/5000080'));
    const lineage = {
      timeline: timeline(2),
      ancestors: [{ timeline: timeline(1), switchLsn: place(AT).lsn }],
    };
    const process = { kind: 'running', pid: 100, startedAs: 'standby', promoted: true } as const;
    const promoted = new PlayedMember({ ...member.state, process, promotion: undefined });
    look(promoted, { inRecovery: false, lineage });
    expect(rangeOf(promoted)).toEqual([`1: 0/5000080..${AT}`]);
  });

  it('after another one has nothing of its own to count', () => {
    const member = elected('delta');
    member.tick();
    expect(member.state.unpromised.interrupted).toBeDefined();
    const state = { ...member.state, lanes: {} };
    const other = new PlayedMember(state);
    look(other, { ...answerOf(other), inRecovery: true, streaming: true });
    expect(other.state.unpromised.interrupted).toBeUndefined();
  });
});

describe('the log of a server', () => {
  const seen = (cancelled: number, terminated = 0) => ({
    cancelled,
    terminated,
    isBehind: false,
  });

  /** The log was looked at when the server was found; this is the next look. */
  const asPrimary = (): PlayedMember => {
    const member = play();
    look(member);
    member.tick(LOG_LOOK_AGAIN_MS);
    expect(member.underWay('count-cancelled')?.action).toEqual({
      kind: 'count-cancelled',
      pid: 100,
    });
    return member;
  };

  it('is looked at every second, and later once there was something to tell', () => {
    const member = asPrimary();
    const { lookAt } = member.done('count-cancelled', seen(0), 5).state.unpromised;
    expect(lookAt).toEqual(after(member.now, LOG_LOOK_MS));
    look(member);
    member.tick(LOG_LOOK_MS);
    member.done('count-cancelled', seen(2, 1), 5);
    expect(eventsOf(member)).toEqual([
      {
        name: 'commits.cancelled',
        level: 'warn',
        details: { count: 3, cancelled: 2, terminated: 1 },
        because:
          '2 waits were cancelled, 1 session was terminated while a commit waited for standbys',
      },
    ]);
    expect(member.state.unpromised.lookAt).toEqual(after(member.now, LOG_LOOK_AGAIN_MS));
  });

  it('is read on at once while there is more', () => {
    const member = asPrimary();
    member.done('count-cancelled', { ...seen(0), isBehind: true }, 5);
    expect(member.underWay('count-cancelled')).toBeDefined();
  });

  it('that tells nothing of waits is told of, once for each reason', () => {
    const member = asPrimary();
    const blind = 'log_min_messages = error';
    member.done('count-cancelled', { ...seen(0), blind }, 5);
    expect(eventsOf(member)).toMatchObject([
      { name: 'commits.not-seen', level: 'warn', details: { cause: blind } },
    ]);
    look(member);
    member.tick(LOG_LOOK_MS);
    member.done('count-cancelled', { ...seen(0), blind }, 5);
    expect(eventsOf(member)).toEqual([]);
    look(member);
    member.tick(LOG_LOOK_MS);
    member.fails('count-cancelled', { kind: 'failed', cause: 'no such file' }, 5);
    expect(eventsOf(member)).toMatchObject([{ details: { cause: 'no such file' } }]);
  });

  it('is looked at once on a standby, for what an earlier server has written last', () => {
    const scene = PRIMARY.split('\n')
      .filter((line) => !/^(store leader|store holder|lease|process|probe|commits)/.test(line))
      .concat(
        'store leader bravo: revision 40',
        'store holder bravo: revision 40',
        'process: running, standby',
        `probe: standby, at ${AT}, from bravo, streaming`,
      )
      .join('\n');
    const state = mustBuildMember(scene);
    const member = new PlayedMember({
      ...state,
      unpromised: { ...state.unpromised, lookedIn: 99 },
    });
    member.tick();
    member.done('count-cancelled', seen(1), 5);
    expect(member.state.unpromised).toMatchObject({ cancelled: 1, lookedIn: 100 });
    member.tick(LOG_LOOK_AGAIN_MS);
    expect(member.underWay('count-cancelled')).toBeUndefined();
  });
});
