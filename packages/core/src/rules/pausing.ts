/**
 * Rules for a paused cluster: nothing is done by itself, and the primary goes on also without its
 * lease (rule S1; `view/pause.ts` has the order that makes this safe).
 */
import { beginVacating } from '../model/vacating.ts';
import {
  isAnnounced,
  isPaused,
  isSuspended,
  isSuspensionOurs,
  mayGoOn,
  mayTouchStopped,
} from '../view/pause.ts';
import { goesOnByPromises, promiseInForce } from '../view/failsafe.ts';
import { requestNow } from '../view/schedules.ts';
import type { View } from '../view/view.ts';
import { type Rule, event } from './rule.ts';
import { ours, takeAgain, transact, unchanged } from './transactions.ts';

/** The store says it, in words that nobody takes back, or the guard goes by them already. */
const isTold = ({ state }: View): boolean =>
  isSuspensionOurs(state) && (state.operating.suspended === 'yes' || isAnnounced(state));

export const announceGoingOn: Rule = {
  id: 'announce-going-on-without-lease',
  when: 'the cluster is paused, we hold the lease, and our primary runs',
  does: 'writes to the store that nobody else may take the lease; the guard is told after that',
  why: 'S1: a primary that the store cannot reach cannot know when the pause is over',
  without: 'a pause that ends while the primary is cut off makes two primaries',
  decide: (view) => {
    const { state, store } = view;
    const { tenure, vacating, leaving, self, operating } = state;
    if (!mayGoOn(view) || !view.holding || tenure === undefined || store === undefined)
      return undefined;
    if (isTold(view) || view.server?.inRecovery !== false || !view.writable) return undefined;
    if (vacating !== undefined || leaving !== undefined || operating.operation !== undefined)
      return undefined;
    return {
      because: 'the cluster is paused',
      action: transact(
        'suspend',
        [ours(tenure), unchanged(store, 'config'), unchanged(store, 'suspension')],
        [{ key: 'suspension', put: { member: self.name, life: self.life } }],
      ),
      event: event('pause.begun', 'info'),
    };
  },
};

/**
 * The server that the store speaks of is silent, and we see it: its data is here, or the guard that
 * was told is one of this host since its last boot, whose processes we see also without their data.
 */
const isSeenSilent = ({ state, store, silent, data, systemIdentifier }: View): boolean => {
  if (data !== undefined && data.systemIdentifier === systemIdentifier) return true;
  return silent && store?.suspension?.value.life.host === state.self.life.host;
};

/** Why our server does not go on without a lease, whatever the store still says of it. */
const whyOver = (view: View): string | undefined => {
  const { state, server } = view;
  if (isSeenSilent(view)) return 'our server is silent';
  if (server?.inRecovery === true && !view.writable) return 'our server is a standby';
  const isKept =
    state.operating.suspended === 'no' && state.lanes.guard?.action.kind !== 'suspend-deadline';
  if (mayGoOn(view) || !isKept || !view.holding) return undefined;
  const why = isPaused(view) ? 'a member of Patroni has come' : 'the pause is over';
  return `${why}, and the guard keeps the deadline again`;
};

export const withdrawGoingOn: Rule = {
  id: 'withdraw-going-on-without-lease',
  when: 'the store says that our server goes on without a lease, and it does not any more',
  does: 'takes that back',
  why: 'as long as it stands there nobody else takes the lease by itself',
  without: 'the first failure after a pause needs a hand',
  decide: (view) => {
    const { store, state } = view;
    if (store?.suspension?.value.member !== state.self.name || state.snapshotStale)
      return undefined;
    const because = whyOver(view);
    if (because === undefined) return undefined;
    return {
      because,
      remember: { operating: { ...state.operating, announced: undefined } },
      action: transact(
        'end-suspension',
        [unchanged(store, 'suspension')],
        [{ key: 'suspension', remove: true }],
      ),
      event: event('pause.over', 'info', { because }),
    };
  },
};

/** Whoever takes the lease removes what we have left there when our agent was stopped. */
const isUntouched = ({ state: { self }, store }: View): boolean => {
  const { handover, suspension } = store ?? {};
  const named = requestNow(store)?.member;
  if (named !== undefined && named !== self.name) return false;
  const isReleased = handover?.value.from === self.name && handover.value.cause === 'shutdown';
  return isReleased || suspension?.value.member === self.name;
};

/** Why the free lease is still ours to take: nobody has been primary but our server. */
const whyStillOurs = (view: View): string | undefined => {
  const { state, store, server, data } = view;
  if (isSuspended(state))
    return view.writable && server?.inRecovery === false
      ? 'our primary has gone on without it'
      : undefined;
  if (goesOnByPromises(state))
    return view.writable && server?.inRecovery === false
      ? 'promises have bridged the outage'
      : undefined;
  if (!isPaused(view) || data === undefined || data.standbySignal) return undefined;
  if (data.systemIdentifier !== view.systemIdentifier || data.control !== 'shut-down')
    return undefined;
  // Patroni's members leave our documents as they are, but not the history.
  const isLater = store?.history?.value.some((row) => row.timeline >= data.lineage.timeline);
  const isFresh = state.operating.mayStart === 'if-shut-down';
  return isFresh && isUntouched(view) && isLater !== true
    ? 'our agent was stopped, and nobody has taken it since'
    : undefined;
};

export const takeLeaseAgain: Rule = {
  id: 'take-lease-again',
  when: 'the leader key is free, and no other server than ours has been primary since we held it',
  does: 'takes the lease again; the server goes on, or starts, on the same timeline',
  why: 'S1: the cluster has its primary already',
  without: 'an outage of the store in a pause, or a restart of the agent, costs the primary',
  decide: (view) => {
    const { state, store } = view;
    const { lease, tenure, leaving } = state;
    if (tenure !== undefined || lease === undefined || store === undefined) return undefined;
    if (promiseInForce(state) !== undefined) return undefined;
    if (store.leader !== undefined || state.snapshotStale || leaving !== undefined)
      return undefined;
    const because = whyStillOurs(view);
    if (because === undefined) return undefined;
    return {
      because,
      action: takeAgain(view, store, lease),
      event: event('lease.taking-again', 'info', { because }),
    };
  },
};

export const handOverStoppedPrimaryWhenAsked: Rule = {
  id: 'hand-over-stopped-primary-when-asked',
  when: 'the cluster is paused, the server of the lease holder is gone, and a candidate is named',
  does: 'begins a switchover to that candidate with what the stopped server holds',
  why: 'a pause leaves the choice to the operator, who has made it',
  without: 'nobody but a resume helps a paused cluster without a primary',
  decide: (view) => {
    const { state, store } = view;
    const heir = requestNow(store)?.member;
    if (!isPaused(view) || !view.holding || !view.silent || heir === undefined) return undefined;
    if (heir === state.self.name || !view.otherMembers.includes(heir)) return undefined;
    const { vacating, operating } = state;
    if (vacating !== undefined && vacating.cause !== 'crash') return undefined;
    if (operating.operation !== undefined || state.leaving !== undefined) return undefined;
    const begun = beginVacating('switchover', view.now);
    return {
      because: `an operator has named ${heir}`,
      remember: {
        vacating: { ...begun, heir, checkpointed: true },
        operating: { ...operating, mayStart: 'always' },
      },
      event: event('switchover.begun', 'info', { to: heir }),
    };
  },
};

export const leaveStoppedServerAlone: Rule = {
  id: 'leave-stopped-server-alone-while-paused',
  when: 'the cluster is paused and a server has ended that nobody asked us to stop or to start',
  does: 'nothing: no restart, no handing over, no rewind, no clone',
  why: 'a pause is for an operator who works on the servers himself',
  without: 'what he has stopped comes up under his hands',
  decide: (view) => {
    if (!isPaused(view) || !view.silent || mayTouchStopped(view)) return undefined;
    return { because: 'the cluster is paused' };
  },
};

export const pausingRules: readonly Rule[] = [
  takeLeaseAgain,
  withdrawGoingOn,
  handOverStoppedPrimaryWhenAsked,
  leaveStoppedServerAlone,
  announceGoingOn,
];
