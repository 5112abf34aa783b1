/**
 * Where one incident ends and the next begins. It begins with the first sign of something being
 * otherwise than it should, and is over when there is a primary again and every member that was
 * disturbed streams. A member that comes back after hours belongs to the incident it was lost in.
 */
import type { PlacedEntry } from './entry.ts';
import { endedAsPrimary, textIn } from './entry.ts';

/** So long after everything is well nothing more belongs to it. */
const CALM_MS = 5_000;
/**
 * While somebody is missing more may come of it: a standby loses its stream at the moment a host
 * dies, and the lease expires a ttl later.
 */
const UNEASY_MS = 60_000;

export interface Episode {
  readonly entries: readonly PlacedEntry[];
  /** There has been a primary since. */
  readonly settled: boolean;
  /** Members that have not come back since. */
  readonly missing: readonly string[];
}

interface Open {
  readonly entries: PlacedEntry[];
  settled: boolean;
  /** The primary was struck, or has moved: whatever strikes it next is another incident. */
  struck: boolean;
  /** A switchover has been asked for that has neither begun nor been refused. */
  isAsked: boolean;
  readonly missing: Set<string>;
}

interface Walk {
  readonly episodes: Open[];
  current: Open | undefined;
  readonly lostIn: Map<string, Open>;
  /** Who accepted writes last. */
  primary: string | undefined;
  /** Terms that have ended and requests that were filed: whoever sees one later brings no news. */
  readonly known: Set<string>;
}

export interface Partition {
  readonly episodes: readonly Episode[];
  /** What happened while all was well. */
  readonly calm: readonly PlacedEntry[];
}

export const partitionEntries = (entries: readonly PlacedEntry[]): Partition => {
  const walk: Walk = {
    episodes: [],
    current: undefined,
    lostIn: new Map(),
    primary: undefined,
    known: new Set(),
  };
  const calm: PlacedEntry[] = [];
  for (const entry of entries) {
    const episode = place(walk, entry);
    if (episode === undefined) {
      calm.push(entry);
      continue;
    }
    episode.entries.push(entry);
    note(walk, episode, entry);
  }
  const episodes = walk.episodes.map(({ missing, settled, entries: own }) => ({
    entries: own,
    settled,
    missing: [...missing].sort(),
  }));
  return { episodes, calm };
};

const begin = (walk: Walk): Open => {
  const episode: Open = {
    entries: [],
    settled: true,
    struck: false,
    isAsked: false,
    missing: new Set(),
  };
  walk.episodes.push(episode);
  walk.current = episode;
  return episode;
};

const place = (walk: Walk, entry: PlacedEntry): Open | undefined => {
  const lost = walk.lostIn.get(entry.teller);
  if (lost !== undefined && !isOfAll(walk, entry)) return lost;
  const { current } = walk;
  if (current === undefined) return isSign(walk, entry) ? begin(walk) : undefined;
  const lastMs = current.entries.at(-1)?.atMs ?? entry.atMs;
  const restMs = current.missing.size > 0 ? UNEASY_MS : CALM_MS;
  const isOver = current.settled && entry.atMs - lastMs > restMs;
  const isNew = current.settled && current.struck && strikesPrimary(walk, entry);
  if (!isOver && !isNew) return current;
  walk.current = undefined;
  return isSign(walk, entry) ? begin(walk) : undefined;
};

/** What the entry tells of, if others may tell of the same. */
const newsIn = (entry: PlacedEntry): string | undefined => {
  if (entry.event === 'lease.vacant') return `vacant ${textIn(entry, 'term') ?? ''}`;
  return entry.event === 'switchover.requested'
    ? `requested ${textIn(entry, 'request') ?? ''}`
    : undefined;
};

const isKnown = (walk: Walk, entry: PlacedEntry): boolean => walk.known.has(newsIn(entry) ?? '');

/** Whoever does this is back, whatever it was lost in. */
const TAKES_PART: ReadonlySet<string> = new Set(['lease.acquiring', 'lease.acquired']);

/** Not of the teller alone, whatever it was lost in: the lease is free, or it takes it. */
const isOfAll = (walk: Walk, entry: PlacedEntry): boolean =>
  TAKES_PART.has(entry.event ?? '') || (entry.event === 'lease.vacant' && !isKnown(walk, entry));

/**
 * It was primary, and somebody else is by now: a frozen server that thaws, one that was cut off.
 * How it ends is the end of what happened, and strikes nobody.
 */
const isSuperseded = ({ primary, current }: Walk, { teller }: PlacedEntry): boolean =>
  current?.settled === true && primary !== undefined && primary !== teller;

/** Signs that the primary itself is struck, or about to move. */
const strikesPrimary = (walk: Walk, entry: PlacedEntry): boolean => {
  if (isKnown(walk, entry)) return false;
  switch (entry.event) {
    case 'server.exited':
      return endedAsPrimary(entry) && entry.level === 'error' && !isSuperseded(walk, entry);
    case 'lease.vacant':
      return true;
    case 'switchover.requested':
      return entry.details['for'] === undefined;
    case 'switchover.begun':
      return walk.current?.isAsked !== true;
    case 'server.fencing':
      return !isSuperseded(walk, entry);
    case 'server.stopping':
      return true;
    default:
      return false;
  }
};

/** What is a sign by itself, when all was well before. */
const SIGNS: ReadonlySet<string> = new Set([
  'lease.vacant',
  'lease.acquired',
  'lease.ended',
  'switchover.requested',
  'switchover.begun',
  'server.stopping',
  'server.fencing',
  'server.not-answering',
  'server.refuses-us',
  'store.unreachable',
  'standby.stream-lost',
  'standby.unfit',
  'member.cloning',
  'member.rewinding',
  'loop.began',
  'commits.cancelled',
  'commits.exposed',
  'commits.not-counted',
]);

const isSign = (walk: Walk, entry: PlacedEntry): boolean => {
  if (isKnown(walk, entry)) return false;
  if (entry.event === 'server.exited' || entry.event === 'server.fenced')
    return entry.level === 'error' || entry.level === 'warn';
  if (entry.event === 'switchover.requested') return entry.details['for'] === undefined;
  return SIGNS.has(entry.event ?? '');
};

/** What the entry means for whether there is a primary, and for who is missing. */
const note = (walk: Walk, episode: Open, entry: PlacedEntry): void => {
  const { teller, event } = entry;
  if (strikesPrimary(walk, entry)) episode.struck = true;
  const news = newsIn(entry);
  if (news !== undefined && walk.known.has(news)) return;
  if (news !== undefined) walk.known.add(news);
  const lose = (member: string): void => {
    if (walk.lostIn.has(member)) return;
    episode.missing.add(member);
    walk.lostIn.set(member, episode);
  };
  const find = (member: string): void => {
    walk.lostIn.get(member)?.missing.delete(member);
    walk.lostIn.delete(member);
  };
  switch (event) {
    case 'server.exited':
    case 'server.fencing':
      if ((endedAsPrimary(entry) || event === 'server.fencing') && !isSuperseded(walk, entry))
        episode.settled = false;
      return lose(teller);
    case 'lease.vacant': {
      episode.settled = false;
      const holder = textIn(entry, 'holder');
      if (holder !== undefined && entry.details['memberGone'] === true) lose(holder);
      return;
    }
    case 'switchover.requested':
      episode.isAsked = true;
      return;
    case 'switchover.begun':
    case 'server.stopping':
      episode.isAsked = false;
      episode.settled = false;
      return;
    case 'lease.acquired':
      episode.settled = false;
      return find(teller);
    case 'switchover.refused':
      episode.isAsked = false;
      episode.settled = true;
      return;
    case 'standby.stream-lost':
    case 'standby.unfit':
    case 'loop.began':
    case 'store.unreachable':
      return lose(teller);
    case 'standby.streaming':
    case 'store.reachable':
      return find(teller);
    case 'primary.accepting':
    case 'primary.promoted':
      episode.settled = true;
      walk.primary = teller;
      return find(teller);
    case 'failsafe.over':
      // Its server has gone on: nobody else has been primary.
      if (entry.level !== 'error') episode.settled = true;
      return;
    case 'member.stopped':
      return find(teller);
    default:
  }
};
