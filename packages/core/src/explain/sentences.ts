/** What an event means, in words. Events without a sentence are evidence, and are not told. */
import type { ToldWait } from '../model/journal.ts';
import type { PlacedEntry } from './entry.ts';
import { endedAsPrimary, textIn } from './entry.ts';

export type Phase = 'seen' | 'decided' | 'done';

export interface Sentence {
  readonly phase: Phase;
  readonly text: string;
}

type Write = (entry: PlacedEntry) => string;

const of = (entry: PlacedEntry, key: string): string => textIn(entry, key) ?? '?';

const took = (entry: PlacedEntry): string => {
  const ms = entry.details['tookMs'];
  return typeof ms === 'number' && ms > 0 ? ` (took ${formatMs(ms)})` : '';
};

const position = (entry: PlacedEntry, key: string): string =>
  `${of(entry, key)} on timeline ${of(entry, 'timeline')}`;

const commits = (entry: PlacedEntry, key: string): string => {
  const count = of(entry, key);
  return `${count} ${count === '1' ? 'commit' : 'commits'}`;
};

/** `340 ms`, `4.2 s`, `3 min 10 s`. */
export const formatMs = (milliseconds: number): string => {
  const ms = Math.round(milliseconds);
  if (ms < 1_000) return `${ms} ms`;
  if (ms < 60_000) return `${(ms / 1_000).toFixed(ms < 10_000 ? 2 : 1)} s`;
  const seconds = Math.round(ms / 1_000);
  const rest = seconds % 60;
  if (seconds < 3_600) return `${Math.floor(seconds / 60)} min${rest === 0 ? '' : ` ${rest} s`}`;
  return `${Math.floor(seconds / 3_600)} h ${Math.floor((seconds % 3_600) / 60)} min`;
};

const exitOf: Write = (entry) => {
  const role = endedAsPrimary(entry)
    ? 'the primary'
    : `a ${of(entry, 'as') === 'private' ? 'server that bootstraps' : 'standby'}`;
  const signal = textIn(entry, 'signal');
  const how = signal === undefined ? `status ${of(entry, 'code')}` : `signal ${signal}`;
  return `PostgreSQL ended, ${role}: ${how}`;
};

const vacancy: Write = (entry) => {
  const holder = textIn(entry, 'holder');
  if (holder === undefined) return 'nobody holds the lease';
  const whose = `the lease of ${holder} is free`;
  const released = textIn(entry, 'released');
  if (released === undefined)
    return entry.details['memberGone'] === true
      ? `${whose}: it has expired, and its member key with it`
      : `${whose}: it has expired, or was deleted`;
  const heir = textIn(entry, 'heir');
  return `${whose}: released (${released})${heir === undefined ? '' : `, ${heir} is the heir`}`;
};

const fenced: Write = (entry) => {
  const why = entry.because === undefined ? '' : `, ${entry.because}`;
  const outcome =
    entry.details['silent'] === true
      ? 'no process of PostgreSQL is left'
      : 'processes of PostgreSQL may be left';
  return `the ${of(entry, 'by')} swept${why}: ${outcome}${took(entry)}`;
};

/** The time that was chosen for it, if one was. */
const forTime = (entry: PlacedEntry): string => {
  const time = textIn(entry, 'for');
  return time === undefined ? '' : ` for ${time}`;
};

const failed =
  (what: string): Write =>
  (entry) => {
    const outcome = entry.details['outcome'] === 'unknown' ? 'had no answer' : 'failed';
    return `${what} ${outcome}: ${of(entry, 'cause')}`;
  };

const SEEN: Readonly<Record<string, Write>> = {
  'loop.began': () => 'the agent’s loop began',
  'server.found': (entry) => `PostgreSQL runs already, as ${of(entry, 'as')}`,
  'server.exited': exitOf,
  'server.silent': () => 'PostgreSQL is silent: no process of it is left',
  'server.not-answering': () => 'PostgreSQL runs and does not answer',
  'server.refuses-us': (entry) => `PostgreSQL does not let us in: ${of(entry, 'cause')}`,
  'lease.vacant': vacancy,
  'lease.held': (entry) => `${of(entry, 'holder')} holds the lease, term ${of(entry, 'term')}`,
  'lease.ended': (entry) => `our lease, term ${of(entry, 'term')}, has ended`,
  'switchover.requested': (entry) => {
    const from = textIn(entry, 'from');
    const to = textIn(entry, 'to');
    return (
      `a ${from === undefined ? 'failover' : 'switchover'} is asked for` +
      `${from === undefined ? '' : ` from ${from}`}${to === undefined ? '' : ` to ${to}`}` +
      forTime(entry)
    );
  },
  'restart.scheduled': (entry) => `a restart is planned${forTime(entry)}`,
  'restart.cancelled': (entry) => `the restart${forTime(entry)} is taken back`,
  'standby.stream-lost': () => 'no WAL comes from the upstream any more',
  'standby.streaming': (entry) => {
    const upstream = textIn(entry, 'upstream');
    return `streams${upstream === undefined ? '' : ` from ${upstream}`}`;
  },
  'failsafe.begun': (entry) =>
    `goes on without the store, by the promise of ${textIn(entry, 'promised') || 'nobody'}`,
  'failsafe.over': (entry) => `goes on without the store no more: ${of(entry, 'because')}`,
  'failsafe.refused': (entry) => `not promised that nobody is elected: ${of(entry, 'by')}`,
  'store.unreachable': () => 'the store does not answer',
  'store.reachable': () => 'the store answers again',
  'wal.measured': (entry) => `the end of its WAL is ${position(entry, 'end')}${took(entry)}`,
  'commits.cancelled': (entry) =>
    `${commits(entry, 'count')} left to the primary alone: ${entry.because ?? ''}`,
  'commits.exposed': (entry) =>
    `up to ${commits(entry, 'commits')} made visible by the restart, which too few standbys are ` +
    `known to have had: ${of(entry, 'from')} to ${position(entry, 'to')}`,
  'commits.not-counted': (entry) =>
    `how many commits the restart has made visible is not known: ${of(entry, 'cause')}`,
  'primary.accepting': (entry) =>
    `PostgreSQL is out of recovery and accepts writes, timeline ${of(entry, 'timeline')}`,
};

const DECIDED: Readonly<Record<string, Write>> = {
  'switchover.begun': (entry) => `switch over to ${of(entry, 'to')}`,
  'switchover.refused': () => 'refuse the switchover',
  'switchover.due': (entry) => `begin the switchover${forTime(entry)}`,
  'switchover.dropped': (entry) => `drop the switchover${forTime(entry)}`,
  'restart.due': (entry) => `begin the restart${forTime(entry)}`,
  'restart.dropped': (entry) => `drop the restart${forTime(entry)}`,
  'server.stopping': () => 'stop the primary in good order',
  'server.fencing': () => 'fence PostgreSQL',
  'server.restarting': () => 'start PostgreSQL where it was, as the primary',
  'server.promoting': (entry) => `promote, to timeline ${of(entry, 'timeline')}`,
  'promotion.timed-out': () => 'give the promotion up and fence',
  'lease.handed-over': (entry) => `hand the lease over to ${of(entry, 'heir')}`,
  'lease.released': () => 'release the lease',
  'lease.acquiring': () => 'take the lease',
  'lease.reclaiming': () => 'take back the lease of an earlier life of this member',
  'handover.given-up': () => 'hand over to nobody',
  'primary.crashed-again': (entry) =>
    `it crashed again (${of(entry, 'crashes')} since the last hand-over): it stays`,
  'standby.following': (entry) => `follow ${of(entry, 'upstream')}`,
  'standby.unfit': (entry) => `it cannot follow: a ${of(entry, 'method')} is needed`,
  'standby.stuck': (entry) =>
    `restart: it does not find its way to timeline ${of(entry, 'timeline')}`,
  'fork.keeping': (entry) =>
    `keep the WAL that the cluster does not have, ${of(entry, 'from')} to ${of(entry, 'to')}`,
  'promise.given': (entry) => `promise ${of(entry, 'to')} that nobody is elected for now`,
  'lease.taking-again': () => 'take the lease again',
  'vote.given': () => 'vote: receive no WAL until somebody is elected',
  'electorate.changing': (entry) =>
    `change whose acknowledgements count: ${textIn(entry, 'voters') || 'nobody’s'}`,
  'member.refused': (entry) => `refuse to take part: ${of(entry, 'reason')}`,
  'cluster.initialised': () => 'found the cluster',
  'cluster.taken-over': () => 'make a cluster of the data that is here',
  'member.rewinding': (entry) => `rewind to ${of(entry, 'to')}`,
  'member.cloning': (entry) => `clone ${of(entry, 'from')}`,
};

const DONE: Readonly<Record<string, Write>> = {
  'server.started': (entry) => `PostgreSQL started as ${of(entry, 'as')}`,
  'server.fenced': fenced,
  'server.stopped': (entry) =>
    entry.details['mode'] === 'fast'
      ? `PostgreSQL stopped cleanly${took(entry)}`
      : `PostgreSQL was stopped at once, its clean stop took too long${took(entry)}`,
  'checkpoint.made': (entry) => `checkpoint made${took(entry)}`,
  'lease.acquired': (entry) => `holds the lease, term ${of(entry, 'term')}`,
  'primary.promoted': (entry) => {
    const parent = textIn(entry, 'parent');
    const from = parent === undefined ? '' : `: it begins at ${of(entry, 'from')} of ${parent}`;
    return `timeline ${of(entry, 'timeline')} is recorded in the store${from}`;
  },
  'fork.kept': (entry) => `kept ${of(entry, 'bytes')} bytes of WAL in ${of(entry, 'path')}`,
  'member.rewound': (entry) => `rewound${took(entry)}`,
  'member.cloned': (entry) => `cloned${took(entry)}`,
  'member.stopped': () => 'the agent has stopped',
  'transaction.refused': (entry) => `the store had changed: ${of(entry, 'purpose')} was not done`,
  'transaction.failed': (entry) => failed(of(entry, 'purpose'))(entry),
  'server.not-fenced': failed('the sweep'),
  'server.not-started': failed('the start'),
  'server.not-stopped': failed('the stop'),
  'server.not-promoted': failed('the promotion'),
  'wal.not-measured': failed('measuring the end of WAL'),
  'fork.not-kept': failed('keeping the forked WAL'),
  'member.not-rewound': failed('the rewind'),
  'member.not-cloned': failed('the clone'),
  'routes.moved': (entry) =>
    `writes go to ${textIn(entry, 'write') ?? 'nobody'}, ` +
    `reads to ${textIn(entry, 'reads') || 'nobody'}${took(entry)}`,
  'routes.not-moved': (entry) => `routes were not moved: ${of(entry, 'cause')}`,
};

const WAITS: Readonly<Record<ToldWait, string>> = {
  'acquire-as-best-candidate': 'do not stand for the lease yet',
  'leave-heir-a-head-start': 'leave the heir a head start',
};

const isToldWait = (rule: string | undefined): rule is ToldWait =>
  rule !== undefined && Object.hasOwn(WAITS, rule);

export const sentenceOf = (entry: PlacedEntry): Sentence | undefined => {
  const { event, rule, action } = entry;
  if (event === undefined) {
    const wait = action === undefined && isToldWait(rule) ? WAITS[rule] : undefined;
    return wait === undefined ? undefined : { phase: 'decided', text: wait };
  }
  for (const [phase, table] of PHASES) {
    const write = table[event];
    if (write !== undefined) return { phase, text: write(entry) };
  }
  return undefined;
};

const PHASES: readonly (readonly [Phase, Readonly<Record<string, Write>>])[] = [
  ['seen', SEEN],
  ['decided', DECIDED],
  ['done', DONE],
];
