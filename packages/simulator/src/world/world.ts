import type { Policy } from '@matriarch/core';
import type { Sighting } from '../checkers/sighting.ts';
import type { SimHost } from '../host/sim-host.ts';
import type { Kernel } from '../kernel/kernel.ts';
import type { SimNetwork } from '../network/sim-network.ts';
import type { Plant } from '../plants/plant.ts';
import type { Random } from '../random.ts';
import type { SimStore } from '../store/sim-store.ts';
import type { CoverageCount } from './coverage.ts';
import type { Journal } from './journal.ts';
import type { Ledger } from './ledger.ts';

/** How long what a member does takes, beside the network and PostgreSQL itself. */
export interface HostPace {
  /** Longest clone, rewind and initdb. */
  readonly jobMs: number;
  /** Share of jobs on a data directory that fail. */
  jobFailRate: number;
  /** Time until a new loop takes its first message. */
  readonly loopStartMs: number;
}

/** Everything there is. */
export interface World {
  readonly kernel: Kernel;
  readonly network: SimNetwork;
  readonly store: SimStore;
  /** Chance in what hosts do; faults and networks have their own. */
  readonly random: Random;
  readonly policy: Policy;
  readonly hostPace: HostPace;
  readonly journal: Journal;
  readonly coverage: CoverageCount;
  readonly ledger: Ledger;
  readonly plant: Plant | undefined;
  readonly hosts: ReadonlyMap<string, SimHost>;
  readonly see: (sighting: Sighting) => void;
}
