import type {
  Action,
  GuardEffect,
  StoreSnapshot,
  StoreTransaction,
  TransactionPurpose,
} from '@matriarch/core';
import type { SimHost } from '../host/sim-host.ts';
import { dataPlants } from './data-plants.ts';
import { orderPlants } from './order-plants.ts';
import type { ActionResult, Plant, Pretended } from './plant.ts';
import { failsafePlants } from './failsafe-plants.ts';
import { schedulePlants } from './schedule-plants.ts';
import { syncPlants } from './sync-plants.ts';

const NOT_DONE: ActionResult = { kind: 'failed', cause: 'planted' };

const pretend = (result: ActionResult): Pretended => ({ pretend: result });

/** Actions that one of these rules decides are not carried out. */
const withoutRules =
  (...rules: readonly string[]): NonNullable<Plant['alterAction']> =>
  (action, _host, rule) =>
    rules.includes(rule) ? pretend(NOT_DONE) : action;

const transaction =
  (
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

/** Who holds the lease sees the leader key as it was when it took it. */
const asLeaderKeyWas = (snapshot: StoreSnapshot, host: SimHost): StoreSnapshot => {
  const known = host.guard?.loop?.state;
  const leader = known?.tenure === undefined ? undefined : known.snapshot?.value.leader;
  return leader === undefined ? snapshot : { ...snapshot, leader };
};

/** The answer of a store that has carried out this transaction, which it has not. */
const asIfApplied = (wanted: StoreTransaction, { world }: SimHost): ActionResult => {
  const snapshot = world.store.snapshot();
  const modRevision = (snapshot.revision + 1) as typeof snapshot.revision;
  const written: Record<string, unknown> = {};
  for (const write of wanted.writes) {
    if (!('key' in write) || !('put' in write)) continue;
    const { put: value, leaseId } = write;
    written[write.key] = { value, createRevision: modRevision, modRevision, leaseId };
  }
  const after = { ...snapshot, ...written, revision: modRevision } as StoreSnapshot;
  return { kind: 'done', applied: true, revision: modRevision, snapshot: after };
};

const LEASE_PLANTS: readonly Plant[] = [
  {
    name: 'guard-ignores-its-deadline',
    says: 'the guard does nothing when its deadline passes',
    caughtBy: ['s2-silent-before-the-lease-expires'],
    profile: 'pauses',
    from: 5,
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
    from: 45,
    alterAction: transaction('confirm', (before) => ({ ...before, compares: [] })),
    alterResult: (_kind, result, host) =>
      result.kind === 'done' && 'snapshot' in result
        ? { ...result, snapshot: asLeaderKeyWas(result.snapshot, host) }
        : result,
  },
  {
    name: 'deadline-only-grows',
    says: 'the guard is told of no earlier deadline, though the lease has another, shorter ttl now',
    caughtBy: ['s2-silent-before-the-lease-expires'],
    profile: 'settings',
    from: 9,
    alterAction: (action, host, rule) => {
      if (rule === 'fence-when-lease-deadline-passes') return pretend(NOT_DONE);
      const known = host.guard?.state.deadline ?? 0;
      return action.kind === 'extend-deadline' && action.deadline < known
        ? pretend({ kind: 'done', deadline: action.deadline })
        : action;
    },
  },
  {
    name: 'lease-is-taken-unconditionally',
    says: 'the transaction that takes the lease compares nothing',
    caughtBy: ['s1-writes-need-the-lease', 's4-old-one-silent-first'],
    profile: 'pauses',
    from: 13,
    alterAction: transaction('acquire', (before) => ({ ...before, compares: [] })),
  },
  {
    name: 'lease-is-not-taken',
    says: 'a member that wants the lease takes it for granted',
    caughtBy: ['s1-promotion-needs-the-lease'],
    profile: 'crashes',
    alterAction: (action, host) =>
      action.kind === 'transact' && action.purpose === 'acquire'
        ? pretend(asIfApplied(action.transaction, host))
        : action,
  },
];

/** Others do not see that a member goes on without a lease. */
const withoutSuspension = (snapshot: StoreSnapshot, host: SimHost): StoreSnapshot => {
  if (snapshot.suspension?.value.member === host.name) return snapshot;
  const { suspension: _suspension, ...others } = snapshot;
  return others;
};

const PAUSE_PLANTS: readonly Plant[] = [
  {
    name: 'suspension-is-ignored',
    says: 'after a pause the lease is taken though a primary may be going on without it',
    caughtBy: ['s4-old-one-silent-first', 's4-never-two-primaries'],
    profile: 'operators',
    from: 223,
    alterAction: transaction('acquire', (before) => ({
      ...before,
      compares: before.compares.filter(({ key }) => key !== 'suspension'),
    })),
    alterResult: (_kind, result, host) =>
      result.kind === 'done' && 'snapshot' in result
        ? { ...result, snapshot: withoutSuspension(result.snapshot, host) }
        : result,
  },
];

const FENCE_PLANTS: readonly Plant[] = [
  {
    name: 'nobody-is-fenced',
    says: 'every fence reports silence and does nothing',
    caughtBy: ['s4-never-two-primaries'],
    profile: 'pauses',
    from: 3,
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

const STORM_PLANTS: readonly Plant[] = [
  {
    name: 'looks-wake-themselves',
    says: 'every look at the store is taken for a change of it, and asks for the next look',
    caughtBy: ['no-storm'],
    profile: 'quiet',
    from: 3,
    alterResult: (kind, result, host) => {
      const loop = host.guard?.loop;
      if (kind === 'read-store') loop?.process.after(1, () => loop.take({ kind: 'store-changed' }));
      return result;
    },
  },
];

export const plants: readonly Plant[] = [
  ...LEASE_PLANTS,
  ...PAUSE_PLANTS,
  ...FENCE_PLANTS,
  ...STORM_PLANTS,
  ...orderPlants,
  ...dataPlants,
  ...syncPlants,
  ...failsafePlants,
  ...schedulePlants,
];
