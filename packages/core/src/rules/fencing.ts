/** Rules that silence a server: S1, S2, S3, S4. They come first and supersede whatever runs. */
import { after, elapsedMs } from '../model/instant.ts';
import type { Action } from '../model/action.ts';
import { type Answer, type Rule, event } from './rule.ts';
import { goesOnByPromises } from '../view/failsafe.ts';
import { isPaused, isSuspended } from '../view/pause.ts';
import { type View, hasPassed } from '../view/view.ts';

/** How long a running server may leave our questions unanswered, at the least. */
const SERVER_SILENCE_MS = 3_000;

const serverSilenceLimitMs = ({ state: { policy } }: View): number =>
  policy.fastLease ? SERVER_SILENCE_MS : Math.max(SERVER_SILENCE_MS, policy.retryTimeoutMs);

/**
 * A server that must not write another byte is fenced by the loop itself: the guard may be frozen.
 * It does the same when it can, and is asked when the loop's own fence did not end in silence.
 */
const fence = (view: View): Action => ({
  kind: 'fence',
  by: view.state.fenceFailures % 2 === 0 ? 'loop' : 'guard',
});

/** Where nothing is urgent the guard, whose children they are, comes first. */
const sweep = (view: View): Action => ({
  kind: 'fence',
  by: view.state.fenceFailures % 2 === 0 ? 'guard' : 'loop',
});

const fenced = (view: View, because: string, name = 'server.fencing'): Answer => ({
  because,
  action: fence(view),
  event: event(name, 'warn', { because }),
});

export const fenceWhenLeaseDeadlinePasses: Rule = {
  id: 'fence-when-lease-deadline-passes',
  urgent: true,
  when: 'a server that may accept writes runs and the deadline the guard has confirmed is past',
  does: 'fences it, by the loop itself',
  why: 'S2, S3: after the deadline the store may give the lease to another member at any time',
  without: 'two primaries accept writes',
  decide: (view) => {
    const { state, writable, now } = view;
    const { tenure, process } = state;
    // An adopted server may have come without a deadline of the guard's: then our own counts.
    const guardDeadline = state.guardDeadline ?? tenure?.deadline;
    if (!writable || process.kind !== 'running' || guardDeadline === undefined) return undefined;
    if (isSuspended(state)) return undefined;
    if (tenure === undefined && state.snapshot !== undefined && !goesOnByPromises(state))
      return undefined;
    if (now < guardDeadline) return { askAgainAt: guardDeadline };
    return {
      because: `the deadline passed ${elapsedMs(guardDeadline, now)} ms ago`,
      action: { kind: 'fence', by: 'loop' },
      event: event('server.fencing', 'warn', { because: 'deadline' }),
    };
  },
};

export const fenceWhenLeaseIsLost: Rule = {
  id: 'fence-when-lease-is-lost',
  urgent: true,
  when: 'a server that may accept writes runs and the store shows that the lease is not ours',
  does: 'fences it',
  why: 'S1, S2: the leader key seen gone or foreign ends our right to accept writes at once',
  without: 'the old primary goes on acknowledging writes that nobody will have',
  decide: (view) => {
    const { state, writable } = view;
    if (!writable || state.tenure !== undefined || state.snapshot === undefined) return undefined;
    if (isSuspended(state)) return undefined;
    const { until } = state.failsafe;
    if (until !== undefined && goesOnByPromises(state)) return { askAgainAt: until };
    const leader = state.snapshot.value.leader?.value ?? 'nobody';
    return fenced(view, `the leader key names ${leader}, under a lease that is not ours`);
  },
};

export const fenceWhenPromotedByHand: Rule = {
  id: 'fence-when-promoted-by-hand',
  urgent: true,
  when: 'a server started as a standby is out of recovery and we did not promote it',
  does: 'fences it',
  why: 'S5: its timeline number was not issued by the store',
  without: 'two promotions share a timeline number and pg_rewind takes them for equal',
  decide: (view) => {
    const { process, lanes } = view.state;
    if (process.kind !== 'running' || process.startedAs !== 'standby' || process.promoted)
      return undefined;
    // Ours may have had its effect before its answer is heard.
    if (lanes.server?.action.kind === 'promote') return undefined;
    if (view.server === undefined || view.server.inRecovery) return undefined;
    return fenced(view, 'the server was promoted by somebody else');
  },
};

export const fenceWhenServerDoesNotAnswer: Rule = {
  id: 'fence-when-server-does-not-answer',
  urgent: true,
  when: 'the server runs and has left our questions unanswered for the limit',
  does: 'fences it, so that a crash is what it is treated as',
  why: 'a stopped postmaster keeps old sessions writing and lets no new one in',
  without: 'applications hang for as long as nobody looks',
  decide: (view) => {
    const { silentSince, process } = view.state;
    if (silentSince === undefined || process.kind !== 'running' || isPaused(view)) return undefined;
    const limitMs = serverSilenceLimitMs(view);
    if (!hasPassed(view, silentSince, limitMs)) return { askAgainAt: after(silentSince, limitMs) };
    return fenced(view, `no answer for ${elapsedMs(silentSince, view.now)} ms`);
  },
};

export const fenceStrayPrivateServer: Rule = {
  id: 'fence-stray-private-server',
  urgent: true,
  when: 'a server on a private socket runs and no bootstrap of this loop needs it',
  does: 'fences it',
  why: 'the loop that bootstrapped died; the next one begins again from nothing',
  without: 'a member killed during a bootstrap keeps a server nobody can reach',
  decide: (view) => {
    const { process, bootstrap } = view.state;
    if (process.kind !== 'running' || process.startedAs !== 'private') return undefined;
    return bootstrap === undefined ? fenced(view, 'no bootstrap is under way') : undefined;
  },
};

export const killLeftovers: Rule = {
  id: 'kill-leftovers',
  urgent: true,
  when: 'there is no postmaster, and it has not been seen that no other process is left either',
  does: 'kills what is left and sees it gone',
  why: 'S4: backends outlive their postmaster and go on committing',
  without: 'a successor is promoted while the old server still acknowledges commits',
  decide: (view) => {
    const { process } = view.state;
    if (process.kind === 'running' || (process.kind === 'none' && process.silent)) return undefined;
    if (process.kind === 'unknown' && view.state.startedAt === undefined) return undefined;
    return { because: 'processes of PostgreSQL may be left', action: sweep(view) };
  },
};

export const fencingRules: readonly Rule[] = [
  fenceWhenLeaseDeadlinePasses,
  fenceWhenLeaseIsLost,
  fenceWhenPromotedByHand,
  fenceWhenServerDoesNotAnswer,
  fenceStrayPrivateServer,
  killLeftovers,
];
