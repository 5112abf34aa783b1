import type { StoreFaults } from '../store/sim-store.ts';
import type { FaultContext, FaultKind, Injected } from './fault.ts';

const NO_FAULTS: StoreFaults = {
  outage: 'none',
  slowMs: 0,
  failRate: 0,
  unknownRate: 0,
  watchDelayMs: 0,
  watchIsDeaf: false,
};

/** Sets one thing wrong with the store, and right again. */
const disturb = (
  { simulation: { store }, lastsMs }: FaultContext,
  change: Partial<StoreFaults>,
  story: string,
): Injected => {
  Object.assign(store.faults, change);
  const keys = Object.keys(change) as (keyof StoreFaults)[];
  return {
    story: `${story} for ${(lastsMs / 1_000).toFixed(1)} s`,
    undo: () => {
      const healed = Object.fromEntries(keys.map((key) => [key, NO_FAULTS[key]]));
      Object.assign(store.faults, healed);
    },
  };
};

/** Faults of the store itself. */
export const storeFaults = {
  'store-refuses': {
    troubles: 'all',
    inject: (context) => disturb(context, { outage: 'refused' }, 'the store refuses every call'),
  },
  'store-silent': {
    troubles: 'all',
    inject: (context) => disturb(context, { outage: 'silent' }, 'the store does not answer'),
  },
  'store-slow': {
    troubles: 'all',
    inject: (context) => {
      const slowMs = context.random.between(50, 2_000);
      return disturb(context, { slowMs }, `calls take up to ${Math.round(slowMs)} ms`);
    },
  },
  'store-fails': {
    troubles: 'all',
    inject: (context) => {
      const failRate = context.random.between(0.1, 0.9);
      return disturb(context, { failRate }, `${Math.round(failRate * 100)} % of calls fail`);
    },
  },
  'store-answers-lost': {
    troubles: 'all',
    inject: (context) => {
      const unknownRate = context.random.between(0.1, 0.9);
      const share = Math.round(unknownRate * 100);
      return disturb(context, { unknownRate }, `${share} % of calls end without an answer`);
    },
  },
  'watch-late': {
    troubles: 'all',
    inject: (context) => {
      const watchDelayMs = context.random.between(100, 8_000);
      return disturb(context, { watchDelayMs }, 'watch events come late');
    },
  },
  'watch-deaf': {
    troubles: 'all',
    inject: (context) => disturb(context, { watchIsDeaf: true }, 'watch events do not come'),
  },
  'leases-stretched': {
    troubles: 'all',
    inject: ({ simulation, random }) => {
      const extraMs = random.between(500, simulation.policy.ttlMs);
      simulation.store.stretchLeases(extraMs);
      return { story: `all leases live ${Math.round(extraMs)} ms longer than was promised` };
    },
  },
  'lease-revoked': {
    troubles: 'host',
    inject: ({ simulation, host, random }) => {
      const tenure = simulation.tenures.current;
      if (tenure === undefined || tenure.host !== host.name) return undefined;
      const lies = random.chance(0.5);
      simulation.store.revokeWrongly(tenure.leaseId, lies);
      const renewals = lies ? ', and renewals are answered as if it were alive' : '';
      return { story: `the lease of ${host.name} is revoked for no reason${renewals}` };
    },
  },
} as const satisfies Readonly<Record<string, FaultKind>>;
