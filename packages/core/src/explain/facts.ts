/** What kind of incident it was, between whom, and which way it went from primary to primary. */
import type { PlacedEntry } from './entry.ts';
import { endedAsPrimary, textIn } from './entry.ts';
import type { IncidentKind, Stage } from './incident.ts';
import type { Episode } from './partition.ts';

export interface Facts {
  readonly kind: IncidentKind;
  /** The member that was primary before; undefined: there was none, or nobody says. */
  readonly from: string | undefined;
  /** The member that is primary after it; undefined: none yet. */
  readonly to: string | undefined;
  readonly title: string;
  readonly cause: string;
}

type Find = (event: string, by?: (entry: PlacedEntry) => boolean) => PlacedEntry | undefined;

const finderIn =
  (entries: readonly PlacedEntry[]): Find =>
  (event, by = () => true) =>
    entries.find((entry) => entry.event === event && by(entry));

export const gatherFacts = (episode: Episode): Facts => {
  const find = finderIn(episode.entries);
  const to = episode.entries.findLast(({ event }) => event === 'primary.accepting')?.teller;
  const from = formerPrimary(find);
  const kind = kindOf(episode, find, { from, to });
  return {
    kind,
    from,
    to,
    title: titleOf(kind, { from, to, episode }),
    cause: kind === 'start' ? '' : causeOf(finderIn(untilTaken(episode, to)), from),
  };
};

/** What was before the new primary accepted writes: whatever the old one did later was no cause. */
const untilTaken = ({ entries }: Episode, to: string | undefined): readonly PlacedEntry[] => {
  const taken = entries.findIndex(
    ({ event, teller }) => event === 'primary.accepting' && teller === to,
  );
  return taken < 0 ? entries : entries.slice(0, taken);
};

const formerPrimary = (find: Find): string | undefined => {
  // Whoever bootstraps was nobody's primary before.
  if (find('server.started', ({ details }) => details['as'] === 'private') !== undefined)
    return undefined;
  return (
    find('lease.handed-over')?.teller ??
    find('switchover.begun')?.teller ??
    textIn(
      find('lease.vacant', ({ details }) => details['holder'] !== undefined),
      'holder',
    ) ??
    find('server.exited', endedAsPrimary)?.teller ??
    find('server.restarting')?.teller
  );
};

interface Between {
  readonly from: string | undefined;
  readonly to: string | undefined;
}

const kindOf = (episode: Episode, find: Find, { from, to }: Between): IncidentKind => {
  // Who released it says why; without its journal, those who found it free say what it left there.
  const released =
    textIn(find('lease.handed-over'), 'cause') ?? textIn(find('lease.vacant'), 'released');
  if (find('switchover.refused') !== undefined) return 'switchover-refused';
  if (from === undefined && to !== undefined) return 'start';
  if (to !== undefined && from === to && find('lease.handed-over') === undefined) {
    if (find('switchover.begun') !== undefined) return 'switchover-given-up';
    const crashed = find('server.exited') !== undefined || find('server.restarting') !== undefined;
    return crashed ? 'restart-in-place' : 'other';
  }
  if (find('switchover.begun') !== undefined) return 'switchover';
  if (released === 'shutdown') return 'shutdown';
  if (from !== undefined && to !== undefined) return 'failover';
  if (!episode.settled) return 'no-primary';
  if (find('server.exited') !== undefined || find('standby.unfit') !== undefined) return 'replica';
  if (find('store.unreachable') !== undefined) return 'store-outage';
  if (find('standby.stream-lost') !== undefined) return 'replica';
  return UNPROMISED.some((event) => find(event) !== undefined) ? 'commits-unpromised' : 'other';
};

const UNPROMISED: readonly string[] = [
  'commits.cancelled',
  'commits.exposed',
  'commits.not-counted',
];

const titleOf = (
  kind: IncidentKind,
  { from = 'nobody', to = 'nobody', episode }: Partial<Between> & { readonly episode: Episode },
): string => {
  const [first] = episode.entries;
  const who =
    episode.entries.find(({ event }) => event !== undefined)?.teller ?? first?.teller ?? '';
  switch (kind) {
    case 'start':
      return `the cluster began, ${to} is its primary`;
    case 'failover':
      return `failover ${from} → ${to}`;
    case 'switchover':
      return `switchover ${from} → ${to}`;
    case 'shutdown':
      return `${from} was stopped, ${from} → ${to}`;
    case 'restart-in-place':
      return `the primary ${to} crashed and was started again in place`;
    case 'switchover-given-up':
      return `a switchover was given up, ${to} went on as the primary`;
    case 'switchover-refused':
      return 'a switchover was refused';
    case 'no-primary':
      return from === 'nobody' ? 'there is no primary' : `${from} is lost, and there is no primary`;
    case 'replica':
      return `${who}, a replica, was disturbed`;
    case 'store-outage':
      return 'the store did not answer';
    case 'commits-unpromised':
      return `${who} has commits that nobody can promise`;
    case 'other':
      return `${who} was disturbed`;
  }
};

/** The first of these that is there is what it began with. */
const causeOf = (find: Find, from: string | undefined): string => {
  const exit = find('server.exited', (entry) => endedAsPrimary(entry) && entry.level === 'error');
  const fence = find('server.fencing', ({ teller }) => teller === from);
  if (fence !== undefined) return `${fence.teller} fenced its PostgreSQL: ${fence.because ?? ''}`;
  if (exit !== undefined) {
    const signal = textIn(exit, 'signal');
    const how = signal ?? `status ${textIn(exit, 'code') ?? '?'}`;
    return `PostgreSQL of ${exit.teller} ended by itself (${how})`;
  }
  const begun = find('switchover.begun');
  if (begun !== undefined) return 'it was asked for';
  const stopping = find('server.stopping');
  if (stopping !== undefined) return `the agent of ${stopping.teller} was asked to stop`;
  const guard = find('server.fenced', ({ because }) => because !== undefined);
  if (guard !== undefined)
    return `the deadline of ${guard.teller} passed without a renewal, and its guard fenced`;
  const vacant = find('lease.vacant', ({ details }) => details['released'] === undefined);
  if (vacant !== undefined)
    return `the lease of ${textIn(vacant, 'holder') ?? 'the primary'} was not renewed and expired`;
  const refused = find('switchover.refused');
  if (refused !== undefined) return refused.because ?? '';
  const any = Object.keys(CAUSES)
    .map((event) => find(event))
    .find((entry) => entry !== undefined);
  return any === undefined ? '' : (CAUSES[any.event ?? ''] ?? '');
};

const CAUSES: Readonly<Record<string, string>> = {
  'server.exited': 'PostgreSQL ended',
  'store.unreachable': 'the store did not answer',
  'standby.stream-lost': 'no WAL came from the upstream',
  'commits.cancelled': 'waits for standbys were cancelled',
  'commits.exposed': 'a restart made commits visible that were waiting',
  'commits.not-counted': 'a restart may have made commits visible that were waiting',
};

interface Landmark {
  readonly name: string;
  readonly is: (entry: PlacedEntry, facts: Facts) => boolean;
}

const isEvent =
  (event: string) =>
  (entry: PlacedEntry): boolean =>
    entry.event === event;

/** The way from the old primary to the new one; what is not passed is left out. */
const LANDMARKS: readonly Landmark[] = [
  { name: 'stopped', is: isEvent('server.stopped') },
  {
    name: 'silent',
    is: (entry, { from }) => entry.event === 'server.silent' && entry.teller === from,
  },
  { name: 'end of WAL known', is: isEvent('wal.measured') },
  { name: 'handed over', is: isEvent('lease.handed-over') },
  { name: 'lease free', is: isEvent('lease.vacant') },
  {
    name: 'lease taken',
    is: (entry, { to }) => entry.event === 'lease.acquired' && entry.teller === to,
  },
  { name: 'promotion asked for', is: isEvent('server.promoting') },
  {
    name: 'accepts writes',
    is: (entry, { to }) => entry.event === 'primary.accepting' && entry.teller === to,
  },
  {
    name: 'traffic moved',
    is: (entry, { to }) => entry.event === 'routes.moved' && entry.details['write'] === to,
  },
];

export interface Moment {
  readonly atMs: number;
  /** Nobody said it, others missed something. */
  readonly isInferred: boolean;
}

const endsWriting = ({ event, because, level }: PlacedEntry): boolean =>
  event === 'server.stopping' ||
  event === 'server.fencing' ||
  event === 'server.not-answering' ||
  (event === 'server.exited' && level === 'error') ||
  (event === 'server.fenced' && because !== undefined);

/** The moment from which no server accepted writes, as far as anybody saw it. */
export const lostAt = (episode: Episode, { from, to }: Facts): Moment | undefined => {
  const entries = untilTaken(episode, to);
  const said = entries.find((entry) => entry.teller === from && endsWriting(entry));
  if (said !== undefined) return { atMs: said.atMs, isInferred: false };
  const missed = entries.find(
    ({ event }) => event === 'standby.stream-lost' || event === 'lease.vacant',
  );
  return missed === undefined ? undefined : { atMs: missed.atMs, isInferred: true };
};

/** Until the new primary accepted writes, and traffic went there. */
const wayOf = ({ entries }: Episode, { to }: Facts): readonly PlacedEntry[] => {
  const accepts = entries.findIndex(
    ({ event, teller }) => event === 'primary.accepting' && teller === to,
  );
  const moved = entries.findIndex(
    ({ event, details }, at) => at > accepts && event === 'routes.moved' && details['write'] === to,
  );
  return [...entries.slice(0, accepts + 1), ...(moved < 0 ? [] : entries.slice(moved, moved + 1))];
};

export const measureStages = (episode: Episode, facts: Facts): readonly Stage[] => {
  let lastMs = lostAt(episode, facts)?.atMs;
  if (lastMs === undefined || facts.to === undefined || facts.from === undefined) return [];
  const way = wayOf(episode, facts);
  const stages: Stage[] = [];
  let index = 0;
  for (const { name, is } of LANDMARKS) {
    const found = way.findIndex((entry, at) => at >= index && is(entry, facts));
    const entry = way[found];
    if (entry === undefined || entry.atMs < lastMs) continue;
    stages.push({ name, tookMs: Math.round(entry.atMs - lastMs) });
    lastMs = entry.atMs;
    index = found;
  }
  return stages;
};
