/** Rules for a standby: start it, point it at the primary, see that it streams. */
import { after, elapsedMs } from '../model/instant.ts';
import { formatLsn } from '../model/lsn.ts';
import type { Upstream, UpstreamFacts } from '../model/server.ts';
import { type WalPosition, formatPosition, placeOnLineage } from '../model/wal-position.ts';
import type { RejoinMethod } from '../model/rejoin.ts';
import { isPaused } from '../view/pause.ts';
import { type View, hasPassed, ownPosition } from '../view/view.ts';
import { whyClone } from './repairing.ts';
import { isPreparedAs, prepareAs } from './prepared.ts';
import { type Answer, type Rule, event } from './rule.ts';
import {
  LOOK_AGAIN_MS,
  OBEY_LIMIT_MS,
  comingUpstream,
  primaryFactsOf,
  inspect,
  mayRejoin,
  serverFactsOf,
  wantedUpstream,
} from './upstream.ts';

/** A standby that does not stream for this long has its upstream looked at. */
export const IDLE_LIMIT_MS = 3_000;
const EXAMINE_AGAIN_MS = 2_000;
/** One that is on an older timeline, and could be served, is restarted after this long. */
export const STUCK_LIMIT_MS = 15_000;
const STOP_LIMIT_MS = 10_000;

/** How long a fresh loop waits for the store before it starts a standby without an upstream. */
const FIRST_LOOK_LIMIT_MS = 5_000;

export const startStandby: Rule = {
  id: 'start-standby',
  when: 'our server is silent, its data is the cluster’s, and we are not to start it as a primary',
  does: 'prepares it as a standby of the holder, or of nobody, and starts it',
  why: 'a standby serves reads, receives WAL, and can be promoted',
  without: 'a member that was stopped stays away',
  decide: (view) => {
    const { state, data } = view;
    const { rejoin } = state;
    if (data === undefined || state.leaving !== undefined) return undefined;
    if (view.holding && !data.standbySignal && state.vacating !== undefined) return undefined;
    if (state.disk?.value.rewindUnfinished === true) return undefined;
    if (state.disk?.value.bootstrapUnfinished === true && !isOurs(view)) return undefined;
    if (view.store === undefined && !waitedLongEnough(view))
      return { because: 'waiting for the store', until: firstLookLimit(view) };
    if (view.store !== undefined && !isOurs(view)) return undefined;
    const upstream = wantedUpstream(view);
    if (upstream !== undefined && whyClone(view) !== undefined) return undefined;
    if (view.now < rejoin.notBefore)
      return { because: `${rejoin.failedStarts} starts failed`, until: rejoin.notBefore };
    const because =
      upstream === undefined ? 'there is no upstream' : `to follow ${upstream.member}`;
    if (!isPreparedAs(view, 'standby', upstream))
      return { because, action: prepareAs(view, 'standby', upstream) };
    return { because, action: { kind: 'start-server', as: 'standby' } };
  },
};

const isOurs = (view: View): boolean =>
  view.systemIdentifier !== undefined && view.data?.systemIdentifier === view.systemIdentifier;

const firstLookLimit = ({ state }: View) =>
  after(state.startedAt ?? state.now, FIRST_LOOK_LIMIT_MS);

const waitedLongEnough = (view: View): boolean => view.now >= firstLookLimit(view);

/** It was told to stream from there, and may not have begun yet. */
const awaitObedience = (view: View, { address }: Upstream): Answer | undefined => {
  const { told } = view.state;
  if (told?.value !== address || hasPassed(view, told.at, OBEY_LIMIT_MS)) return undefined;
  return { because: 'the server has been told', until: after(told.at, OBEY_LIMIT_MS) };
};

const pointAt = (view: View, upstream: Upstream, because: string): Answer =>
  isPreparedAs(view, 'standby', upstream)
    ? {
        because,
        action: { kind: 'reload-server' },
        event: event('standby.following', 'info', { upstream: upstream.member }),
      }
    : { because, action: prepareAs(view, 'standby', upstream) };

export const followHolder: Rule = {
  id: 'follow-holder',
  when: 'our standby is told to stream from somebody else than the running primary',
  does: 'compares the histories, then points it there',
  why: 'the old upstream sends nothing any more',
  without: 'replicas fall behind after every failover',
  decide: (view) => {
    const { server } = view;
    const upstream = wantedUpstream(view);
    if (!mayRejoin(view) || server?.inRecovery !== true || upstream === undefined) return undefined;
    if (server.upstream === upstream.address) return undefined;
    const obeying = awaitObedience(view, upstream);
    if (obeying !== undefined) return obeying;
    const facts = primaryFactsOf(view, upstream);
    if (facts === undefined) return inspect(view, upstream);
    const position = ownPosition(view);
    const misfit = position === undefined ? undefined : whyUnfit(facts, position);
    if (misfit !== undefined) return leaveTo(view, misfit);
    return pointAt(view, upstream, `${upstream.member} is primary on timeline ${facts.timeline}`);
  },
};

export const followHolderBeforePromotion: Rule = {
  id: 'follow-holder-before-promotion',
  when: 'the new lease holder is a standby that is about to be promoted, and has all that we have',
  does: 'points our standby there; after the promotion it streams on without a break',
  why: 'in synchronous modes the first commits wait for us',
  without: 'applications wait until we have seen the promotion and found the way',
  decide: (view) => {
    const { server, state } = view;
    const upstream = comingUpstream(view);
    const position = ownPosition(view);
    if (!mayRejoin(view) || upstream === undefined || position === undefined) return undefined;
    if (server?.inRecovery !== true || server.streaming || state.rejoin.method !== 'follow')
      return undefined;
    if (server.upstream === upstream.address) return undefined;
    const obeying = awaitObedience(view, upstream);
    if (obeying !== undefined) return obeying;
    const facts = serverFactsOf(view, upstream);
    if (facts === undefined) return inspect(view, upstream);
    // Only then nothing of ours can lie beyond the end it is promoted at.
    if (facts.timeline !== position.timeline || position.lsn > facts.currentLsn) return undefined;
    return pointAt(
      view,
      upstream,
      `${upstream.member} is to be promoted, and has all that we have`,
    );
  },
};

interface Misfit {
  readonly method: RejoinMethod;
  readonly because: string;
}

/** Why a running standby at `position` can never stream from a server with these facts. */
const whyUnfit = (facts: UpstreamFacts, position: WalPosition): Misfit | undefined => {
  const placement = placeOnLineage(position, facts.lineage);
  if (placement.kind !== 'on-lineage')
    return {
      method: 'rewind',
      because: `${formatPosition(position)} is not in the history of ${facts.member}`,
    };
  if (position.lsn < facts.oldestLsn)
    return {
      method: 'clone',
      because: `${facts.member} keeps WAL from ${formatLsn(facts.oldestLsn)} on only`,
    };
  return undefined;
};

const leaveTo = (view: View, { method, because }: Misfit): Answer => ({
  because,
  remember: { rejoin: { ...view.state.rejoin, method, because } },
  event: event('standby.unfit', 'warn', { method, because }),
});

export const stopUnfitStandby: Rule = {
  id: 'stop-unfit-standby',
  when: 'a running standby has been found to need a rewind or a clone, and there is a primary',
  does: 'stops it',
  why: 'both work on a silent data directory only',
  without: 'it waits for ever for WAL that never comes',
  decide: (view) => {
    const { rejoin, process } = view.state;
    if (!mayRejoin(view) || rejoin.method === 'follow' || isPaused(view)) return undefined;
    if (process.kind !== 'running' || view.server?.inRecovery !== true) return undefined;
    if (wantedUpstream(view) === undefined) return undefined;
    return {
      because: rejoin.because,
      action: { kind: 'stop-server', mode: 'fast', limitMs: STOP_LIMIT_MS },
    };
  },
};

export const examineIdleStandby: Rule = {
  id: 'examine-idle-standby',
  when: 'our standby is pointed at the running primary and has not streamed for the limit',
  does: 'looks whether that primary can serve it: a rewind, a clone or one restart follows',
  why: 'a fork, or WAL that was removed, or files of a promotion that never came, do not go away',
  without: 'a replica sits there for days, listed as running',
  decide: (view) => {
    const { server, state } = view;
    const upstream = wantedUpstream(view);
    if (!mayRejoin(view) || server?.inRecovery !== true || upstream === undefined) return undefined;
    if (server.upstream !== upstream.address || state.idleSince === undefined) return undefined;
    const limitAt = after(state.idleSince, IDLE_LIMIT_MS);
    if (view.now < limitAt) return { askAgainAt: limitAt };
    const position = ownPosition(view);
    if (position === undefined)
      return { because: 'still reading its own WAL', until: after(view.now, LOOK_AGAIN_MS * 10) };
    const facts = primaryFactsOf(view, upstream);
    if (facts === undefined) return inspect(view, upstream);
    const misfit = whyUnfit(facts, position);
    if (misfit !== undefined) return leaveTo(view, misfit);
    const idleMs = elapsedMs(state.idleSince, view.now);
    if (idleMs >= STUCK_LIMIT_MS && isStuck(view, facts, position))
      return restartStuck(view, facts);
    return {
      because: `not streaming for ${idleMs} ms, though ${upstream.member} could serve it`,
      until: after(view.now, EXAMINE_AGAIN_MS),
    };
  },
};

/**
 * Numbers that were reserved on this server for a promotion which never came (rule S5) may have
 * become the upstream's since: PostgreSQL believes the empty files until it is started anew.
 */
const isStuck = (view: View, facts: UpstreamFacts, position: WalPosition): boolean =>
  facts.timeline > position.timeline &&
  view.state.rejoin.restartedFor !== facts.timeline &&
  !isPaused(view);

const restartStuck = ({ state }: View, { member, timeline }: UpstreamFacts): Answer => ({
  because: `it does not find its way to timeline ${timeline} of ${member}`,
  action: { kind: 'stop-server', mode: 'fast', limitMs: STOP_LIMIT_MS },
  // Prepared anew, it loses the files that are in its way.
  remember: { prepared: undefined, rejoin: { ...state.rejoin, restartedFor: timeline } },
  event: event('standby.stuck', 'warn', { upstream: member, timeline }),
});

export const applyChangedConfiguration: Rule = {
  id: 'apply-changed-configuration',
  when: 'the configuration of a running server is not what its files say, or what it has read',
  does: 'writes the files and has the server read them again',
  why: 'a setting that was changed for the cluster holds on every member',
  without: 'members run with what was true when they were started',
  decide: (view) => {
    const { state, server } = view;
    const { policy, process, appliedVersion, sync } = state;
    if (server === undefined || state.leaving !== undefined || state.vacating !== undefined)
      return undefined;
    if (process.kind !== 'running' || process.startedAs === 'private') return undefined;
    // A fresh loop knows neither the cluster's configuration nor whom commits wait for (rule S6).
    if (view.store === undefined) return undefined;
    const version = policy.serverConfigVersion;
    // A primary that was promoted has a standby's files: after a crash it should start at once.
    const role = server.inRecovery ? 'standby' : 'primary';
    const upstream = server.inRecovery ? currentUpstream(view) : undefined;
    if (!isPreparedAs(view, role, upstream))
      return {
        because: `the files are to be those of a ${role}, configuration ${version}`,
        action: prepareAs(view, role, upstream),
      };
    const { syncNames } = prepareAs(view, role, upstream);
    if (appliedVersion === version && (sync.told ?? '') === (syncNames ?? '')) return undefined;
    return { because: 'the files have changed', action: { kind: 'reload-server' } };
  },
};

/** Where the standby streams from now: a change of configuration changes nothing about that. */
const currentUpstream = ({ server, holder, state }: View) =>
  server?.upstream === undefined
    ? undefined
    : { member: holder?.name ?? state.self.name, address: server.upstream };

export const discardAside: Rule = {
  id: 'discard-aside',
  when: 'the server that replaced a data directory streams, or is the primary',
  does: 'removes what lies beside it: old data that was kept, or a copy that was never finished',
  why: 'S7: only now is there another copy',
  without: 'disks fill with old data directories',
  decide: (view) => {
    const { state, server } = view;
    if (server === undefined || state.asideKept !== true) return undefined;
    if (server.inRecovery && !server.streaming) return undefined;
    const { asideRetryAt } = state;
    if (asideRetryAt !== undefined && view.now < asideRetryAt) return { askAgainAt: asideRetryAt };
    return { because: 'its replacement works', action: { kind: 'discard-aside' } };
  },
};

export const followingRules: readonly Rule[] = [
  startStandby,
  stopUnfitStandby,
  followHolder,
  followHolderBeforePromotion,
  examineIdleStandby,
  discardAside,
  applyChangedConfiguration,
];
