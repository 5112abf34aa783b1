/**
 * Rules for a lease holder whose server is going or gone: after a crash, for a switchover, for a
 * shutdown. One path for all three: silence, the exact end of its WAL, a standby that holds all of
 * it, release. When no standby does, the server starts again in place.
 *
 *   running ─checkpoint─▶ stopping ─exit─▶ killed leftovers ─▶ silent ─▶ end measured ─▶ released
 *      ▲                                                         │            │ nobody has all
 *      └──────────────────────── started in place ◀──────────────┴────────────┘
 */
import { findHeir, listCandidates, whyNotComplete } from '../election/candidates.ts';
import { findSyncHeir } from '../election/votes.ts';
import { after, elapsedMs } from '../model/instant.ts';
import { formatLsn } from '../model/lsn.ts';
import type { MemberName } from '../model/member.ts';
import type { PeerAnswer } from '../model/peer.ts';
import type { HandoverDocument } from '../model/store.ts';
import type { Vacating } from '../model/vacating.ts';
import { type WalPosition, formatPosition } from '../model/wal-position.ts';
import { requestNow } from '../view/schedules.ts';
import { type View, hasPassed, peersSince } from '../view/view.ts';
import { type Answer, type Rule, event } from './rule.ts';
import { clearFailover, release } from './transactions.ts';

/** After a crash: how long standbys that are behind may take to drain what is in their sockets. */
export const CRASH_DRAIN_LIMIT_MS = 50;
/** After a clean stop the standbys have been sent everything: they only have to write it. */
export const PLANNED_DRAIN_LIMIT_MS = 5_000;
/** Not answering is not being behind: a restart in place takes longer than this anyway. */
export const SILENT_STANDBY_LIMIT_MS = 500;
/**
 * How long a question to the peers may take while applications wait, at first. On a busy machine a
 * question that is asked again and again with this limit is never answered: it grows.
 */
const ASK_LIMIT_MS = 50;
const ASK_AGAIN_MS = 20;

/** Whether a standby that has not said how much it holds may hold everything. */
const mayHoldAll = (answer: PeerAnswer | undefined): boolean =>
  answer === undefined ||
  answer.kind === 'no-answer' ||
  (answer.electable && !answer.position.known);

const mayReceiveMore = (answer: PeerAnswer | undefined): boolean =>
  answer?.kind === 'answers' && answer.streaming !== false;

/** How long standbys are asked again, from the moment the end of WAL is known. */
const drainLimitMs = (
  view: View,
  vacating: Vacating,
  answers: Readonly<Record<string, PeerAnswer>>,
): number => {
  const others = view.otherMembers.map((name) => answers[name]);
  const isPlanned = vacating.cause !== 'crash';
  const mayTakeOver = (answer: PeerAnswer | undefined): boolean =>
    mayHoldAll(answer) || (answer?.kind === 'answers' && answer.electable);
  // Busy members answer late: a planned stop is not given up for that.
  if (isPlanned && others.some(mayTakeOver)) return PLANNED_DRAIN_LIMIT_MS;
  if (others.some(mayHoldAll)) return SILENT_STANDBY_LIMIT_MS;
  // The sender is dead: once the walreceivers have seen that, nothing more can come.
  return others.some(mayReceiveMore) ? CRASH_DRAIN_LIMIT_MS : 0;
};

export const isQuiet = ({ state, now }: View): boolean =>
  state.quietUntil !== undefined && now < state.quietUntil;

/** Why a crashed server is not even considered for handing over; undefined: it is. */
export const whyRestart = (view: View, vacating: Vacating): string | undefined => {
  const { policy } = view.state;
  if (vacating.givenUp) return 'no standby has all WAL';
  if (vacating.cause !== 'crash') return undefined;
  if (policy.primaryStartTimeoutMs > 0) return 'the policy restarts a crashed primary in place';
  if (isQuiet(view)) return 'the last hand-over for a crash was less than a minute ago';
  const lastWords = view.state.disk?.value.lastWords;
  if (lastWords === 'panic' || lastWords === 'disk-full')
    return `the server ended with ${lastWords}`;
  if (view.otherMembers.length === 0) return 'there is no other member';
  return undefined;
};

/** The holder whose server is silent and whose lease is to be given to somebody who has it all. */
const handingOver = (view: View): Vacating | undefined => {
  const { vacating } = view.state;
  if (!view.holding || !view.silent || vacating === undefined) return undefined;
  return whyRestart(view, vacating) === undefined ? vacating : undefined;
};

export const measureEndOfWal: Rule = {
  id: 'measure-end-of-wal',
  when: 'we hold the lease, our server is silent and its WAL may be complete on a standby',
  does: 'finds the exact end of its WAL',
  why: 'S4, S10: only of a silent server can be said what a successor must hold',
  without: 'a standby is promoted that lacks the last commits',
  decide: (view) => {
    const vacating = handingOver(view);
    if (vacating === undefined || vacating.end !== undefined || view.data === undefined)
      return undefined;
    return {
      because: `silent since ${elapsedMs(vacating.since, view.now)} ms after ${vacating.cause}`,
      action: { kind: 'measure-wal-end', from: view.store?.status?.value.optime },
    };
  },
};

export const handOverWhenStandbyHasAllWal: Rule = {
  id: 'hand-over-when-standby-has-all-wal',
  when: 'the end of our WAL is known and a standby that may be promoted has received all of it',
  does: 'releases the lease to that standby',
  why: 'promotion of a running standby is faster than crash recovery, and nothing is lost',
  without: 'applications wait for a crash recovery of unknown length',
  decide: (view) => {
    const vacating = handingOver(view);
    const { tenure } = view.state;
    if (vacating?.end === undefined || tenure === undefined || view.store === undefined)
      return undefined;
    const answers = peersSince(view, vacating.since);
    if (answers === undefined && view.otherMembers.length > 0) return askStandbys(view);
    const heir = chooseHeir(view, vacating, answers ?? {});
    if (heir === undefined) return waitForStandby(view, vacating, answers ?? {});
    const { name, needed } = heir;
    const what = needed === undefined ? 'everything' : 'everything acknowledged';
    const document: HandoverDocument = {
      from: view.state.self.name,
      term: tenure.term,
      cause: vacating.cause,
      end: { known: true, position: vacating.end },
      ...(needed === undefined ? {} : { needed }),
      heir: name,
      quietMs: Math.max(0, elapsedMs(view.now, view.state.quietUntil ?? view.now)),
    };
    return {
      because: `${name} has ${what} up to ${formatPosition(vacating.end)}`,
      action: release(view.store, tenure, document),
      event: event('lease.handed-over', 'info', {
        heir: name,
        cause: vacating.cause,
        end: formatLsn(vacating.end.lsn),
        timeline: vacating.end.timeline,
        unacknowledgedBytes: needed === undefined ? 0 : Number(vacating.end.lsn - needed.lsn),
        ...refusedBeside(view, name, { answers: answers ?? {}, end: needed ?? vacating.end }),
      }),
    };
  },
};

/** Who could not have taken over, and why; who was only not chosen is not among them. */
const refusedBeside = (
  view: View,
  heir: MemberName,
  { answers, end }: { answers: Readonly<Record<string, PeerAnswer>>; end: WalPosition },
): { readonly refused?: string } => {
  const refused = view.otherMembers.flatMap((name) => {
    const why = name === heir ? undefined : whyNotComplete(answers[name], end);
    return why === undefined ? [] : [`${name} ${why}`];
  });
  return refused.length === 0 ? {} : { refused: refused.join('; ') };
};

interface Heir {
  readonly name: MemberName;
  /** Where it is less than all: what was ever acknowledged. */
  readonly needed?: WalPosition | undefined;
}

/** Somebody the operator named is waited for; a choice of our own may still change. */
const chooseHeir = (
  view: View,
  { heir, cause, end }: Vacating,
  answers: Readonly<Record<string, PeerAnswer>>,
): Heir | undefined => {
  if (end === undefined) return undefined;
  if (heir !== undefined && whyNotComplete(answers[heir], end) === undefined) return { name: heir };
  const named = heir !== undefined && requestNow(view.store)?.member === heir;
  if (named) return undefined;
  const name = findHeir(answers, end);
  if (name !== undefined) return { name };
  // Of a crashed server clients were told no more than its standbys have.
  const sinceSilent = peersSince(view, view.state.processSince);
  if (cause !== 'crash' || sinceSilent === undefined) return undefined;
  return findSyncHeir(view, sinceSilent, listCandidates(sinceSilent));
};

export const askStandbys = (view: View): Answer => {
  const { endAt } = view.state.vacating ?? {};
  const waitedMs = endAt === undefined ? 0 : elapsedMs(endAt, view.now);
  const limitMs = Math.min(SILENT_STANDBY_LIMIT_MS, Math.max(ASK_LIMIT_MS, waitedMs));
  return {
    because: 'asking the standbys how much they hold',
    action: { kind: 'ask-peers', members: view.otherMembers, limitMs },
  };
};

const waitForStandby = (
  view: View,
  vacating: Vacating,
  answers: Readonly<Record<string, PeerAnswer>>,
): Answer => {
  const { end } = vacating;
  const reasons = view.otherMembers.map(
    (name) => `${name} ${end === undefined ? '' : (whyNotComplete(answers[name], end) ?? '')}`,
  );
  const because = reasons.join(', ');
  const from = vacating.rescue?.since ?? vacating.endAt ?? vacating.since;
  const limitMs =
    vacating.rescue === undefined ? drainLimitMs(view, vacating, answers) : RESCUE_LIMIT_MS;
  const rescue = hasPassed(view, from, limitMs) ? beginRescue(view, vacating, answers) : undefined;
  if (rescue !== undefined) return rescue;
  if (hasPassed(view, from, limitMs))
    return {
      because,
      remember: { vacating: { ...vacating, givenUp: true } },
      event: event('handover.given-up', 'warn', { because }),
    };
  const askedAt = view.state.peers?.at ?? view.now;
  const askAgainAt = after(askedAt, ASK_AGAIN_MS);
  return view.now < askAgainAt ? { because, until: askAgainAt } : askStandbys(view);
};

/** How long a standby may take to fetch and read what it lacks; then this server starts again. */
export const RESCUE_LIMIT_MS = 3_000;
/** More than this takes longer than a crash recovery in place. */
const RESCUE_BYTES_MAX = 256n * 1024n * 1024n;

/** The best standby is given the rest, once: this server is silent, and its disk is here (S11). */
const beginRescue = (
  view: View,
  vacating: Vacating,
  answers: Readonly<Record<string, PeerAnswer>>,
): Answer | undefined => {
  const { end } = vacating;
  if (vacating.cause !== 'crash' || vacating.rescue !== undefined || end === undefined)
    return undefined;
  const best = listCandidates(answers).find(
    ({ name, position }) =>
      view.store?.members[name]?.value.ours === true &&
      position.timeline === end.timeline &&
      position.lsn < end.lsn &&
      end.lsn - position.lsn <= RESCUE_BYTES_MAX,
  );
  if (best === undefined) return undefined;
  const bytes = Number(end.lsn - best.position.lsn);
  return {
    because: `${best.name} lacks ${bytes} bytes, which are here`,
    remember: { vacating: { ...vacating, rescue: { to: best.name, since: view.now } } },
    event: event('wal.offered', 'info', { to: best.name, bytes }),
  };
};

export const clearSwitchoverThatWasGivenUp: Rule = {
  id: 'clear-switchover-that-was-given-up',
  when: 'a switchover was given up because its candidate did not get all WAL in time',
  does: 'takes the request back',
  why: 'the same request would stop the primary again at once',
  without: 'the primary is stopped and started for ever',
  decide: (view) => {
    const { vacating, tenure } = view.state;
    if (vacating?.givenUp !== true || tenure === undefined || view.store === undefined)
      return undefined;
    if (requestNow(view.store) === undefined) return undefined;
    return {
      because: 'the switchover was given up',
      action: clearFailover(view.store),
    };
  },
};

export const releaseWhenShuttingDownWithoutHeir: Rule = {
  id: 'release-when-shutting-down-without-heir',
  when: 'the member leaves, its server is silent and no standby got everything in time',
  does: 'releases the lease all the same, with the end of its WAL',
  why: 'candidates then know what they lack, and need not wait for the lease to expire',
  without: 'stopping the last member leaves a lease behind',
  decide: (view) => {
    const { vacating, tenure, leaving } = view.state;
    if (leaving === undefined || !view.silent || tenure === undefined) return undefined;
    if (view.store === undefined) return undefined;
    const isHandingOver = vacating !== undefined && whyRestart(view, vacating) === undefined;
    if (isHandingOver && view.otherMembers.length > 0 && view.holding) return undefined;
    const end = vacating?.end;
    return {
      because: 'leaving, and nobody has everything',
      action: release(view.store, tenure, {
        from: view.state.self.name,
        term: tenure.term,
        cause: 'shutdown',
        end: end === undefined ? { known: false } : { known: true, position: end },
        quietMs: 0,
      }),
    };
  },
};

export const vacatingRules: readonly Rule[] = [
  measureEndOfWal,
  clearSwitchoverThatWasGivenUp,
  handOverWhenStandbyHasAllWal,
  releaseWhenShuttingDownWithoutHeir,
];
