/** Telling the guard whether the server may go on beyond its deadline (rule S1). */
import { isAnnounced, isSuspensionOurs, mayGoOn } from '../view/pause.ts';
import type { Chore } from './chore.ts';

/**
 * Told to, only when the store names us; told not to, only under a deadline that lies ahead, or the
 * guard would fence at that word.
 */
export const suspendDeadline: Chore = (view) => {
  const { lease, guardDeadline, guardLeaseId, operating, process } = view.state;
  if (lease === undefined || process.kind !== 'running' || !view.writable) return undefined;
  const on = mayGoOn(view) && isSuspensionOurs(view.state);
  if (operating.suspended === (on ? 'yes' : 'no')) return undefined;
  const isArmed =
    guardDeadline !== undefined && view.now < guardDeadline && guardLeaseId === lease.id;
  if (!view.holding || !isArmed || (on && !isAnnounced(view.state))) return undefined;
  return { action: { kind: 'suspend-deadline', on, leaseId: lease.id } };
};
