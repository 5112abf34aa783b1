/**
 * What is learnt of commits that nobody can promise (rule S6).
 *
 *   primary ─ends─▶ interrupted ─▶ silent: standbys are asked ─▶ started in place, or elected again
 *           ─▶ out of recovery: what too few standbys are known to have had is counted
 *
 * A server that follows another primary, or gets other data, has nothing of that left.
 */
import { after, elapsedMs } from '../model/instant.ts';
import type { ActionOf, Results } from '../model/action.ts';
import type { PeerAnswer } from '../model/peer.ts';
import type { DiskFacts, ServerAnswer, ServerExit, ServerProcess } from '../model/server.ts';
import type { Timeline } from '../model/timeline.ts';
import type { CancelledWaits } from '../model/unpromised.ts';
import type { WalPosition } from '../model/wal-position.ts';
import { type SyncNames, noSyncNames, renderSyncNames } from '../replication/sync-names.ts';
import {
  type Interrupted,
  freshInterrupted,
  furtherOf,
  heldByEnough,
} from '../replication/unpromised.ts';
import type { Draft } from '../state.ts';

/** How often the log of a primary is looked at. */
export const LOG_LOOK_MS = 1_000;
/** After something was found there, so that a storm of cancelled waits is told in a few lines. */
export const LOG_LOOK_AGAIN_MS = 30_000;

const change = (draft: Draft, changes: Partial<Draft['unpromised']>): void => {
  draft.unpromised = { ...draft.unpromised, ...changes };
};

/** Whom the store says that our commits wait for; undefined: nobody, or it speaks of others. */
const namesInStore = ({ snapshot, self }: Draft): SyncNames | undefined => {
  const { leader, voters, quorum } = snapshot?.value.sync?.value ?? { voters: [], quorum: 0 };
  if (leader !== self.name || voters.length === 0) return undefined;
  return { method: 'any', count: voters.length - quorum, names: voters };
};

/** Whom commits of the running primary wait for. */
const namesInForce = (draft: Draft): SyncNames | undefined => {
  const { told, wanted } = draft.sync;
  if (told === '') return noSyncNames;
  if (wanted !== undefined && renderSyncNames(wanted) === told) return wanted;
  return namesInStore(draft);
};

/** A look at a primary, with what its standbys have acknowledged. */
const absorbHolding = (draft: Draft, { standbys, lineage }: ServerAnswer): void => {
  const names = namesInForce(draft);
  if (names === undefined || names.count === 0) return;
  const { timeline } = lineage;
  const holdings = standbys.map(({ applicationName, flushLsn, state }) => ({
    name: applicationName,
    lsn: flushLsn,
    isFed: state === 'streaming',
  }));
  const fed = heldByEnough(
    names,
    holdings.filter(({ isFed }) => isFed),
  );
  const lsn = heldByEnough(names, holdings);
  const { held: before } = draft.unpromised;
  const held = lsn === undefined ? before : furtherOf(before, { timeline, lsn });
  change(draft, { timeline, held, isFed: fed !== undefined });
};

/** Before what was known of a server is forgotten: a primary has ended. */
export const absorbInterruption = (draft: Draft, process: ServerProcess): void => {
  if (process.kind === 'running' || !draft.accepting) return;
  const names = namesInForce(draft);
  const { timeline, held, interrupted } = draft.unpromised;
  // What an end before this one has left behind was never looked at.
  if (interrupted !== undefined || names === undefined || names.count === 0) return;
  change(draft, { interrupted: { ...freshInterrupted, names, timeline, held } });
};

/** It has ended because it was told to stop in good order, and within the time for that. */
const wasStopped = ({ lanes: { server }, now }: Draft, { code }: ServerExit): boolean =>
  code === 0 &&
  server?.action.kind === 'stop-server' &&
  server.action.mode === 'fast' &&
  elapsedMs(server.sentAt, now) < server.action.limitMs;

/**
 * A server that is stopped in good order ends sessions that wait, and does not end itself before
 * all standbys that are connected have everything. So nothing is exposed at a planned restart.
 */
export const absorbDrained = (draft: Draft, exit: ServerExit): void => {
  const { interrupted, isFed } = draft.unpromised;
  if (interrupted === undefined || !isFed || !wasStopped(draft, exit)) return;
  change(draft, { interrupted: { ...interrupted, isDrained: true } });
};

/**
 * What was left in the data directory by a server that has ended: here it is seen that it was shut
 * down in good order, or that it was a primary of whose end nobody has heard.
 */
export const absorbLeftBehind = (draft: Draft, { content }: DiskFacts): void => {
  const { interrupted } = draft.unpromised;
  // Under a server that runs it is in production as well.
  if (draft.process.kind !== 'none' || content.kind !== 'data' || content.standbySignal) return;
  if (interrupted?.isDrained === true && content.control === 'shut-down')
    return forgetInterruption(draft);
  if (interrupted !== undefined || content.control !== 'in-production') return;
  const { timeline } = content.lineage;
  change(draft, { interrupted: { ...freshInterrupted, timeline } });
};

/** Whatever our data is from now on: what a primary of ours has left behind is not in it. */
export const forgetInterruption = (draft: Draft): void => {
  if (draft.unpromised.interrupted !== undefined) change(draft, { interrupted: undefined });
};

type Answers = Readonly<Record<string, PeerAnswer>>;

const heldBy = (
  names: SyncNames,
  answers: Answers,
  timeline: Timeline,
): WalPosition | undefined => {
  const holdings = Object.entries(answers).flatMap(([name, answer]) => {
    if (answer.kind !== 'answers' || answer.primary || !answer.position.known) return [];
    const { position } = answer.position;
    return position.timeline === timeline ? [{ name, lsn: position.lsn }] : [];
  });
  const lsn = heldByEnough(names, holdings);
  return lsn === undefined ? undefined : { timeline, lsn };
};

/** With what members have said since our server is silent, or has stopped receiving. */
const withAnswers = (draft: Draft, answers: Answers): Interrupted | undefined => {
  const { interrupted } = draft.unpromised;
  const names = interrupted?.names ?? namesInStore(draft);
  if (interrupted === undefined || names === undefined) return undefined;
  const { timeline, held } = interrupted;
  const heard = timeline === undefined ? undefined : heldBy(names, answers, timeline);
  return { ...interrupted, names, held: furtherOf(held, heard) };
};

/** How much standbys hold. Once our server may have been started again it is no answer any more. */
export const absorbHeld = (draft: Draft, { answers }: Results['ask-held']): void => {
  if (draft.process.kind !== 'none' || !draft.process.silent) return;
  const interrupted = withAnswers(draft, answers);
  if (interrupted !== undefined) change(draft, { interrupted });
};

/** A silent server is started where it was, as the primary. */
export const absorbStartInPlace = (draft: Draft, { as }: ActionOf<'start-server'>): void => {
  if (as !== 'primary' || draft.unpromised.interrupted === undefined) return;
  const { peers, processSince } = draft;
  const answers = peers !== undefined && peers.at >= processSince ? peers.value : {};
  change(draft, { interrupted: withAnswers(draft, answers) });
};

/** Our standby is elected. The snapshot is still that of the term before. */
export const absorbElected = (draft: Draft): void => {
  if (draft.unpromised.interrupted === undefined) return;
  const { peers, vacantSince } = draft;
  const isOfNow = peers !== undefined && vacantSince !== undefined && peers.at >= vacantSince;
  change(draft, { interrupted: withAnswers(draft, isOfNow ? peers.value : {}) });
};

/** Where the WAL ends, or ends at the latest, that an earlier primary on this data has left. */
const endOfEarlier = (
  { process }: Draft,
  { lineage, position }: ServerAnswer,
): WalPosition | undefined => {
  if (process.kind !== 'running') return undefined;
  const parent = lineage.ancestors.at(-1);
  if (process.startedAs === 'primary') return position.known ? position.position : undefined;
  return parent === undefined ? undefined : { timeline: parent.timeline, lsn: parent.switchLsn };
};

/** First look at a primary out of recovery. */
const absorbExposure = (draft: Draft, answer: ServerAnswer): void => {
  const { interrupted, ranges } = draft.unpromised;
  if (interrupted === undefined || draft.accepting) return;
  change(draft, { interrupted: undefined });
  const end = endOfEarlier(draft, answer);
  const { names, held } = interrupted;
  if (end === undefined || names === undefined || names.count === 0) return;
  const { timeline, lsn: to } = end;
  if (held?.timeline !== timeline) {
    const who = `${names.count} of ${names.names.join(', ')}`;
    const what = `its WAL on timeline ${timeline} when the server ended`;
    return tellUncounted(draft, `nobody has said in time up to where ${who} had ${what}`);
  }
  if (held.lsn < to) change(draft, { ranges: [...ranges, { timeline, from: held.lsn, to }] });
};

/** A look at a server. One that streams has left behind whatever a primary on its data had. */
export const absorbUnpromised = (draft: Draft, answer: ServerAnswer): void => {
  if (answer.inRecovery) {
    if (answer.streaming) forgetInterruption(draft);
    return;
  }
  absorbExposure(draft, answer);
  absorbHolding(draft, answer);
};

const tellUncounted = (draft: Draft, value: string): void =>
  change(draft, { uncounted: { value, at: draft.now } });

export const absorbExposed = (
  draft: Draft,
  { range }: ActionOf<'count-exposed'>,
  { commits, to }: Results['count-exposed'],
): void => {
  const { exposed, ranges } = draft.unpromised;
  change(draft, { ranges: ranges.slice(1) });
  if (commits === 0) return;
  change(draft, { exposed: exposed + commits, lastExposed: { ...range, to, commits } });
};

export const absorbCancelled = (
  draft: Draft,
  { pid }: ActionOf<'count-cancelled'>,
  { cancelled, terminated, blind, isBehind }: CancelledWaits,
): void => {
  const { unpromised } = draft;
  const isQuiet = cancelled + terminated === 0;
  const waitMs = isQuiet ? LOG_LOOK_MS : LOG_LOOK_AGAIN_MS;
  change(draft, {
    cancelled: unpromised.cancelled + cancelled,
    terminated: unpromised.terminated + terminated,
    lookedIn: pid,
    lookAt: isBehind ? draft.now : after(draft.now, waitMs),
    blind,
  });
};

/**
 * A log that could not be looked at is looked at again; what a restart has exposed is counted once
 * or not at all, because its WAL is recycled before long.
 */
export const absorbNotCounted = (
  draft: Draft,
  action: ActionOf<'count-cancelled' | 'count-exposed'>,
  cause: string,
): void => {
  if (action.kind === 'count-exposed') {
    change(draft, { ranges: draft.unpromised.ranges.slice(1) });
    return tellUncounted(draft, cause);
  }
  const lookAt = after(draft.now, LOG_LOOK_AGAIN_MS);
  change(draft, { lookedIn: action.pid, lookAt, blind: cause });
};
