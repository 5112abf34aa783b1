/** Keeping the lease alive, having each renewal confirmed, and telling the guard (S2, S3). */
import { type Instant, after } from '../model/instant.ts';
import { slotNameOf } from '../model/member.ts';
import { renewalIntervalMs } from '../model/policy.ts';
import type { LeaseId, StatusDocument, StoreWrite } from '../model/store.ts';
import { mayExchangeLease } from '../rules/exchanging.ts';
import { ours, transact } from '../rules/transactions.ts';
import type { Lease, MemberState } from '../state.ts';
import { goesOnByPromises, writeDeadline } from '../view/failsafe.ts';
import { type View, hasPassed } from '../view/view.ts';
import type { Chore } from './chore.ts';
import { wantedSlotNames } from './slot-chores.ts';

export const renewLease: Chore = (view) => {
  const { lease, nextLease, tenure, confirmFrom, startedAt, policy } = view.state;
  if (startedAt === undefined) return undefined;
  if (lease === undefined) return { action: { kind: 'grant-lease', ttlMs: policy.ttlMs } };
  if (tenure !== undefined && confirmFrom !== undefined)
    return {
      action: transact('confirm', [ours(tenure)], [...statusWrites(view), ...quietWrites(view)]),
    };
  if (wantsOtherTtl(view.state) && mayTakeOtherLease(view))
    return { action: { kind: 'grant-lease', ttlMs: policy.ttlMs } };
  const intervalMs = renewalIntervalMs(policy);
  // A ttl that is not the one of today may be too short for the interval of today.
  const isOfToday = nextLease === undefined && lease.ttlMs === policy.ttlMs;
  const dueAt = isOfToday ? after(lease.renewedAt, intervalMs) : hurriedAt(lease, intervalMs);
  if (view.now >= dueAt) return { action: { kind: 'keep-alive', leaseId: lease.id } };
  if (nextLease === undefined) return { askAgainAt: dueAt };
  const nextDueAt = hurriedAt(nextLease, intervalMs);
  if (view.now >= nextDueAt) return { action: { kind: 'keep-alive', leaseId: nextLease.id } };
  return { askAgainAt: dueAt < nextDueAt ? dueAt : nextDueAt };
};

const hurriedAt = ({ renewedAt, ttlMs }: Lease, intervalMs: number): Instant =>
  after(renewedAt, Math.min(intervalMs, ttlMs / 5));

/** The ttl has changed since our lease was granted. The store may grant more than was asked for. */
const wantsOtherTtl = ({ lease, policy }: MemberState): boolean =>
  lease !== undefined &&
  lease.renewedAt > 0 &&
  lease.ttlMs !== policy.ttlMs &&
  lease.askedTtlMs !== policy.ttlMs;

/** A holder moves its leader key to the other lease: see `exchange-lease-for-changed-ttl`. */
const mayTakeOtherLease = (view: View): boolean => {
  const { tenure, nextLease, lease } = view.state;
  if (tenure !== undefined) return nextLease === undefined && mayExchangeLease(view);
  return lease === undefined || view.store?.leader?.leaseId !== lease.id;
};

/** The quiet time is over: whoever comes next need not keep it. */
const quietWrites = ({ state, store, now }: View): readonly StoreWrite[] => {
  const isOver = state.quietUntil === undefined || now >= state.quietUntil;
  return store?.quiet !== undefined && isOver ? [{ key: 'quiet', remove: true }] : [];
};

/** What the holder says of its WAL rides on the transaction that confirms its lease. */
const statusWrites = (view: View): readonly StoreWrite[] => {
  const { server, store, state } = view;
  if (server === undefined || server.inRecovery || !server.position.known) return [];
  const optime = server.position.position.lsn;
  const before = store?.status?.value;
  // Members have a slot for us, too: without this one they would keep all WAL for it.
  const slots: Record<string, typeof optime> = { [slotNameOf(state.self.name)]: optime };
  for (const slot of server.slots) {
    if (slot.restartLsn !== undefined) slots[slot.name] = slot.restartLsn;
  }
  const status: StatusDocument = { optime, slots, retainSlots: wantedSlotNames(view) };
  return isSameStatus(before, status) ? [] : [{ key: 'status', put: status }];
};

const isSameStatus = (before: StatusDocument | undefined, now: StatusDocument): boolean => {
  if (before === undefined || before.optime !== now.optime) return false;
  const slots = Object.entries(now.slots ?? {});
  return (
    slots.length === Object.keys(before.slots ?? {}).length &&
    slots.every(([name, at]) => before.slots?.[name] === at) &&
    now.retainSlots?.join() === before.retainSlots?.join()
  );
};

/** The lease that the deadline is of. The key may move to the next one: then only that counts. */
const armedLease = ({ state }: View): LeaseId | undefined => {
  if (state.tenure !== undefined) return (state.nextLease ?? state.lease)?.id;
  // Promises carry a server whose lease has ended: for the guard it is still that one.
  return goesOnByPromises(state) ? state.guardLeaseId : undefined;
};

export const armGuard: Chore = (view) => {
  const { guardDeadline, guardLeaseId } = view.state;
  const leaseId = armedLease(view);
  const deadline = writeDeadline(view.state);
  if (leaseId === undefined || deadline === undefined || view.now >= deadline) return undefined;
  // A deadline of an earlier lease says nothing of this one, however late it is.
  const isKnown = guardDeadline !== undefined && guardLeaseId === leaseId;
  if (isKnown && guardDeadline >= deadline) return undefined;
  return { action: { kind: 'extend-deadline', deadline, leaseId } };
};

export const readStore: Chore = (view) => {
  const { state } = view;
  if (state.startedAt === undefined) return undefined;
  const action = { kind: 'read-store' } as const;
  const remember = { snapshotStale: false };
  if (state.snapshot === undefined || state.snapshotStale) return { action, remember };
  // A watch tells of changes: this is for what it misses. Idle members should cost next to nothing.
  const { policy, tenure } = state;
  const renewalMs = renewalIntervalMs(policy);
  const isSeldom = policy.fastLease && tenure === undefined;
  const intervalMs = isSeldom ? Math.max(renewalMs, policy.ttlMs / 2) : renewalMs;
  if (hasPassed(view, state.snapshot.at, intervalMs)) return { action, remember };
  return { askAgainAt: after(state.snapshot.at, intervalMs) };
};
