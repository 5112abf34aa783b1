/** Keeping the lease alive, having each renewal confirmed, and telling the guard (S2, S3). */
import { after } from '../model/instant.ts';
import { renewalIntervalMs } from '../model/policy.ts';
import type { StatusDocument, StoreWrite } from '../model/store.ts';
import { ours, transact } from '../rules/transactions.ts';
import { type View, hasPassed } from '../view/view.ts';
import type { Chore } from './chore.ts';
import { wantedSlotNames } from './slot-chores.ts';

export const renewLease: Chore = (view) => {
  const { lease, tenure, confirmFrom, startedAt, policy } = view.state;
  if (startedAt === undefined) return undefined;
  if (lease === undefined) return { action: { kind: 'grant-lease', ttlMs: policy.ttlMs } };
  if (tenure !== undefined && confirmFrom !== undefined)
    return {
      action: transact('confirm', [ours(tenure)], [...statusWrites(view), ...quietWrites(view)]),
    };
  const ttlChanged = lease.ttlMs !== policy.ttlMs && tenure === undefined && lease.renewedAt > 0;
  if (ttlChanged) return { action: { kind: 'grant-lease', ttlMs: policy.ttlMs } };
  const dueAt = after(lease.renewedAt, renewalIntervalMs(policy));
  if (view.now < dueAt) return { askAgainAt: dueAt };
  return { action: { kind: 'keep-alive', leaseId: lease.id } };
};

/** The quiet time is over: whoever comes next need not keep it. */
const quietWrites = ({ state, store, now }: View): readonly StoreWrite[] => {
  const isOver = state.quietUntil === undefined || now >= state.quietUntil;
  return store?.quiet !== undefined && isOver ? [{ key: 'quiet', remove: true }] : [];
};

/** What the holder says of its WAL rides on the transaction that confirms its lease. */
const statusWrites = (view: View): readonly StoreWrite[] => {
  const { server, store } = view;
  if (server === undefined || server.inRecovery || !server.position.known) return [];
  const optime = server.position.position.lsn;
  const before = store?.status?.value;
  const slots: Record<string, typeof optime> = {};
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

export const armGuard: Chore = (view) => {
  const { tenure, lease, guardDeadline, guardLeaseId } = view.state;
  if (tenure === undefined || lease === undefined || view.now >= tenure.deadline) return undefined;
  // A deadline of an earlier lease says nothing of this one, however late it is.
  const isKnown = guardDeadline !== undefined && guardLeaseId === lease.id;
  if (isKnown && guardDeadline >= tenure.deadline) return undefined;
  return { action: { kind: 'extend-deadline', deadline: tenure.deadline, leaseId: lease.id } };
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
