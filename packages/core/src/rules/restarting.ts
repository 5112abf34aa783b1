/** Rules that bring a crashed primary back where it was, or give the lease up for good. */
import { beginVacating } from '../model/vacating.ts';
import { after, elapsedMs } from '../model/instant.ts';
import { RESTART_LIMIT_MS } from '../model/policy.ts';
import { describePromise, promiseInForce, writeDeadline } from '../view/failsafe.ts';
import { isPaused, isRestarting } from '../view/pause.ts';
import { type View, hasPassed } from '../view/view.ts';
import { decideFirstNames } from './first-names.ts';
import { isPreparedAs, isSynchronous, prepareAs } from './prepared.ts';
import { type Answer, type Rule, event } from './rule.ts';
import { release } from './transactions.ts';
import { askStandbys, isQuiet, whyRestart } from './vacating.ts';

/** How often standbys are asked whether one could go on with the lease. */
const ASK_AGAIN_MS = 5_000;

/** A holder whose guard is silent for this long cannot become primary again: others should. */
const GUARD_SILENCE_LIMIT_MS = 10_000;
const GUARD_ASK_MS = 1_000;

/** Time in which a crashed primary must be back before the lease goes to a healthy standby. */
const restartLimitMs = ({ state: { policy } }: View): number =>
  policy.primaryStartTimeoutMs > 0 ? policy.primaryStartTimeoutMs : RESTART_LIMIT_MS;

export const releaseWhenServerCannotStart: Rule = {
  id: 'release-when-server-cannot-start',
  when: 'a crashed primary is not back within primary_start_timeout and a standby could go on',
  does: 'fences what is left of it and releases the lease',
  why: 'a server that cannot start keeps the whole cluster down',
  without: 'one broken disk is an outage for as long as nobody looks',
  decide: (view) => {
    const { vacating, tenure } = view.state;
    if (vacating === undefined || !view.holding || tenure === undefined) return undefined;
    if (vacating.cause !== 'crash' && vacating.cause !== 'cannot-start') return undefined;
    if (isPaused(view)) return undefined;
    if (view.store === undefined || view.server?.inRecovery === false) return undefined;
    const limitMs = guardIsArmed(view)
      ? restartLimitMs(view)
      : Math.min(restartLimitMs(view), GUARD_SILENCE_LIMIT_MS);
    const limitAt = after(vacating.begunAt, limitMs);
    if (view.now < limitAt) return { askAgainAt: limitAt };
    const { peers } = view.state;
    if (peers === undefined || peers.at < limitAt || hasPassed(view, peers.at, ASK_AGAIN_MS))
      return askStandbys(view);
    const answers = peers.value;
    const healthy = Object.values(answers).some(
      (answer) => answer.kind === 'answers' && answer.electable && answer.position.known,
    );
    if (!healthy) return { askAgainAt: after(peers.at, ASK_AGAIN_MS) };
    if (!view.silent)
      return { because: 'not back in time', action: { kind: 'fence', by: 'guard' } };
    const end = vacating.end;
    return {
      because: `not back within ${limitMs} ms`,
      action: release(view.store, tenure, {
        from: view.state.self.name,
        term: tenure.term,
        cause: 'cannot-start',
        end: end === undefined ? { known: false } : { known: true, position: end },
        quietMs: 0,
      }),
      event: event('lease.released', 'error', { because: 'the server cannot be started' }),
    };
  },
};

/** Back-off of a server that crashes again and again inside the quiet time (rule S13). */
const CRASH_LOOP_REST_MS = 10_000;

export const countCrashInQuietTime: Rule = {
  id: 'count-crash-in-quiet-time',
  when: 'a primary crashed within a minute of a hand-over for a crash',
  does: 'counts it; from the second such crash on it rests before it starts again, and alarms',
  why: 'S13: a fault that travels with the data crashes every member in turn',
  without: 'the cluster hands over in a circle until no standby is left',
  decide: (view) => {
    const { vacating, quietCrashes, rejoin } = view.state;
    if (vacating?.cause !== 'crash' || vacating.counted || !isQuiet(view)) return undefined;
    const loops = quietCrashes >= 1;
    const notBefore = loops ? after(view.now, CRASH_LOOP_REST_MS) : rejoin.notBefore;
    return {
      because: `crash number ${quietCrashes + 1} since the last hand-over for a crash`,
      remember: {
        quietCrashes: quietCrashes + 1,
        vacating: { ...vacating, counted: true },
        rejoin: { ...rejoin, notBefore },
      },
      event: event('primary.crashed-again', loops ? 'error' : 'warn', {
        crashes: quietCrashes + 1,
      }),
    };
  },
};

export const restartInPlace: Rule = {
  id: 'restart-in-place',
  when: 'we hold the lease, our server is silent, was a primary and is not handed over',
  does: 'starts it again as the primary, on the same timeline',
  why: 'it has every commit; nothing has to move',
  without: 'a cluster whose standbys are behind stays down',
  decide: (view) => {
    const { state, data } = view;
    if (!view.holding || !view.silent || data === undefined || data.standbySignal) return undefined;
    if (state.leaving !== undefined || state.disk?.value.rewindUnfinished === true)
      return undefined;
    const { vacating, rejoin } = state;
    const reason =
      vacating === undefined ? 'it was stopped as a primary' : whyRestart(view, vacating);
    if (reason === undefined) return undefined;
    if (view.now < rejoin.notBefore) return { because: reason, until: rejoin.notBefore };
    if (isSynchronous(view) && state.sync.wanted === undefined)
      return decideFirstNames(view, reason);
    if (!isPreparedAs(view, 'primary', undefined))
      return { because: reason, action: prepareAs(view, 'primary', undefined) };
    const bound = promiseInForce(state);
    if (bound !== undefined) return { because: describePromise(bound), until: bound.until };
    if (!guardIsArmed(view)) return awaitGuard(view);
    return {
      because: reason,
      action: { kind: 'start-server', as: 'primary' },
      event: event('server.restarting', 'warn', { because: reason }),
    };
  },
};

/** Without a guard nothing can be started here: as long as that lasts, standbys are asked again. */
const awaitGuard = (view: View): Answer => {
  const because = 'waiting for the guard to confirm the deadline';
  const { vacating } = view.state;
  if (vacating?.givenUp !== true || vacating.endAt === undefined) return { because };
  const askAt = after(vacating.endAt, GUARD_ASK_MS);
  if (view.now < askAt) return { because, until: askAt };
  return { because, remember: { vacating: { ...vacating, givenUp: false, endAt: view.now } } };
};

/** The guard starts or promotes a primary only under a deadline it has confirmed. */
export const guardIsArmed = ({ state, now }: View): boolean => {
  const { guardDeadline } = state;
  const deadline = writeDeadline(state);
  if (guardDeadline === undefined || elapsedMs(now, guardDeadline) < ARMED_MIN_MS) return false;
  // What promises of an earlier reign allowed says nothing of this one.
  return deadline === undefined || guardDeadline <= deadline;
};

const ARMED_MIN_MS = 300;

export const treatDeadPrimaryAsCrashed: Rule = {
  id: 'treat-dead-primary-as-crashed',
  when: 'we hold the lease and find our server dead that was in production',
  does: 'treats it as a crash that happens now',
  why: 'the loop that saw it die may have died with it',
  without: 'a crash during a restart of the agent is never handed over',
  decide: (view) => {
    const { vacating, tenure } = view.state;
    if (tenure === undefined || vacating !== undefined || !view.silent) return undefined;
    // A restart that took too long for a clean stop is a restart all the same.
    if (isRestarting(view.state)) return undefined;
    if (view.data?.control !== 'in-production' || view.data.standbySignal) return undefined;
    return {
      because: 'the data directory was in production and no server runs',
      remember: { vacating: beginVacating('crash', view.now) },
    };
  },
};

export const releaseWhenDataIsGone: Rule = {
  id: 'release-when-data-is-gone',
  when: 'we hold the lease, our server is silent, and there is nothing on the disk to start',
  does: 'releases the lease',
  why: 'whoever has data should go on',
  without: 'a member without data keeps the cluster down',
  decide: (view) => {
    const { tenure, disk, self } = view.state;
    if (!view.holding || !view.silent || tenure === undefined || disk === undefined)
      return undefined;
    if (view.store === undefined) return undefined;
    const { content, rewindUnfinished } = disk.value;
    if (content.kind === 'data' && !rewindUnfinished) return undefined;
    return {
      because:
        content.kind === 'data' ? 'a rewind was not finished' : `the disk is ${content.kind}`,
      action: release(view.store, tenure, {
        from: self.name,
        term: tenure.term,
        cause: 'cannot-start',
        end: { known: false },
        quietMs: 0,
      }),
      event: event('lease.released', 'error', { because: 'there is no data to start' }),
    };
  },
};

export const restartingRules: readonly Rule[] = [
  treatDeadPrimaryAsCrashed,
  countCrashInQuietTime,
  releaseWhenServerCannotStart,
  releaseWhenDataIsGone,
];
