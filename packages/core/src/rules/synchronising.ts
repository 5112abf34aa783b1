/**
 * Rules for the names commits wait for and for who may be elected (rule S6). The primary keeps both
 * in step; a winner sets the names before it is promoted; when the lease is free, standbys stop
 * receiving before they say how much they hold.
 */
import { type Instant, after, earliest, elapsedMs } from '../model/instant.ts';
import { mayFailOver } from '../model/member.ts';
import type { ServerAnswer } from '../model/server.ts';
import type { SyncDocument } from '../model/store.ts';
import { type SyncCandidate, chooseSyncNames } from '../replication/choose-sync-names.ts';
import { nobody } from '../replication/electorate.ts';
import { planSyncStep } from '../replication/plan-sync-step.ts';
import {
  type SyncNames,
  isSameName,
  noSyncNames,
  renderSyncNames,
} from '../replication/sync-names.ts';
import type { Tenure } from '../state.ts';
import { promiseInForce, restsOnLease } from '../view/failsafe.ts';
import { namedCandidate, needsName } from '../view/pause.ts';
import { holdsNames, isElectorateUnsettled } from '../view/sync.ts';
import { type View, endedTerm, hasPassed } from '../view/view.ts';
import { decideFirstNames, settleElectorate } from './first-names.ts';
import {
  endStream,
  isSynchronous,
  prepareAs,
  synchronousMembers,
  synchronousNames,
} from './prepared.ts';
import { type Answer, type Later, type Rule, event } from './rule.ts';
import { OBEY_LIMIT_MS } from './upstream.ts';
import { writeSync } from './transactions.ts';

/** A standby whose stream broke is waited for this long before commits go on without it. */
export const ABSENCE_LIMIT_MS = 2_000;
/**
 * PostgreSQL's startup process reads the new configuration a moment after it was signalled, and may
 * be starting a walreceiver with what it knew before just then: a look counts from this time on.
 */
export const RELOAD_SETTLES_MS = 100;
const LOOK_AGAIN_MS = 20;

interface Presence {
  readonly candidates: readonly SyncCandidate[];
  /** When somebody who is absent will not be waited for any more. */
  readonly until: Instant | undefined;
}

/** Who streams from us, or did a moment ago. */
const observePresence = (view: View): Presence => {
  const { state, server } = view;
  const { sync } = state;
  const candidates: SyncCandidate[] = [];
  let until: Instant | undefined;
  for (const { name, document } of synchronousMembers(view)) {
    const stands = {
      name,
      priority: document.tags.syncPriority,
      mayFailOver: mayFailOver(document.tags),
    };
    const streams = server?.standbys.find(
      (standby) => isSameName(standby.applicationName, name) && standby.state === 'streaming',
    );
    if (streams !== undefined) {
      candidates.push({ ...stands, flushedLsn: streams.flushLsn });
      continue;
    }
    const isWaitedFor = (sync.wanted?.names ?? view.electorate?.voters)?.includes(name) === true;
    if (!isWaitedFor || document.state === 'stopped' || document.state === 'stopping') continue;
    const seenAt = sync.seenAt[name.toLowerCase()] ?? sync.primarySince ?? state.processSince;
    const limitAt = after(seenAt, ABSENCE_LIMIT_MS);
    if (view.now >= limitAt) continue;
    until = earliest(until, limitAt);
    candidates.push({ ...stands, flushedLsn: undefined });
  }
  return { candidates, until };
};

const chooseTarget = (view: View, { candidates }: Presence): SyncNames => {
  const { policy, sync } = view.state;
  return chooseSyncNames({
    policy: policy.synchronous,
    candidates,
    current: sync.wanted?.names ?? view.electorate?.voters ?? [],
    everybody: synchronousNames(view),
  });
};

export const keepSynchronousNames: Rule = {
  id: 'keep-synchronous-names',
  when: 'we are the primary, and whom commits wait for or who may be elected is to change',
  does: 'takes the next step of the plan: the names in PostgreSQL, or the electorate in the store',
  why: 'S6: whoever may elect must know of every commit that was acknowledged',
  without: 'a standby is elected that lacks what was acknowledged a moment ago',
  decide: (view) => {
    const { state, store, server } = view;
    const { tenure } = state;
    if (!view.holding || tenure === undefined || store === undefined) return undefined;
    if (server?.inRecovery !== false || state.vacating !== undefined) return undefined;
    if (!isSynchronous(view)) return undefined;
    // Whoever may elect from now on has promised nothing.
    if (!restsOnLease(state)) return undefined;
    const { electorate } = view;
    if (electorate?.leader !== state.self.name)
      return {
        because: 'the store does not say who may be elected',
        action: writeSync(store, tenure, { leader: state.self.name, ...nobody }),
      };
    if (state.policy.synchronous.mode === 'off') return switchOff(view, tenure);
    return takeStep(view, tenure, electorate);
  },
};

const takeStep = (
  view: View,
  tenure: Tenure,
  electorate: SyncDocument,
): Answer | Later | undefined => {
  const { state, store } = view;
  const { sync, self } = state;
  const presence = observePresence(view);
  const target = chooseTarget(view, presence);
  const step = planSyncStep({ names: sync.wanted, proven: sync.proven, electorate }, target);
  const later = presence.until === undefined ? undefined : { askAgainAt: presence.until };
  switch (step.kind) {
    case 'done':
    case 'prove':
      return later;
    case 'set-names':
      if (isElectorateUnsettled(view)) return settleElectorate(view, tenure);
      return {
        because: `commits are to wait for ${describe(step.names)}`,
        remember: { sync: { ...sync, wanted: step.names, holdsFrom: undefined, proven: false } },
        event: event('synchronous-names.changing', 'info', { names: describe(step.names) }),
      };
    case 'set-electorate':
      if (store === undefined) return undefined;
      return {
        because: `commits wait for ${describe(sync.wanted)}, soon for ${describe(target)}`,
        action: writeSync(store, tenure, { leader: self.name, ...step.electorate }),
        event: event('electorate.changing', 'info', {
          voters: step.electorate.voters.join(', '),
          votes: step.electorate.voters.length === 0 ? 0 : step.electorate.quorum + 1,
        }),
      };
  }
};

const describe = (names: SyncNames = noSyncNames): string => renderSyncNames(names) || 'nobody';

/** Commits wait for nobody from now on; only then may everybody be elected again. */
const switchOff = (view: View, tenure: Tenure): Answer | undefined => {
  const { sync } = view.state;
  if (view.store === undefined) return undefined;
  if (isElectorateUnsettled(view)) return settleElectorate(view, tenure);
  if (sync.wanted === undefined || sync.wanted.names.length > 0)
    return {
      because: 'synchronous replication is switched off',
      remember: { sync: { ...sync, wanted: noSyncNames, holdsFrom: undefined, proven: false } },
      event: event('synchronous-names.changing', 'info', { names: 'nobody' }),
    };
  // The rule that writes and reloads the files comes later in the table.
  if (sync.told !== '') return undefined;
  return {
    because: 'synchronous replication is switched off',
    action: writeSync(view.store, tenure, undefined),
  };
};

export const setNamesBeforePromoting: Rule = {
  id: 'set-names-before-promoting',
  when: 'we hold the lease with a standby that is about to be promoted, and commits are to wait',
  does: 'has the server wait for standbys from its first commit on',
  why: 'S6: what the new primary acknowledges must be known to whoever may be elected after it',
  without: 'commits of the first moments are lost when the new primary dies',
  decide: (view) => {
    const { state, server } = view;
    const { sync } = state;
    if (!view.holding || server?.inRecovery !== true || !isSynchronous(view)) return undefined;
    if (state.vacating !== undefined || state.leaving !== undefined) return undefined;
    if (state.promotion?.stage === 'signalled') return undefined;
    if (sync.wanted === undefined)
      return decideFirstNames(view, 'a primary of now waits for these');
    const because = `commits are to wait for ${describe(sync.wanted)}`;
    // Where it streamed from is of no account to a server that is promoted.
    const isWritten =
      state.prepared?.as === 'standby' && state.prepared.syncNames === renderSyncNames(sync.wanted);
    if (!isWritten) return { because, action: prepareAs(view, 'standby', undefined) };
    if (sync.told !== renderSyncNames(sync.wanted))
      return { because, action: { kind: 'reload-server' } };
    return holdsNames(sync)
      ? undefined
      : { because: `${because}: not all of PostgreSQL knows yet` };
  },
};

/** The lease is free and there is an election to be held by votes. */
const electionTerm = (view: View) => {
  const { state, electorate } = view;
  if (electorate === undefined) return undefined;
  if (state.snapshotStale || state.vacantSince === undefined || state.leaving !== undefined)
    return undefined;
  // The primary may be going on, and its standbys with it.
  if (needsName(view) && namedCandidate(view) === undefined) return undefined;
  return endedTerm(view);
};

export const stopReceivingBeforeVoting: Rule = {
  id: 'stop-receiving-before-voting',
  when: 'the lease is free, and who wins is decided by votes',
  does: 'has our standby stop receiving, and only then promises so',
  why: 'S6: a vote is a promise; the old primary may be frozen, and must find nobody when it thaws',
  without: 'a client is told COMMIT by the old primary, and the new one does not have it',
  decide: (view) => {
    const { state, server } = view;
    const term = electionTerm(view);
    if (term === undefined || state.vote === term || server?.inRecovery !== true) return undefined;
    if (promiseInForce(state) !== undefined) return undefined;
    const { action, toldAt } = endStream(view);
    if (action !== undefined) return { because: 'it is to receive nothing more', action };
    const { probe } = state;
    if (isReceiving(server) && hasPassed(view, toldAt, OBEY_LIMIT_MS))
      return {
        because: `it still receives from ${server.upstream ?? 'somebody'}: it is told again`,
        action: { kind: 'reload-server' },
      };
    const settledAt = after(toldAt, RELOAD_SETTLES_MS);
    if (isReceiving(server) || probe === undefined || probe.at < settledAt)
      return { because: 'waiting for the stream to end', until: after(view.now, LOOK_AGAIN_MS) };
    const vacantMs = elapsedMs(state.vacantSince ?? view.now, view.now);
    return {
      because: `nothing is received any more, ${vacantMs} ms after the lease became free`,
      remember: { vote: term },
      event: event('vote.given', 'info', { term }),
    };
  },
};

const isReceiving = ({ upstream, receiving }: ServerAnswer): boolean =>
  upstream !== undefined || receiving;
