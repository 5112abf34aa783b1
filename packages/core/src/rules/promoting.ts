/**
 * Rules that make the lease holder's standby the primary (S4, S5).
 *
 *   lease held ─▶ number issued ─▶ history files placed ─▶ signalled ─▶ out of recovery ─▶ recorded
 */
import { elapsedMs } from '../model/instant.ts';
import { formatLsn } from '../model/lsn.ts';
import type { MemberName } from '../model/member.ts';
import type { HistoryEntry, Promotion, StoreSnapshot } from '../model/store.ts';
import type { Lineage, Timeline } from '../model/timeline.ts';
import { promiseInForce } from '../view/failsafe.ts';
import { type View, hasPassed } from '../view/view.ts';
import { guardIsArmed } from './restarting.ts';
import { type Rule, event } from './rule.ts';
import { setNamesBeforePromoting } from './synchronising.ts';
import { issueTimeline, ours, transact } from './transactions.ts';

/** A promotion that takes longer than this is given up by fencing the server. */
export const PROMOTION_LIMIT_MS = 60_000;

/** Our standby may be promoted: it runs, it answers, the lease is ours and nothing is to stop. */
const mayPromote = (view: View): boolean => {
  const { vacating, leaving } = view.state;
  return (
    view.holding &&
    promiseInForce(view.state) === undefined &&
    view.server?.inRecovery === true &&
    vacating === undefined &&
    leaving === undefined
  );
};

export const issueTimelineNumber: Rule = {
  id: 'issue-timeline-number',
  when: 'we hold the lease with a standby, and no timeline number was issued in this term',
  does: 'has the store issue the next number',
  why: 'S5: a number is issued once, so two promotions never share one',
  without: 'pg_rewind takes two histories for the same: silent divergence',
  decide: (view) => {
    const { tenure, promotion } = view.state;
    const bound = view.holding ? promiseInForce(view.state) : undefined;
    if (bound !== undefined) return { askAgainAt: bound.until };
    if (!mayPromote(view) || tenure === undefined || view.store === undefined) return undefined;
    if (promotion !== undefined && promotion.term === tenure.term) return undefined;
    return {
      because: `no number issued in term ${tenure.term}`,
      action: issueTimeline(view, view.store, tenure),
    };
  },
};

export const promoteLeaseHolder: Rule = {
  id: 'promote-lease-holder',
  when: 'we hold the lease, a timeline number was issued to us and the guard is armed',
  does: 'places empty history files up to that number, then promotes',
  why: 'the lease holder is the only member that may be primary, and should be',
  without: 'the cluster has no primary',
  decide: (view) => {
    const { promotion, tenure } = view.state;
    if (!mayPromote(view) || promotion === undefined || view.server === undefined) return undefined;
    if (promotion.stage === 'signalled' || promotion.term !== tenure?.term) return undefined;
    if (!guardIsArmed(view)) return { because: 'waiting for the guard to confirm the deadline' };
    const timelines = numbersBetween(view.server.lineage.timeline, promotion.timeline);
    if (promotion.stage === 'issued' && timelines.length > 0) {
      return {
        because: `${promotion.timeline} was issued, ${timelines.length} numbers lie between`,
        action: { kind: 'place-history', timelines },
      };
    }
    return {
      because: `holding term ${promotion.term} for another ${view.remainingMs} ms`,
      action: { kind: 'promote', timeline: promotion.timeline },
      event: event('server.promoting', 'info', { timeline: promotion.timeline }),
    };
  },
};

/** The numbers after `from` and before `to`: issued, and not in our lineage. */
const numbersBetween = (from: Timeline, to: Timeline): Timeline[] => {
  const numbers: Timeline[] = [];
  for (let number = from + 1; number < to; number += 1) numbers.push(number as Timeline);
  return numbers;
};

export const awaitPromotion: Rule = {
  id: 'await-promotion',
  when: 'a promotion was signalled and the server is still in recovery',
  does: 'waits, and fences the server when the limit is over',
  why: 'a promotion may have to replay what was received',
  without: 'a server that hangs in promotion holds the lease for ever',
  decide: (view) => {
    const { promotion } = view.state;
    if (promotion?.stage !== 'signalled') return undefined;
    const because = `signalled ${elapsedMs(promotion.since, view.now)} ms ago`;
    if (!hasPassed(view, promotion.since, PROMOTION_LIMIT_MS)) return { because };
    return {
      because,
      action: { kind: 'fence', by: 'guard' },
      event: event('promotion.timed-out', 'error', { timeline: promotion.timeline }),
    };
  },
};

export const recordPromotion: Rule = {
  id: 'record-promotion',
  when: 'our server is out of recovery on a timeline that the store does not know yet',
  does: 'records where it left its parent, and the history',
  why: 'S5: members compare this before they follow or rewind',
  without: 'nobody can tell a fork from the cluster lineage',
  decide: (view) => {
    const { tenure, self } = view.state;
    const { store, server } = view;
    if (tenure === undefined || !view.holding || store === undefined) return undefined;
    if (server === undefined || server.inRecovery) return undefined;
    const { lineage } = server;
    const known = store.timelines?.value.promotions ?? [];
    // Asked in every step of a primary, and nearly always nothing is missing.
    if (isRecorded(lineage, known)) return undefined;
    const missing = promotionsOf(lineage, { member: self.name, term: tenure.term }).filter(
      ({ timeline }) => !known.some((row) => row.timeline === timeline),
    );
    const [newest] = missing.slice(-1);
    if (newest === undefined) return undefined;
    const issued = Math.max(store.timelines?.value.issued ?? 0, lineage.timeline) as Timeline;
    const promotions = [...known, ...missing].sort((a, b) => a.timeline - b.timeline);
    const { timeline, parent, switchLsn } = newest;
    return {
      because: `timeline ${timeline} begins at ${formatLsn(switchLsn)} of ${parent}`,
      action: transact(
        'record-promotion',
        [ours(tenure)],
        [
          { key: 'timelines', put: { issued, promotions } },
          { key: 'history', put: historyOf(lineage, { store, leader: self.name }) },
        ],
      ),
      event: event('primary.promoted', 'info', { timeline, parent, from: formatLsn(switchLsn) }),
    };
  },
};

const isRecorded = ({ timeline, ancestors }: Lineage, known: readonly Promotion[]): boolean =>
  ancestors.every((_ancestor, index) => {
    const reached = ancestors[index + 1]?.timeline ?? timeline;
    return known.some((row) => row.timeline === reached);
  });

/** Every step of a lineage as a promotion; who did an earlier one is not known from it. */
const promotionsOf = (
  { timeline, ancestors }: Lineage,
  by: Pick<Promotion, 'member' | 'term'>,
): Promotion[] =>
  ancestors.map((ancestor, index) => ({
    ...by,
    timeline: ancestors[index + 1]?.timeline ?? timeline,
    parent: ancestor.timeline,
    switchLsn: ancestor.switchLsn,
  }));

/** The rows of `history` for a lineage; what was said of them earlier stays. */
const historyOf = (
  { ancestors }: Lineage,
  { store, leader }: { readonly store: StoreSnapshot; readonly leader: MemberName },
): HistoryEntry[] =>
  ancestors.map(({ timeline, switchLsn }) => {
    const earlier = store.history?.value.find(
      (row) => row.timeline === timeline && row.switchLsn === switchLsn,
    );
    return earlier ?? { timeline, switchLsn, reason: 'no recovery target specified', leader };
  });

export const promotingRules: readonly Rule[] = [
  awaitPromotion,
  recordPromotion,
  issueTimelineNumber,
  setNamesBeforePromoting,
  promoteLeaseHolder,
];
