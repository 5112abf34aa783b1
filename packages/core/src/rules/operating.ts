/**
 * Rules for what operators ask of one member: a restart in place, a new clone.
 *
 *   restart       asked ─checkpoint─▶ prepared ─▶ stopping ─▶ silent ─▶ started as it was ─▶ done
 *   reinitialize  asked ─▶ stopping ─▶ silent ─▶ a clone is wanted ─▶ (repairing)
 *
 * Starting is left to the rules that start servers anyway: the holder's goes on as the primary, any
 * other one as a standby. While a primary is away for a restart its lease is renewed as always.
 */
import type { Operation, OperationAnswer } from '../model/operating.ts';
import { withAnswer } from '../model/operating.ts';
import type { Draft } from '../state.ts';
import { freshRejoin } from '../model/rejoin.ts';
import { beginVacating } from '../model/vacating.ts';
import { after } from '../model/instant.ts';
import { isPaused } from '../view/pause.ts';
import { type View, hasPassed } from '../view/view.ts';
import { CHECKPOINT_LIMIT_MS } from './planned-stop.ts';
import { type Later, type Rule, event } from './rule.ts';
import { primaryFactsOf, inspect, wantedUpstream } from './upstream.ts';

/** A primary that is not seen within this time is not there to be cloned. */
const LOOK_LIMIT_MS = 10_000;

/** The end of an operation: its answer, and nothing under way any more. */
const endOperation = (
  { state: { operating } }: View,
  { request }: Operation,
  answer: Pick<OperationAnswer, 'kind' | 'because'>,
): Pick<Draft, 'operating'> => ({
  operating: {
    ...withAnswer(operating, { id: request.id, ...answer }),
    operation: undefined,
  },
});

/** What else is under way, in the words of Patroni's answers. */
export const whyBusy = (view: View): string | undefined => {
  const { leaving, vacating, promotion, bootstrap, rejoin } = view.state;
  if (leaving !== undefined) return 'the member is about to stop';
  if (bootstrap !== undefined) return 'bootstrap already in progress';
  if (promotion?.stage === 'signalled') return 'promote already in progress';
  if (rejoin.cloned) return 'clone already in progress';
  if (view.writable && !view.holding)
    return 'the lease is not held, so that the server could not be started again';
  if (vacating === undefined) return undefined;
  if (vacating.cause !== 'crash') return `${vacating.cause} already in progress`;
  return isPaused(view) ? undefined : 'the crash of the server is being dealt with';
};

/** Why a new clone cannot be made here and now, in Patroni's sentences. */
const whyNotCloned = (view: View, { since }: Operation): string | undefined => {
  const { holder } = view;
  if (holder === undefined) return 'Cluster has no leader, can not reinitialize';
  if (holder.isMe) return 'I am the leader, can not reinitialize';
  const upstream = wantedUpstream(view);
  if (upstream === undefined) return `${holder.name} is not running as the primary`;
  const isSeen = primaryFactsOf(view, upstream) !== undefined;
  return !isSeen && hasPassed(view, since, LOOK_LIMIT_MS)
    ? `${holder.name} cannot be reached from here`
    : undefined;
};

export const refuseOperation: Rule = {
  id: 'refuse-operation',
  when: 'an operator asks for a restart or a new clone, and this member cannot do that now',
  does: 'refuses it, with the reason',
  why: 'one change at a time, and never the last copy',
  without: 'a restart meets a switchover half way, or the lease holder deletes its data',
  decide: (view) => {
    const { operation } = view.state.operating;
    if (operation?.stage !== 'asked') return undefined;
    const { kind } = operation.request;
    const because =
      whyBusy(view) ?? (kind === 'reinitialize' ? whyNotCloned(view, operation) : undefined);
    if (because === undefined) return undefined;
    return {
      because,
      remember: endOperation(view, operation, { kind: 'refused', because }),
      event: event('operation.refused', 'warn', { operation: kind, because }),
    };
  },
};

export const checkpointBeforeRestarting: Rule = {
  id: 'checkpoint-before-restarting',
  when: 'an operator has asked for a restart and our server is the primary',
  does: 'makes a checkpoint first',
  why: 'the checkpoint of the stop itself is then short, and so is the outage',
  without: 'applications wait while gigabytes are written',
  decide: (view) => {
    const { operation } = view.state.operating;
    if (operation?.request.kind !== 'restart' || operation.stage !== 'asked') return undefined;
    if (view.server === undefined || view.server.inRecovery) return undefined;
    return {
      because: 'before the restart',
      action: { kind: 'checkpoint', limitMs: CHECKPOINT_LIMIT_MS },
      event: event('operation.begun', 'info', { operation: 'restart' }),
    };
  },
};

/** The server that was to end still runs. */
const isStillRunning = ({ state: { process } }: View, operation: Operation): boolean =>
  process.kind === 'running' && process.pid === operation.pid;

export const stopServerForOperation: Rule = {
  id: 'stop-server-for-operation',
  when: 'an operator has asked for a restart or a new clone, and the server is still the old one',
  does: 'stops it, in good order; the lease, if we hold it, is renewed all the while',
  why: 'S4: whatever comes next is done to a silent server',
  without: 'settings that need a restart never take effect',
  decide: (view) => {
    const { state, now } = view;
    const { operation } = state.operating;
    if (operation === undefined) return undefined;
    const begins = operation.stage !== 'stopping';
    const { kind } = operation.request;
    const pid = state.process.kind === 'running' ? state.process.pid : undefined;
    if (!begins && !isStillRunning(view, operation)) return undefined;
    const upstream = wantedUpstream(view);
    // While we are away nobody counts on what we hold: first it is seen that the primary is there.
    if (kind === 'reinitialize' && upstream !== undefined && !primaryFactsOf(view, upstream))
      return inspect(view, upstream);
    const stopping = {
      ...operation,
      stage: 'stopping' as const,
      since: begins ? now : operation.since,
      pid,
      failedStarts: state.rejoin.failedStarts,
    };
    const operating = { ...state.operating, operation: stopping };
    const started = { id: operation.request.id, kind: 'done', because: `${kind} started` } as const;
    // Whoever asks for a new clone is told that it begins: it may take hours.
    const remember = {
      operating: kind === 'reinitialize' && begins ? withAnswer(operating, started) : operating,
      // A crash that the pause has left alone is over with this.
      vacating: undefined,
    };
    const because = `for ${kind}`;
    if (pid === undefined) return view.silent && begins ? { because, remember } : undefined;
    return {
      because,
      remember,
      action: { kind: 'stop-server', mode: 'fast', limitMs: state.policy.stopTimeoutMs },
      event: event('server.stopping', 'info', { because }),
    };
  },
};

export const failRestart: Rule = {
  id: 'fail-restart',
  when: 'a restart was begun and the server does not come up again, or not in time',
  does: 'says so, and looks for a standby that has everything; without one it tries again',
  why: 'a standby may be able to go on, and whoever asked should know',
  without: 'a setting that PostgreSQL does not start with is an outage for as long as nobody looks',
  decide: (view) => {
    const { state, now } = view;
    const { operation } = state.operating;
    if (operation?.request.kind !== 'restart' || operation.stage !== 'stopping') return undefined;
    if (view.server !== undefined && !isStillRunning(view, operation)) return undefined;
    const because = whyFailed(view, operation);
    if (because === undefined) return laterIfLimited(operation);
    const isHolder = view.holding && !isStillRunning(view, operation);
    // It was stopped in good order: the standbys have been sent everything, and may be behind. One
    // that is starting is left to it: should it come up after all, nothing has to move.
    const begun = beginVacating('cannot-start', now);
    return {
      because,
      remember: {
        ...endOperation(view, operation, { kind: 'failed', because }),
        vacating: isHolder && !isPaused(view) ? begun : state.vacating,
      },
      event: event('operation.failed', 'error', { operation: 'restart', because }),
    };
  },
};

const whyFailed = (view: View, operation: Operation): string | undefined => {
  const { rejoin, vacating } = view.state;
  const { request, failedStarts, since } = operation;
  if (vacating !== undefined) return 'the server ended again';
  if (rejoin.failedStarts > failedStarts) return 'the server does not start';
  const limitMs = request.kind === 'restart' ? request.limitMs : undefined;
  if (limitMs === undefined || !hasPassed(view, since, limitMs)) return undefined;
  return `not back within ${limitMs} ms`;
};

const laterIfLimited = ({ request, since }: Operation): Later | undefined => {
  const limitMs = request.kind === 'restart' ? request.limitMs : undefined;
  return limitMs === undefined ? undefined : { askAgainAt: after(since, limitMs) };
};

export const finishRestart: Rule = {
  id: 'finish-restart',
  when: 'a server that was stopped for a restart answers again',
  does: 'says so',
  why: 'whoever asked for it is waiting',
  without: 'the member counts as being restarted for ever',
  decide: (view) => {
    const { operation } = view.state.operating;
    if (operation?.request.kind !== 'restart' || operation.stage !== 'stopping') return undefined;
    if (view.server === undefined || isStillRunning(view, operation)) return undefined;
    const because = 'restarted successfully';
    return {
      because,
      remember: endOperation(view, operation, { kind: 'done', because }),
      event: event('operation.done', 'info', { operation: 'restart' }),
    };
  },
};

export const wantCloneWhenAsked: Rule = {
  id: 'want-clone-when-asked',
  when: 'an operator has asked for a new clone and our server is silent',
  does: 'has the data directory replaced; the old one is kept aside until the new one streams',
  why: 'S7: the operator gives up what is there, and still it is not the last copy that goes',
  without: 'a damaged standby is mended by hand',
  decide: (view) => {
    const { operation } = view.state.operating;
    if (operation?.request.kind !== 'reinitialize' || operation.stage !== 'stopping')
      return undefined;
    if (!view.silent) return undefined;
    const { operating } = view.state;
    const because = 'an operator asked for it';
    return {
      because,
      remember: {
        rejoin: { ...freshRejoin(view.now), method: 'clone', because, asked: true },
        operating: { ...operating, operation: undefined, mayStart: 'always' },
      },
      event: event('operation.begun', 'info', { operation: 'reinitialize' }),
    };
  },
};

export const giveUpCloneWithoutPrimary: Rule = {
  id: 'give-up-clone-without-primary',
  when: 'a new clone was asked for, and there is no running primary any more to make it from',
  does: 'starts the server as it is; whoever asked may ask again',
  why: 'S10: it may be the member that holds the most, and nobody can know while it is silent',
  without: 'a member with less is promoted, and what only we hold is lost',
  decide: (view) => {
    const { rejoin } = view.state;
    if (!rejoin.asked || !view.silent || wantedUpstream(view) !== undefined) return undefined;
    if (view.data === undefined) return undefined;
    const because = 'the primary is gone';
    return {
      because,
      // What was begun of the clone is looked for and removed once we stream again.
      remember: { rejoin: freshRejoin(view.now), asideKept: undefined },
      event: event('operation.failed', 'warn', { operation: 'reinitialize', because }),
    };
  },
};

export const operatingRules: readonly Rule[] = [
  refuseOperation,
  finishRestart,
  failRestart,
  checkpointBeforeRestarting,
  stopServerForOperation,
  wantCloneWhenAsked,
  giveUpCloneWithoutPrimary,
];
