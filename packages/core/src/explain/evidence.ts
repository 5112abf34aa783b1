/** What was lost, and how it was known that the old primary could not write any more. */
import { type Lsn, formatLsn, parseLsn } from '../model/lsn.ts';
import type { PlacedEntry } from './entry.ts';
import { numberIn, textIn } from './entry.ts';
import type { Facts } from './facts.ts';
import type { Loss, Refusal, Silence } from './incident.ts';
import type { Episode } from './partition.ts';
import { formatMs } from './sentences.ts';

const lsnIn = (entry: PlacedEntry, key: string): Lsn | undefined =>
  parseLsn(textIn(entry, key) ?? '');

interface Fork {
  readonly parent: number;
  readonly at: Lsn;
}

/** Where the new timeline left the old one. */
const forkOf = ({ entries }: Episode): Fork | undefined => {
  const entry = entries.findLast(
    ({ event, details }) => event === 'primary.promoted' && details['parent'] !== undefined,
  );
  const parent = entry === undefined ? undefined : numberIn(entry, 'parent');
  const at = entry === undefined ? undefined : lsnIn(entry, 'from');
  return parent === undefined || at === undefined ? undefined : { parent, at };
};

export const judgeLoss = (episode: Episode, facts: Facts): Loss | undefined => {
  const { kind, from, to } = facts;
  if (kind === 'restart-in-place' || kind === 'switchover-given-up')
    return { kind: 'nothing', because: `${to ?? 'it'} went on with its own data` };
  if (from === undefined || to === undefined) return undefined;
  const fork = forkOf(episode);
  if (fork === undefined)
    return { kind: 'unknown', because: `${to} has not recorded where its timeline begins` };
  const own = endOf(episode, facts, fork);
  const kept = episode.entries.find(
    (entry) =>
      entry.event === 'fork.kept' &&
      entry.teller === from &&
      numberIn(entry, 'timeline') === fork.parent &&
      lsnIn(entry, 'from') === fork.at,
  );
  const end = own ?? (kept === undefined ? undefined : lsnIn(kept, 'to'));
  if (end === undefined) return unknownLoss(episode, from, fork);
  if (end <= fork.at)
    return {
      kind: 'nothing',
      because: `${from} ended at ${formatLsn(end)}, timeline ${fork.parent} is taken over in full`,
      end: formatLsn(end),
    };
  return {
    kind: 'lost',
    member: from,
    timeline: fork.parent,
    from: formatLsn(fork.at),
    to: formatLsn(end),
    bytes: Number(end - fork.at),
    mayBeAcknowledged: !wasUnacknowledged(episode, end, fork),
    keptAt: kept === undefined ? undefined : textIn(kept, 'path'),
  };
};

/** With synchronous replication the old primary knew how much had ever been acknowledged. */
const wasUnacknowledged = ({ entries }: Episode, end: Lsn, { at }: Fork): boolean => {
  const handedOver = entries.find(({ event }) => event === 'lease.handed-over');
  const bytes = handedOver === undefined ? 0 : (numberIn(handedOver, 'unacknowledgedBytes') ?? 0);
  return bytes > 0 && end - BigInt(bytes) <= at;
};

/** The last word on where the WAL of the old primary ended, in its own words only. */
const endOf = ({ entries }: Episode, { from }: Facts, { parent }: Fork): Lsn | undefined => {
  const told = entries.findLast(
    (entry) =>
      numberIn(entry, 'timeline') === parent &&
      ((entry.teller === from &&
        (entry.event === 'wal.measured' || entry.event === 'lease.handed-over')) ||
        (entry.event === 'lease.vacant' && entry.details['holder'] === from)),
  );
  return told === undefined ? undefined : lsnIn(told, 'end');
};

const unknownLoss = ({ entries }: Episode, from: string, { at }: Fork): Loss => {
  const vacant = entries.find(
    ({ event, details }) => event === 'lease.vacant' && 'lastKnown' in details,
  );
  const lastKnown = vacant === undefined ? undefined : lsnIn(vacant, 'lastKnown');
  const atLeast = lastKnown !== undefined && lastKnown > at ? Number(lastKnown - at) : 0;
  return {
    kind: 'unknown',
    because: `nobody has seen where the WAL of ${from} ends; ${from} will say when it is back`,
    from: formatLsn(at),
    atLeastBytes: atLeast,
  };
};

export const gatherSilences = ({ entries }: Episode, facts: Facts): readonly Silence[] => {
  const { from, to } = facts;
  if (from === undefined) return [];
  const accepting = entries.find(
    ({ event, teller }) => event === 'primary.accepting' && teller === to,
  );
  const ahead = ({ atMs }: PlacedEntry): string => {
    if (accepting === undefined || to === undefined || to === from) return '';
    const ms = accepting.atMs - atMs;
    return ms < 0
      ? `, seen ${formatMs(-ms)} after ${to} accepted writes`
      : `, ${formatMs(ms)} before ${to} accepted writes`;
  };
  const silences: Silence[] = [];
  let isOfLaterLife = false;
  for (const entry of entries) {
    if (entry.teller === from && entry.event === 'loop.began') isOfLaterLife = true;
    if (entry.teller === from && entry.event === 'server.found') isOfLaterLife = false;
    // What a member that comes back finds says nothing of when its server ended.
    if (isOfLaterLife && entry.teller === from) continue;
    const said = silenceIn(entry, from);
    if (said !== undefined && !silences.some(({ by }) => by === said.by))
      silences.push({
        member: from,
        atMs: entry.atMs,
        by: said.by,
        text: `${said.text}${ahead(entry)}`,
      });
  }
  // Whoever swept has seen them gone.
  const swept = silences.some(({ by }) => by === 'guard' || by === 'loop');
  return swept ? silences.filter(({ by }) => by !== 'seen-gone') : silences;
};

type Said = Pick<Silence, 'by' | 'text'>;

const silenceIn = (entry: PlacedEntry, from: string): Said | undefined => {
  const { event, teller, details, because } = entry;
  if (event === 'lease.vacant' && details['holder'] === from) {
    const released = details['released'];
    if (released === undefined)
      return {
        by: 'lease-expiry',
        text:
          `its lease expired in the store, as ${teller} saw: ` +
          'a guard that ran had fenced it by then',
      };
    return {
      by: 'own-report',
      text: `it said so itself when it released the lease (${String(released)})`,
    };
  }
  if (teller !== from) return undefined;
  if (event === 'server.stopped' && details['mode'] === 'fast')
    return { by: 'clean-stop', text: 'it stopped cleanly, everything was sent to its standbys' };
  if (event === 'server.silent')
    return { by: 'seen-gone', text: 'no process of its PostgreSQL was left' };
  if (event !== 'server.fenced' || details['silent'] !== true) return undefined;
  const why = because === undefined ? '' : ` when ${because}`;
  const by = details['by'] === 'loop' ? 'loop' : 'guard';
  return { by, text: `its ${by} swept${why} and saw no process of PostgreSQL left` };
};

/** Who was not chosen and why, in the words of whoever decided. */
export const gatherRefusals = ({ entries }: Episode): readonly Refusal[] => {
  const refusals: Refusal[] = [];
  const add = (kind: Refusal['kind'], by: string, because: string | undefined): void => {
    if (because === undefined || because === '') return;
    if (!refusals.some((known) => known.by === by && known.because === because))
      refusals.push({ kind, by, because });
  };
  for (const entry of entries) {
    const { event, rule, because, action, teller } = entry;
    if (event === 'lease.handed-over')
      for (const one of (textIn(entry, 'refused') ?? '').split('; ')) add('refused', teller, one);
    if (event === 'handover.given-up' || event === 'switchover.refused')
      add('refused', teller, because);
    const waits = event === undefined && action === undefined;
    if (waits && rule === 'acquire-as-best-candidate') add('waited', teller, because);
  }
  return refusals;
};
