import type { Sighting } from '../checkers/sighting.ts';
import type { Kernel } from '../kernel/kernel.ts';
import type { SimNetwork } from '../network/sim-network.ts';
import type { Random } from '../random.ts';
import type { RetentionSettings } from './data-directory.ts';
import type { SimPostgres } from './sim-postgres.ts';

export interface PostgresPace {
  readonly retention: RetentionSettings;
  /** Longest crash recovery of a primary, and longest reading of its own WAL of a standby. */
  readonly recoveryMs: number;
  /** Share of promotions that take seconds instead of milliseconds. */
  readonly slowPromotionRate: number;
  /** Longest life of backends whose postmaster was killed. */
  readonly orphansMs: number;
  readonly useSlots: boolean;
}

/** What every simulated PostgreSQL shares. */
export interface PostgresWorld {
  readonly kernel: Kernel;
  readonly network: SimNetwork;
  readonly random: Random;
  readonly pace: PostgresPace;
  readonly see: (sighting: Sighting) => void;
  /** The server that is reached under an address; addresses are those in `Self`. */
  readonly serverAt: (address: string) => SimPostgres | undefined;
  readonly nextRecordId: () => number;
}
