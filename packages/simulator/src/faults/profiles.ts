import { type Policy, defaultPolicy } from '@matriarch/core';
import type { Random } from '../random.ts';
import type { SimulationOptions } from '../world/simulation.ts';
import type { FaultPlan } from './fault-schedule.ts';
import type { FaultName } from './table.ts';

type Weights = Readonly<Partial<Record<FaultName, number>>>;

export interface Profile {
  readonly says: string;
  readonly weights: Weights;
  /** Faults begin with the world, also in its bootstrap. */
  readonly fromTheBeginning?: boolean;
  /** Little WAL is kept, and much is written. */
  readonly scarceWal?: boolean;
  readonly hasForeignMember?: boolean;
  /** Commits wait for standbys. */
  readonly synchronous?: boolean;
  /** Failsafe mode is on, with any mode of replication. */
  readonly failsafe?: boolean;
  /** Faults go on for several ttls. */
  readonly lastsLong?: boolean;
}

const crashes: Weights = {
  'loop-killed': 3,
  'guard-killed': 3,
  'postmaster-killed': 5,
  'server-panics': 1,
  'process-hangs': 1,
  'host-crashes': 4,
  switchover: 3,
  'agent-terminated': 2,
};

const pauses: Weights = {
  'loop-stopped': 4,
  'loop-stopped-before-acting': 4,
  'guard-stopped': 3,
  'pipe-slow': 2,
  'postmaster-stopped': 3,
  'host-frozen': 3,
  'machine-paused': 3,
};

const network: Weights = {
  'store-cut-off': 4,
  'store-cut-off-one-way': 3,
  'hosts-parted': 3,
  'hosts-parted-one-way': 2,
  'host-isolated': 4,
  'link-slow': 2,
  'network-lossy': 2,
};

const store: Weights = {
  'store-refuses': 2,
  'store-silent': 2,
  'store-slow': 2,
  'store-fails': 2,
  'store-answers-lost': 4,
  'watch-late': 2,
  'watch-deaf': 2,
  'leases-stretched': 2,
  'lease-revoked': 3,
};

const data: Weights = {
  'standby-stalls': 3,
  'writes-burst': 3,
  'data-removed': 1,
  'jobs-fail': 2,
};

const operators: Weights = {
  'cluster-paused': 4,
  'failover-to-named': 3,
  'restart-asked': 4,
  'reinitialize-asked': 2,
  switchover: 3,
};

const schedules: Weights = {
  'restart-scheduled': 4,
  'switchover-scheduled': 3,
  'wall-clock-set': 3,
};

export const profiles = {
  quiet: { says: 'no faults at all', weights: {} },
  crashes: { says: 'processes and hosts die', weights: crashes },
  pauses: {
    says: 'processes, hosts and machines stop and go on',
    weights: { ...pauses, 'postmaster-killed': 1 },
  },
  network: { says: 'links are cut and slow', weights: { ...network, 'postmaster-killed': 1 } },
  store: {
    says: 'the store fails, lies and answers late',
    weights: { ...store, 'postmaster-killed': 2 },
  },
  wal: {
    says: 'standbys lag, WAL is scarce, rewinds and clones fail',
    weights: { ...data, ...crashes, 'host-isolated': 4 },
    scarceWal: true,
  },
  bootstrap: {
    says: 'faults from the first moment on',
    weights: { ...crashes, ...network, 'store-answers-lost': 4, 'jobs-fail': 3 },
    fromTheBeginning: true,
  },
  settings: {
    says: 'the ttl changes again and again, while processes die and answers of the store are lost',
    weights: {
      'ttl-changes': 12,
      'store-answers-lost': 4,
      'store-cut-off': 3,
      'host-isolated': 3,
      'loop-stopped-before-acting': 3,
      'loop-killed': 2,
      'postmaster-killed': 1,
      'host-crashes': 1,
      switchover: 1,
    },
  },
  foreign: {
    says: 'one member finds files of somebody else where its data directory should be',
    weights: { 'postmaster-killed': 1 },
    hasForeignMember: true,
  },
  operators: {
    says: 'operators pause, restart, switch over, reinitialize, now or later, while things break',
    weights: {
      ...operators,
      ...schedules,
      ...crashes,
      ...network,
      'store-refuses': 3,
      'store-silent': 3,
    },
  },
  synchronous: {
    says: 'commits wait for standbys, and everything happens',
    weights: {
      ...crashes,
      ...pauses,
      ...network,
      ...store,
      'standby-stalls': 3,
      'mode-changes': 3,
    },
    synchronous: true,
  },
  failsafe: {
    says: 'the store is lost and found, and members promise not to be elected meanwhile',
    weights: {
      'store-refuses': 6,
      'store-silent': 6,
      'store-answers-lost': 3,
      'store-slow': 1,
      'lease-revoked': 1,
      'store-cut-off': 8,
      'store-cut-off-one-way': 3,
      'hosts-parted': 3,
      'hosts-parted-one-way': 3,
      'host-isolated': 2,
      'network-lossy': 1,
      'loop-killed': 4,
      'loop-stopped': 2,
      'loop-stopped-before-acting': 3,
      'guard-killed': 2,
      'guard-stopped': 1,
      'host-crashes': 2,
      'host-frozen': 2,
      'postmaster-killed': 2,
      'pipe-slow': 1,
      'agent-terminated': 1,
      'jobs-fail': 1,
      'failover-to-named': 1,
      'cluster-paused': 1,
      'ttl-changes': 1,
      'mode-changes': 2,
      'failsafe-changes': 2,
      switchover: 2,
    },
    failsafe: true,
    lastsLong: true,
  },
  mixed: {
    says: 'everything',
    weights: { ...crashes, ...pauses, ...network, ...store, ...data, ...operators, ...schedules },
  },
} as const satisfies Readonly<Record<string, Profile>>;

export type ProfileName = keyof typeof profiles;

export const isProfileName = (name: string): name is ProfileName => name in profiles;

/** How long faults go on. */
export const FAULTS_UNTIL_MS = 180_000;
const FIRST_FAULT_MS = 15_000;

const SHORT = { gapMs: [4_000, 12_000, 25_000], lastsMs: [4_000, 15_000, 45_000] };
const LONG = { gapMs: [8_000, 20_000, 40_000], lastsMs: [15_000, 45_000, 90_000] };

export const planFaults = (profile: Profile, random: Random): FaultPlan => {
  const paces = profile.lastsLong === true ? LONG : SHORT;
  return {
    weights: profile.weights,
    fromMs: profile.fromTheBeginning === true ? 0 : FIRST_FAULT_MS,
    untilMs: FAULTS_UNTIL_MS,
    gapMs: random.pick(paces.gapMs),
    lastsMs: random.pick(paces.lastsMs),
  };
};

const modesOf = (profile: Profile): readonly Policy['synchronous']['mode'][] | undefined => {
  if (profile.failsafe === true) return ['off', 'on', 'quorum', 'quorum'];
  return profile.synchronous === true ? ['on', 'quorum', 'quorum'] : undefined;
};

const drawPolicy = (random: Random, profile: Profile): Policy => {
  const policy = { ...drawAsynchronousPolicy(random), failsafe: profile.failsafe === true };
  const modes = modesOf(profile);
  if (modes === undefined) return policy;
  return {
    ...policy,
    synchronous: {
      mode: random.pick(modes),
      strict: random.chance(0.3),
      count: random.pick([1, 1, 2]),
      lagBytesMax: undefined,
    },
    waiting: { roles: ['billing', 'not-there'], databases: [] },
  };
};

const drawAsynchronousPolicy = (random: Random): Policy => {
  const primaryStartTimeoutMs = random.pick([0, 0, 5_000, 300_000]);
  const usePgRewind = random.chance(0.8);
  const others = { primaryStartTimeoutMs, usePgRewind, stopTimeoutMs: 10_000 };
  const isFast = random.chance(0.6);
  if (!isFast)
    return { ...defaultPolicy, ...others, ttlMs: 20_000, loopWaitMs: 5_000, retryTimeoutMs: 5_000 };
  const ttlMs = random.pick([5_000, 8_000]);
  return {
    ...defaultPolicy,
    ...others,
    ttlMs,
    loopWaitMs: 10_000,
    retryTimeoutMs: 3_000,
    fastLease: true,
  };
};

const MEMBER_NAMES = ['anna', 'bert', 'cora', 'dora', 'emil'];

const SEGMENT = 65_536;

/** What a seed's world is made of, faults aside. */
export const drawOptions = (
  seed: number,
  profile: Profile,
  random: Random,
): Omit<SimulationOptions, 'plant' | 'tell'> => {
  const count = random.pick([2, 3, 3, 3, 3, 3, 4, 5]);
  const found =
    profile.hasForeignMember === true
      ? random.pick(['files', 'other-cluster'] as const)
      : undefined;
  const scarce = profile.scarceWal === true || random.chance(0.2);
  return {
    seed,
    members: MEMBER_NAMES.slice(0, count).map((name, index) => ({
      name,
      found: index === count - 1 ? found : undefined,
      tags: index > 1 && random.chance(0.05) ? { nofailover: true } : {},
    })),
    policy: drawPolicy(random, profile),
    network: { latencyMs: random.pick([0.1, 0.5, 3]), jitterMs: random.pick([0.1, 1]) },
    postgres: {
      retention: {
        keepBytes: (scarce ? 4 : 64) * SEGMENT,
        slotKeepBytes: (scarce ? 40 : 512) * SEGMENT,
      },
      recoveryMs: random.pick([200, 2_000, 8_000]),
      slowPromotionRate: 0.05,
      orphansMs: random.pick([50, 3_000, 10_000]),
      useSlots: true,
    },
    host: { jobMs: random.pick([500, 3_000, 10_000]), jobFailRate: 0, loopStartMs: 250 },
    writes: {
      gapMs: random.pick([200, 600, 1_500]),
      largeRate: scarce ? 0.1 : 0.01,
    },
  };
};
