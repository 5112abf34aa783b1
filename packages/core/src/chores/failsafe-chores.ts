/** Asking for promises while the store is away, and writing down those that are given (rule S9). */
import { type Instant, after, earliest } from '../model/instant.ts';
import { leaseMarginMs, renewalIntervalMs } from '../model/policy.ts';
import type { LeaseTerm } from '../model/store.ts';
import type { MemberState } from '../state.ts';
import { goesOnByPromises, membersToAsk, writeDeadline } from '../view/failsafe.ts';
import { isSuspended } from '../view/pause.ts';
import type { View } from '../view/view.ts';
import type { Chore } from './chore.ts';

/** A member that has not answered by then is asked again in the next round. */
const ASK_LIMIT_MAX_MS = 2_000;
const ASK_LIMIT_SHARE = 1 / 8;
/** Rounds follow each other this fast, by the ttl: while enough promise, and while they do not. */
const ROUND_SHARE = 1 / 4;
const RETRY_SHARE = 1 / 20;
/** A renewal that is late by this much is one that the store has not answered. */
const LATE_MS = 1_000;

const ttlOf = ({ lease, policy }: MemberState): number => lease?.ttlMs ?? policy.ttlMs;

/** When a renewal is overdue, with time left to ask before the deadline. */
const overdueAt = (state: MemberState): Instant => {
  const { tenure, policy, now } = state;
  if (tenure === undefined) return now;
  const ttlMs = ttlOf(state);
  const renewedAt = after(tenure.deadline, leaseMarginMs(ttlMs) - ttlMs);
  const lateMs = Math.max(ttlMs / 2, renewalIntervalMs(policy) + LATE_MS);
  const latest = after(tenure.deadline, -ttlMs * ROUND_SHARE);
  return earliest(after(renewedAt, lateMs), latest) ?? latest;
};

const nextRoundAt = (state: MemberState): Instant => {
  const { askedAt, until } = state.failsafe;
  if (askedAt === undefined) return overdueAt(state);
  const ttlMs = ttlOf(state);
  const isEnough = until !== undefined && until >= after(askedAt, ttlMs / 2);
  return after(askedAt, ttlMs * (isEnough ? ROUND_SHARE : RETRY_SHARE));
};

/** Our primary runs, or has crashed and is to run again, and the right to write has not ended. */
const isToGoOn = (view: View): boolean => {
  const { state, server, writable, now } = view;
  const { policy, leaving, promotion, vacating, tenure } = state;
  if (!policy.failsafe || leaving !== undefined || promotion !== undefined) return false;
  if (isSuspended(state)) return false;
  const deadline = writeDeadline(state);
  if (deadline === undefined || now >= deadline) return false;
  const isCrashed = tenure !== undefined && vacating?.cause === 'crash';
  const isPrimary = writable && server?.inRecovery === false;
  if (tenure === undefined && !goesOnByPromises(state)) return false;
  return isCrashed || (isPrimary && vacating === undefined);
};

export const askPromises: Chore = (view) => {
  const { state, now } = view;
  const members = membersToAsk(state);
  if (members === undefined || !isToGoOn(view)) return undefined;
  const dueAt = nextRoundAt(state);
  if (now < dueAt) return { askAgainAt: dueAt };
  const ttlMs = ttlOf(state);
  const term = state.tenure?.term ?? (view.store?.holder?.modRevision as number as LeaseTerm);
  const limitMs = Math.min(ASK_LIMIT_MAX_MS, Math.round(ttlMs * ASK_LIMIT_SHARE));
  return {
    action: { kind: 'ask-promises', members, term, ttlMs, limitMs },
    remember: { failsafe: { ...state.failsafe, askedAt: now } },
  };
};

export const keepPromise: Chore = ({ state: { failsafe } }) => {
  const { promise, toAnswer } = failsafe;
  if (promise === undefined || toAnswer.length === 0) return undefined;
  return { action: { kind: 'keep-promise', promise, ids: toAnswer } };
};
