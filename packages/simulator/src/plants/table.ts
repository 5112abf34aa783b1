import type { Action, GuardEffect, StoreTransaction, TransactionPurpose } from '@matriarch/core';
import { dataPlants } from './data-plants.ts';
import type { ActionResult, Plant, Pretended } from './plant.ts';

const NOT_DONE: ActionResult = { kind: 'failed', cause: 'planted' };

const pretend = (result: ActionResult): Pretended => ({ pretend: result });

/** Actions that one of these rules decides are not carried out. */
const withoutRules =
  (...rules: readonly string[]): NonNullable<Plant['alterAction']> =>
  (action, _host, rule) =>
    rules.includes(rule) ? pretend(NOT_DONE) : action;

const transaction = (
  purpose: TransactionPurpose,
  alter: (transaction: StoreTransaction) => StoreTransaction,
): NonNullable<Plant['alterAction']> =>
  (action: Action) =>
    action.kind === 'transact' && action.purpose === purpose
      ? { ...action, transaction: alter(action.transaction) }
      : action;

const withoutFence = (effect: GuardEffect): GuardEffect | undefined =>
  effect.kind === 'fence' ? undefined : effect;

/** A fence nobody asked for: the guard's own, at its deadline. */
const withoutOwnFence: NonNullable<Plant['alterEffect']> = (effect, host) => {
  const isAsked = (host.guard?.state.fencing?.askers.length ?? 0) > 0;
  return effect.kind === 'fence' && !isAsked ? undefined : effect;
};

const LEASE_PLANTS: readonly Plant[] = [
  {
    name: 'guard-ignores-its-deadline',
    says: 'the guard does nothing when its deadline passes',
    caughtBy: ['s2-silent-before-the-lease-expires'],
    profile: 'pauses',
    alterEffect: withoutOwnFence,
  },
  {
    name: 'lost-lease-is-ignored',
    says: 'a primary that sees another name in the leader key goes on',
    caughtBy: ['s1-writes-need-the-lease'],
    profile: 'store',
    alterAction: withoutRules('fence-when-lease-is-lost', 'fence-when-lease-deadline-passes'),
    alterEffect: withoutOwnFence,
  },
  {
    name: 'renewals-are-not-confirmed',
    says: 'a renewal counts although nobody has looked whether the leader key is still ours',
    caughtBy: ['s1-writes-need-the-lease', 's2-silent-before-the-lease-expires'],
    profile: 'store',
    alterAction: transaction('confirm', (before) => ({ ...before, compares: [] })),
    alterResult: (kind, result) =>
      kind === 'transact' && result.kind === 'done' && 'snapshot' in result && 'applied' in result
        ? { ...result, snapshot: { ...result.snapshot, revision: 0 as typeof result.revision } }
        : result,
  },
  {
    name: 'lease-is-taken-unconditionally',
    says: 'the transaction that takes the lease compares nothing',
    caughtBy: ['s1-promotion-needs-the-lease'],
    profile: 'network',
    alterAction: transaction('acquire', (before) => ({ ...before, compares: [] })),
  },
];

const FENCE_PLANTS: readonly Plant[] = [
  {
    name: 'nobody-is-fenced',
    says: 'every fence reports silence and does nothing',
    caughtBy: ['s4-never-two-primaries'],
    profile: 'pauses',
    alterAction: (action) =>
      action.kind === 'fence' ? pretend({ kind: 'done', silent: true }) : action,
    alterEffect: withoutFence,
  },
  {
    name: 'silence-is-not-looked-for',
    says: 'after the postmaster died its backends are taken for dead too',
    caughtBy: ['s4-old-one-silent-first'],
    profile: 'crashes',
    alterAction: (action, _host, rule) =>
      rule === 'kill-leftovers' ? pretend({ kind: 'done', silent: true }) : action,
  },
];

export const plants: readonly Plant[] = [...LEASE_PLANTS, ...FENCE_PLANTS, ...dataPlants];
