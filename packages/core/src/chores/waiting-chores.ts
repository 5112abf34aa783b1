/** Keeping the settings of the roles and databases whose commits wait for a standby. */
import { planWaiting } from '../replication/waiting.ts';
import { hasPassed } from '../view/view.ts';
import { isWaitingKnown, mayManageWaiting } from '../view/waiting.ts';
import type { Chore } from './chore.ts';

/**
 * Settings are changed at most so often for the same names: where others set them back all the
 * time, or the server refuses, it is no race.
 */
export const WAITING_CHANGE_MS = 10_000;

/**
 * Looks when the policy has changed, once in a reign in any case, because an earlier primary may
 * have left marks, and now and then as long as there is something to look after: roles come and go.
 */
export const manageWaiting: Chore = (view) => {
  const { policy, waiting } = view.state;
  if (!mayManageWaiting(view)) return undefined;
  const { asked, settings, lookAt, changedAt } = waiting;
  const look = { action: { kind: 'show-waiting', ...policy.waiting } } as const;
  const isKnown = isWaitingKnown(view.state);
  if (asked !== undefined && !isKnown) return look;
  const isIdle = policy.waiting.roles.length + policy.waiting.databases.length === 0;
  if (isKnown && isIdle && settings.length === 0) return undefined;
  if (view.now >= lookAt) return look;
  const change = isKnown ? planWaiting(settings, policy.waiting) : undefined;
  const mayChange = changedAt === undefined || hasPassed(view, changedAt, WAITING_CHANGE_MS);
  if (change === undefined || !mayChange) return { askAgainAt: lookAt };
  return {
    action: { kind: 'manage-waiting', ...change },
    remember: { waiting: { ...waiting, changedAt: view.now } },
  };
};
