/**
 * Rules that make this member a streaming standby of the lease holder (S5, S7).
 *
 *            ┌─ nothing on disk, or of no use ────────────▶ clone ─▶ install ─┐
 *   silent ──┼─ WAL beyond the fork ─▶ keep fork ─▶ rewind ─┬─ failed twice ─▶ clone
 *            │                                              ▼                 │
 *            └─ WAL on the holder's lineage ──────────▶ prepare ─▶ start ◀────┘
 *                                                                   │
 *   running ─▶ other upstream ─▶ prepare ─▶ reload       streaming ◀┘ ─▶ discard what was aside
 *           └▶ fork, or WAL that the upstream no longer has ─▶ stop ─▶ silent
 *
 * Each method has a budget; what fails is retried with growing waits and then replaced by the next
 * method, the last of which, the clone, is retried for ever with a wait of a minute.
 */
import { after } from '../model/instant.ts';
import { formatLsn } from '../model/lsn.ts';
import type { Upstream, UpstreamFacts } from '../model/server.ts';
import type { Ancestor, Lineage } from '../model/timeline.ts';
import { type Placement, type WalPosition, placeOnLineage } from '../model/wal-position.ts';
import { type View, hasPassed } from '../view/view.ts';
import { type Answer, type Rule, event } from './rule.ts';
import { LOOK_AGAIN_MS, primaryFactsOf, inspect, mayRejoin, wantedUpstream } from './upstream.ts';

export const REWIND_TRIES = 2;
export const START_TRIES = 3;
const MEASURE_TRIES = 5;
/** How long a stopped server waits for its upstream to be looked at before it starts anyway. */
const UPSTREAM_LIMIT_MS = 5_000;

/** A clone that was made because nothing else would do: what it replaces was looked at before. */
const isToBeInstalled = ({ state: { rejoin } }: View): boolean => rejoin.cloned && !rejoin.asked;

export const installClone: Rule = {
  id: 'install-clone',
  when: 'a complete clone waits beside the data directory',
  does: 'puts it in place; the old data is kept aside on the same file system',
  why: 'S7: the last copy is never deleted',
  without: 'a clone that proves useless has cost the only data there was',
  decide: (view) => {
    const { state } = view;
    if (!mayRejoin(view) || !view.silent || !state.rejoin.cloned) return undefined;
    if (view.now < state.rejoin.notBefore)
      return { because: 'it could not be put in place', until: state.rejoin.notBefore };
    return { because: 'the clone is complete', action: { kind: 'install-data' } };
  },
};

/** Why nothing on this disk can be used; undefined: it can, or there is nothing to say yet. */
export const whyClone = (view: View): string | undefined => {
  const { disk, rejoin, policy } = view.state;
  if (disk === undefined) return undefined;
  const { content, rewindUnfinished, lastWords } = disk.value;
  if (content.kind === 'empty') return 'the data directory is empty';
  if (rewindUnfinished) return 'a rewind was begun and not finished';
  if (rejoin.method === 'clone') return rejoin.because;
  const wouldHelp = !rejoin.clonedForStarts && lastWords !== 'host';
  if (rejoin.failedStarts >= START_TRIES && wouldHelp)
    return `${rejoin.failedStarts} starts failed`;
  if (rejoin.method !== 'rewind') return undefined;
  if (rejoin.failedRewinds >= REWIND_TRIES) return `${rejoin.failedRewinds} rewinds failed`;
  if (!policy.usePgRewind) return 'pg_rewind is switched off';
  if (content.kind === 'data' && !content.rewindable)
    return 'pg_rewind needs data checksums or wal_log_hints';
  return undefined;
};

/** A rewind or a clone is about to take away what lies here. */
const isToBeReplaced = (view: View): boolean => {
  const { rejoin, disk } = view.state;
  if (rejoin.method === 'rewind' || rejoin.asked) return true;
  return disk?.value.rewindUnfinished === false && whyClone(view) !== undefined;
};

export const keepFork: Rule = {
  id: 'keep-fork',
  when: 'our data has WAL that the running primary does not have, and it is about to be replaced',
  does: 'copies that WAL to where it is kept, and reports from where to where',
  why: 'S7: it may be the last copy of commits that were acknowledged',
  without: 'a rewind or a clone throws away what only this member has',
  decide: (view) => {
    const { rejoin } = view.state;
    const upstream = wantedUpstream(view);
    if (!mayRejoin(view) || upstream === undefined) return undefined;
    if (!isToBeReplaced(view) || isToBeInstalled(view)) return undefined;
    const end = view.data?.end;
    if (rejoin.forkKept || end === undefined) return undefined;
    const facts = primaryFactsOf(view, upstream);
    if (facts === undefined) return inspect(view, upstream);
    const placement = placeData(view, facts);
    if (placement?.kind !== 'forked') return undefined;
    const { forkLsn, timeline } = placement;
    const because = `forked from ${upstream.member} at ${formatLsn(forkLsn)}`;
    if (view.now < rejoin.notBefore) return { because, until: rejoin.notBefore };
    return {
      because,
      action: { kind: 'keep-fork', fork: { timeline, switchLsn: forkLsn }, end },
      event: event('fork.keeping', 'warn', {
        from: formatLsn(forkLsn),
        to: formatLsn(end),
        bytes: Number(end - forkLsn),
      }),
    };
  },
};

export const cloneFromHolder: Rule = {
  id: 'clone-from-holder',
  when: 'there is a running primary, and nothing on our disk that could follow it',
  does: 'takes a base backup of it beside the data directory',
  why: 'the member needs a copy of its own',
  without: 'a lost disk needs a hand',
  decide: (view) => {
    const { rejoin, disk } = view.state;
    if (!mayRejoin(view) || !view.silent || disk?.value.bootstrapUnfinished !== false)
      return undefined;
    const reason = whyClone(view);
    const upstream = wantedUpstream(view);
    if (reason === undefined) return undefined;
    if (upstream === undefined)
      return { because: `${reason}; waiting for a primary to clone from` };
    if (view.now < rejoin.notBefore) return { because: reason, until: rejoin.notBefore };
    // Whatever answers at that address must be the cluster's primary.
    if (primaryFactsOf(view, upstream) === undefined) return inspect(view, upstream);
    return {
      because: reason,
      action: { kind: 'clone', from: upstream },
      remember:
        rejoin.failedStarts >= START_TRIES
          ? { rejoin: { ...rejoin, clonedForStarts: true } }
          : undefined,
      event: event('member.cloning', 'info', { from: upstream.member, because: reason }),
    };
  },
};

/** What was a primary's, or is known to be forked, is compared before it starts. */
const needsComparison = (view: View): boolean =>
  view.data !== undefined &&
  (!view.data.standbySignal || view.state.rejoin.method === 'rewind' || view.state.rejoin.asked);

/** It never came as far as to be seen beside the primary, and a clone takes its place. */
const doesNotStart = (view: View): boolean =>
  view.state.rejoin.failedStarts >= START_TRIES && whyClone(view) !== undefined;

export const measureBeforeRejoining: Rule = {
  id: 'measure-before-rejoining',
  when: 'a stopped server was a primary, or does not start, and its end of WAL is not known',
  does: 'finds the end of its WAL',
  why: 'whether it can follow depends on what it has beyond the fork',
  without: 'it starts, diverges, and looks like a standby that is a little behind',
  decide: (view) => {
    const { data, state } = view;
    if (!mayRejoin(view) || data === undefined || data.end !== undefined) return undefined;
    if (!needsComparison(view) && !doesNotStart(view)) return undefined;
    if (wantedUpstream(view) === undefined) return undefined;
    if (isToBeInstalled(view)) return undefined;
    // Half rewound it is replaced, whatever its end; what it had beyond the fork was kept before.
    if (state.disk?.value.rewindUnfinished === true) return undefined;
    if (state.rejoin.failedMeasures >= MEASURE_TRIES) return undefined;
    if (view.now < state.rejoin.notBefore)
      return { because: 'it could not be measured', until: state.rejoin.notBefore };
    const because = data.standbySignal ? 'it may hold more than the primary' : 'it was a primary';
    return { because, action: { kind: 'measure-wal-end', from: undefined } };
  },
};

/** Where two histories part: the newest timeline of both, up to where the first of them left it. */
const lastShared = (ours: Lineage, theirs: Lineage): Ancestor | undefined => {
  const own = ours.ancestors.findLast(
    ({ timeline }) =>
      timeline === theirs.timeline ||
      theirs.ancestors.some((ancestor) => ancestor.timeline === timeline),
  );
  if (own === undefined) return undefined;
  const other = theirs.ancestors.find(({ timeline }) => timeline === own.timeline);
  return other !== undefined && other.switchLsn < own.switchLsn ? other : own;
};

/** How the stopped data directory lies to the holder's lineage; undefined: not known. */
const placeData = (view: View, facts: UpstreamFacts): Placement | undefined => {
  const { data } = view;
  if (data?.end === undefined) return undefined;
  const position: WalPosition = { timeline: data.lineage.timeline, lsn: data.end };
  const placement = placeOnLineage(position, facts.lineage);
  if (placement.kind !== 'foreign') return placement;
  const fork = lastShared(data.lineage, facts.lineage);
  return fork === undefined
    ? placement
    : { kind: 'forked', forkLsn: fork.switchLsn, timeline: fork.timeline };
};

export const compareBeforeStarting: Rule = {
  id: 'compare-before-starting',
  when: 'a stopped server was a primary and there is a running primary to follow',
  does: 'compares its WAL with that lineage: follows, or keeps the fork and rewinds, or clones',
  why: 'S5: the same number is not the same history',
  without: 'a forked server waits for WAL that never comes',
  decide: (view) => {
    const { data, state } = view;
    const upstream = wantedUpstream(view);
    if (!mayRejoin(view) || data === undefined || upstream === undefined) return undefined;
    if (!needsComparison(view) || whyClone(view) !== undefined) return undefined;
    const facts = primaryFactsOf(view, upstream);
    if (facts === undefined) {
      if (
        hasPassed(view, state.processSince, UPSTREAM_LIMIT_MS) &&
        state.rejoin.method === 'follow'
      )
        return undefined;
      return inspect(view, upstream);
    }
    const placement = placeData(view, facts);
    if (placement === undefined || placement.kind === 'foreign')
      return cloneInstead(view, 'the histories share nothing that is known');
    if (placement.kind === 'on-lineage') return followAfterAll(view, upstream);
    return rewindFork(view, upstream, { facts, placement });
  },
};

/** The verdict was about an earlier primary: kept, it would stop the standby after every start. */
const followAfterAll = (view: View, { member }: Upstream): Answer | undefined => {
  const { rejoin } = view.state;
  if (rejoin.method !== 'rewind') return undefined;
  const because = `what we have is in the history of ${member}`;
  return { because, remember: { rejoin: { ...rejoin, method: 'follow', because } } };
};

const cloneInstead = (view: View, because: string): Answer => ({
  because,
  remember: { rejoin: { ...view.state.rejoin, method: 'clone', because } },
});

const rewindFork = (
  view: View,
  upstream: Upstream,
  fork: { facts: UpstreamFacts; placement: Extract<Placement, { kind: 'forked' }> },
): Answer => {
  const { rejoin } = view.state;
  const { forkLsn } = fork.placement;
  const because = `forked from ${upstream.member} at ${formatLsn(forkLsn)}`;
  if (rejoin.method !== 'rewind')
    return { because, remember: { rejoin: { ...rejoin, method: 'rewind', because } } };
  if (view.now < rejoin.notBefore) return { because, until: rejoin.notBefore };
  // pg_rewind reads the source's control file: it is on the new timeline after a checkpoint.
  if (!fork.facts.checkpointed)
    return { because: `waiting for the checkpoint of ${upstream.member}`, ...lookLater(view) };
  return {
    because,
    action: { kind: 'rewind', to: upstream },
    event: event('member.rewinding', 'info', { to: upstream.member, because }),
  };
};

const lookLater = (view: View) => ({ until: after(view.now, LOOK_AGAIN_MS * 5) });

export const repairingRules: readonly Rule[] = [
  measureBeforeRejoining,
  keepFork,
  installClone,
  cloneFromHolder,
  compareBeforeStarting,
];
