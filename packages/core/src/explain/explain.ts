/** From what several tellers say to what happened: one causal story for each incident. */
import type { PlacedEntry, Testimony } from './entry.ts';
import { gatherRefusals, gatherSilences, judgeLoss } from './evidence.ts';
import { gatherFacts, lostAt, measureStages } from './facts.ts';
import type { Incident, Step } from './incident.ts';
import { orderEntries } from './order.ts';
import { type Episode, partitionEntries } from './partition.ts';
import { sentenceOf } from './sentences.ts';

export interface Explanation {
  /** Oldest first. */
  readonly incidents: readonly Incident[];
  /** How far the times of each teller were shifted so that causes come before effects. */
  readonly shiftsMs: Readonly<Record<string, number>>;
}

export const explain = (testimonies: readonly Testimony[]): Explanation => {
  const { entries, shiftsMs } = orderEntries(testimonies);
  const { episodes } = partitionEntries(entries);
  return { incidents: episodes.map((episode, index) => tell(episode, index + 1)), shiftsMs };
};

const tell = (episode: Episode, number: number): Incident => {
  const { entries, settled, missing } = episode;
  const facts = gatherFacts(episode);
  const beganAtMs = entries[0]?.atMs ?? 0;
  const endedAtMs = entries.at(-1)?.atMs ?? beganAtMs;
  const accepting = entries.find(
    ({ event, teller }) => event === 'primary.accepting' && teller === facts.to,
  );
  const lost = lostAt(episode, facts);
  const withoutPrimaryMs =
    facts.from === undefined || accepting === undefined || lost === undefined
      ? undefined
      : Math.max(0, Math.round(accepting.atMs - lost.atMs));
  return {
    number,
    ...facts,
    beganAtMs,
    endedAtMs,
    missing,
    settled,
    withoutPrimaryMs,
    isInferred: lost?.isInferred ?? false,
    stages: measureStages(episode, facts),
    steps: foldSteps(entries, beganAtMs),
    refusals: gatherRefusals(episode),
    silences: gatherSilences(episode, facts),
    loss: judgeLoss(episode, facts),
    entries: entries.length,
  };
};

/** The same thing seen by several is told once. */
const FOLDED: ReadonlySet<string> = new Set(['lease.vacant', 'lease.held', 'switchover.requested']);

const foldSteps = (entries: readonly PlacedEntry[], beganAtMs: number): readonly Step[] => {
  const steps: Step[] = [];
  for (const entry of entries) {
    const step = isTold(entry, entries) ? stepOf(entry, beganAtMs) : undefined;
    if (step === undefined) continue;
    const same = steps.findIndex(
      ({ event, text }) => event !== undefined && event === step.event && text === step.text,
    );
    const known = steps[same];
    if (known === undefined || !FOLDED.has(step.event ?? '')) {
      steps.push(step);
      continue;
    }
    const laterMs = Math.round(step.atMs - known.atMs);
    steps[same] = { ...known, alsoBy: [...(known.alsoBy ?? []), { teller: step.teller, laterMs }] };
  }
  return steps;
};

/** The sweep that found the server silent says so; who releases a lease knows that it is free. */
const isTold = (entry: PlacedEntry, entries: readonly PlacedEntry[]): boolean => {
  const { event, teller, atMs, details } = entry;
  if (event === 'lease.vacant') return details['holder'] !== teller;
  if (event !== 'server.silent') return true;
  return !entries.some(
    (other) =>
      other.event === 'server.fenced' &&
      other.teller === teller &&
      other.details['silent'] === true &&
      Math.abs(other.atMs - atMs) <= SAME_MOMENT_MS,
  );
};

/** Lines of one step are written one after the other. */
const SAME_MOMENT_MS = 10;

const stepOf = (entry: PlacedEntry, beganAtMs: number): Step | undefined => {
  const sentence = sentenceOf(entry);
  if (sentence === undefined) return undefined;
  const { atMs, teller, event, rule, because } = entry;
  return {
    atMs,
    offsetMs: Math.round(atMs - beganAtMs),
    teller,
    ...sentence,
    event,
    rule,
    because: sentence.phase === 'decided' ? because : undefined,
  };
};
