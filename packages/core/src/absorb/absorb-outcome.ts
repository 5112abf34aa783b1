import { after } from '../model/instant.ts';
import type { ActionOf, Lane, Outcome, Results } from '../model/action.ts';
import type { Draft, InFlight } from '../state.ts';
import { absorbKept, absorbPromises } from './absorb-failsafe.ts';
import { absorbFailure } from './absorb-failure.ts';
import { absorbPrepared, absorbSuspended } from './absorb-operating.ts';
import { absorbGranted } from './absorb-next-lease.ts';
import { absorbProbe, lookAgain } from './absorb-server.ts';
import { absorbDisk, absorbServerChange } from './absorb-server-change.ts';
import { absorbShown, absorbSyncCheckpoint } from './absorb-sync.ts';
import { absorbCancelled, absorbExposed, absorbHeld } from './absorb-unpromised.ts';
import { absorbWaiting, absorbWaitingChange } from './absorb-waiting.ts';
import { absorbKeepAlive, absorbSnapshot, absorbTransaction } from './absorb-store.ts';

/** Rest of a lane after a failure, so that a fault is not answered by a storm of calls. */
const REST_AFTER_FAILURE_MS: Readonly<Record<Lane, number>> = {
  lease: 200,
  publish: 500,
  read: 200,
  guard: 50,
  server: 250,
  probe: 100,
  disk: 500,
  peers: 100,
  promises: 100,
  word: 100,
  upstream: 200,
  sql: 1_000,
  commits: 1_000,
};

/** A server that does not show yet what it was told is asked again. */
const SHOW_AGAIN_MS = 20;

/** What was done, with its result. */
export type DoneOf<K extends keyof Results> = {
  [N in K]: { readonly kind: N; readonly result: { readonly kind: 'done' } & Results[N] };
}[K];

export type ServerChange =
  | 'fence'
  | 'start-server'
  | 'stop-server'
  | 'reload-server'
  | 'promote'
  | 'measure-wal-end'
  | 'prepare-server'
  | 'place-history'
  | 'initialise'
  | 'create-users'
  | 'clone'
  | 'keep-fork'
  | 'rewind'
  | 'fetch-wal'
  | 'install-data'
  | 'discard-aside'
  | 'discard-unfinished'
  | 'exit';

/**
 * Turns an outcome into facts. An outcome whose action was superseded (by a fence) is dropped: the
 * guard answers in order, so whatever it says is older than what the fence will say.
 */
export const absorbOutcome = (draft: Draft, outcome: Outcome): void => {
  const flight = takeFlight(draft, outcome);
  if (flight === undefined) return;
  const { result } = outcome;
  if (result.kind === 'done') return absorbDone(draft, flight, outcome as DoneOf<keyof Results>);
  const rest = after(draft.now, REST_AFTER_FAILURE_MS[flight.lane]);
  draft.restUntil = { ...draft.restUntil, [flight.lane]: rest };
  absorbFailure(draft, flight, result);
};

/** The action an outcome belongs to, taken out of its lane; undefined for a superseded one. */
const takeFlight = (draft: Draft, outcome: Outcome): InFlight | undefined => {
  for (const flight of Object.values(draft.lanes)) {
    if (flight?.id !== outcome.id) continue;
    draft.lanes = { ...draft.lanes, [flight.lane]: undefined };
    return flight;
  }
  return undefined;
};

/** A guard that is fencing answers with the deadline it had: asking again at once is of no use. */
const absorbArmed = (draft: Draft, asked: ActionOf<'extend-deadline'>): void => {
  draft.guardLeaseId = asked.leaseId;
  if (draft.guardDeadline === undefined || draft.guardDeadline < asked.deadline) restGuard(draft);
};

/** A guard that is stopping its server does not let it go on: here it is the same. */
const absorbSuspension = (draft: Draft, asked: ActionOf<'suspend-deadline'>, on: boolean): void => {
  absorbSuspended(draft, on);
  if (on !== asked.on) restGuard(draft);
};

const restGuard = (draft: Draft): void => {
  draft.restUntil = { ...draft.restUntil, guard: after(draft.now, REST_AFTER_FAILURE_MS.guard) };
};

const absorbDone = (draft: Draft, flight: InFlight, outcome: DoneOf<keyof Results>): void => {
  const at = flight.sentAt;
  switch (outcome.kind) {
    case 'grant-lease':
      return absorbGranted(draft, flight, outcome.result);
    case 'keep-alive': {
      const { action } = flight;
      if (action.kind !== 'keep-alive') return;
      return absorbKeepAlive(draft, { id: action.leaseId, sentAt: at }, outcome.result.ttlMs);
    }
    case 'read-store':
      return absorbSnapshot(draft, outcome.result.snapshot, at);
    case 'transact':
      return absorbTransaction(draft, flight, outcome.result);
    case 'extend-deadline':
      draft.guardDeadline = outcome.result.deadline;
      if (flight.action.kind === 'extend-deadline') absorbArmed(draft, flight.action);
      return;
    case 'suspend-deadline':
      if (flight.action.kind === 'suspend-deadline')
        absorbSuspension(draft, flight.action, outcome.result.on);
      return;
    case 'inspect-disk':
      return absorbDisk(draft, outcome.result.disk, at);
    case 'probe-server':
      return absorbProbe(draft, outcome.result.probe, at);
    case 'ask-peers':
      draft.peers = { value: outcome.result.answers, at };
      return;
    case 'ask-promises':
      return absorbPromises(draft, flight, outcome.result);
    case 'keep-promise':
      if (flight.action.kind === 'keep-promise') absorbKept(draft, flight.action);
      return;
    case 'inspect-upstream':
      draft.upstream = { value: outcome.result.facts, at };
      return;
    case 'show-sync-names':
      draft.restUntil = { ...draft.restUntil, sql: after(draft.now, SHOW_AGAIN_MS) };
      return absorbShown(draft, outcome.result.shown);
    case 'show-waiting':
      if (flight.action.kind === 'show-waiting')
        absorbWaiting(draft, flight.action, outcome.result.settings);
      return;
    case 'manage-waiting':
      return absorbWaitingChange(draft);
    case 'count-cancelled':
      if (flight.action.kind === 'count-cancelled')
        absorbCancelled(draft, flight.action, outcome.result);
      return;
    case 'ask-held':
      return absorbHeld(draft, outcome.result);
    case 'count-exposed':
      if (flight.action.kind === 'count-exposed')
        absorbExposed(draft, flight.action, outcome.result);
      return;
    case 'checkpoint':
      absorbSyncCheckpoint(draft, at);
      draft.checkpointDue = false;
      if (draft.vacating !== undefined) draft.vacating = { ...draft.vacating, checkpointed: true };
      return absorbPrepared(draft);
    case 'change-slots':
      return lookAgain(draft);
    default:
      return absorbServerChange(draft, flight, outcome);
  }
};
