import type { SimHost } from '../host/sim-host.ts';
import type { Random } from '../random.ts';
import type { Ledger } from '../world/ledger.ts';

export interface WritePace {
  /** Longest wait between two writes of one client. */
  readonly gapMs: number;
  /** Share of writes that are as large as a third of a WAL segment. */
  readonly largeRate: number;
}

const SMALL_BYTES = 400;
const LARGE_BYTES = 22_000;

export const drawBytes = (random: Random, { largeRate }: WritePace): number =>
  random.chance(largeRate) ? LARGE_BYTES : random.integer(64, SMALL_BYTES);

/**
 * A client beside its server, connected whenever that lets it in. It writes whether or not anybody
 * thinks that this server should take writes: what the checkers need to know is whether it does.
 */
export class LocalWriter {
  readonly #host: SimHost;
  readonly #ledger: Ledger;
  readonly #random: Random;
  readonly #pace: WritePace;
  isPaused = false;

  constructor(host: SimHost, parts: { ledger: Ledger; random: Random; pace: WritePace }) {
    this.#host = host;
    this.#ledger = parts.ledger;
    this.#random = parts.random;
    this.#pace = parts.pace;
    this.#later();
  }

  /** One write at this very moment. */
  write(): void {
    const { postgres } = this.#host;
    if (this.isPaused || !postgres.acceptsWrites) return;
    postgres.commit(this.#ledger.issueWrite(), drawBytes(this.#random, this.#pace));
  }

  #later(): void {
    const waitMs = this.#random.between(this.#pace.gapMs / 5, this.#pace.gapMs);
    this.#host.machine.kernel.after(waitMs, () => {
      this.write();
      this.#later();
    });
  }
}
