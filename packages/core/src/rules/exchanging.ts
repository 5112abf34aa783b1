/**
 * A ttl that changes while we hold the lease. A lease keeps the ttl it was granted with, so there
 * must be another one, and the leader key moves to it under the server that goes on writing.
 */
import { deadlineOf } from '../model/policy.ts';
import type { Lease, MemberState } from '../state.ts';
import type { View } from '../view/view.ts';
import type { Rule } from './rule.ts';
import { exchange } from './transactions.ts';

/** A primary with nothing else on its mind: whatever else is to happen comes first. */
export const mayExchangeLease = (view: View): boolean => {
  const { vacating, promotion, leaving } = view.state;
  return (
    view.holding &&
    view.server?.inRecovery === false &&
    vacating === undefined &&
    promotion === undefined &&
    leaving === undefined
  );
};

/** Before it does, it would let writers live for as long as the lease of now allows. */
const guardKnows = (
  { guardLeaseId, guardDeadline }: MemberState,
  { id, renewedAt, ttlMs }: Lease,
): boolean =>
  guardLeaseId === id &&
  guardDeadline !== undefined &&
  guardDeadline <= deadlineOf(renewedAt, ttlMs);

export const exchangeLeaseForChangedTtl: Rule = {
  id: 'exchange-lease-for-changed-ttl',
  when: 'we are the primary, the ttl has changed, and a lease with the new ttl is granted',
  does: 'hangs leader key and member key on it, once the guard knows its deadline',
  why: 'a lease keeps its ttl: the change would wait for the next failover, and act on that one',
  without: 'the cluster fails over as fast as it was set up to, whatever its configuration says',
  decide: (view) => {
    const { tenure, nextLease, lease } = view.state;
    if (tenure === undefined || nextLease === undefined || !mayExchangeLease(view))
      return undefined;
    if (!guardKnows(view.state, nextLease)) return undefined;
    const from = lease === undefined ? '' : ` instead of ${lease.ttlMs}`;
    return {
      because: `the ttl is ${nextLease.ttlMs} ms${from}`,
      action: exchange(view, tenure, nextLease),
    };
  },
};
