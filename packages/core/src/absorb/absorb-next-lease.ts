/**
 * A holder whose lease is to have another ttl: the leader key moves from the lease it hangs on to
 * the next one, and the reign goes on (S1, S2).
 *
 *   granted ─▶ deadline: the earlier of both ─▶ the guard knows ─▶ key sent over ─▶ seen there
 *
 * From the moment on in which the key may be moved, it can hang on either lease: until it is known
 * which, the server must be silent before the first of them ends.
 */
import { type Instant, after } from '../model/instant.ts';
import { deadlineOf } from '../model/policy.ts';
import type { Results } from '../model/action.ts';
import type { LeaseTerm, StoreSnapshot } from '../model/store.ts';
import type { Draft, InFlight, Lease } from '../state.ts';

export const absorbGranted = (
  draft: Draft,
  { action, sentAt }: InFlight,
  { leaseId, ttlMs }: Results['grant-lease'],
): void => {
  const askedTtlMs = action.kind === 'grant-lease' ? action.ttlMs : undefined;
  const granted: Lease = { id: leaseId, ttlMs, renewedAt: sentAt, askedTtlMs };
  if (draft.tenure === undefined) {
    draft.lease = granted;
    draft.snapshotStale = true;
    return;
  }
  // An answer that comes late brings a lease that is half over: the next one will be fresh.
  if (draft.now >= after(sentAt, ttlMs / 2)) return;
  draft.nextLease = granted;
  capDeadline(draft);
};

/** The leader key may hang on the next lease already. */
export const capDeadline = (draft: Draft): void => {
  const { tenure, nextLease } = draft;
  if (tenure === undefined || nextLease === undefined) return;
  const deadline = deadlineOf(nextLease.renewedAt, nextLease.ttlMs);
  if (deadline < tenure.deadline) draft.tenure = { ...tenure, deadline };
};

/** The next lease was renewed. What that means for the deadline, the next confirmation tells. */
export const absorbNextKept = (draft: Draft, sentAt: Instant, ttlMs: number): void => {
  if (draft.nextLease === undefined) return;
  draft.nextLease = ttlMs > 0 ? { ...draft.nextLease, ttlMs, renewedAt: sentAt } : undefined;
};

/** The leader key hangs on the next lease now: it is the lease, and its term is another one. */
export const takeNextLease = (draft: Draft, term: LeaseTerm): void => {
  const { tenure, nextLease, promotion } = draft;
  if (tenure === undefined || nextLease === undefined) return;
  draft.lease = nextLease;
  draft.nextLease = undefined;
  // A renewal that waits to be confirmed was one of the other lease.
  draft.confirmFrom = undefined;
  draft.tenure = { term, deadline: deadlineOf(nextLease.renewedAt, nextLease.ttlMs) };
  if (promotion?.term === tenure.term) draft.promotion = { ...promotion, term };
};

/** A key that was written anew by us, though nobody told us so. */
export const absorbMovedKey = (draft: Draft, leader: StoreSnapshot['leader']): boolean => {
  const { nextLease, self } = draft;
  if (nextLease === undefined || leader === undefined) return false;
  if (leader.value !== self.name || leader.leaseId !== nextLease.id) return false;
  takeNextLease(draft, leader.modRevision as number as LeaseTerm);
  return true;
};
