import type { SimHost } from '../host/sim-host.ts';
import type { Kernel } from '../kernel/kernel.ts';
import type { SimNetwork } from '../network/sim-network.ts';
import type { Random } from '../random.ts';
import type { Ledger } from '../world/ledger.ts';
import { type WritePace, drawBytes } from './local-writer.ts';

/** The clients' name as an end of the network. */
export const CLIENTS = 'clients';

/** A client gives up waiting for an answer after this time. */
const ANSWER_LIMIT_MS = 2_000;

/** What a client that is somewhere else works with. */
export interface RoutedClientParts {
  readonly kernel: Kernel;
  readonly network: SimNetwork;
  readonly random: Random;
  readonly ledger: Ledger;
  readonly hosts: readonly SimHost[];
}

/** A client somewhere else, sent to any member that is out of recovery and can be reached. */
export class RoutedWriter {
  readonly #kernel: Kernel;
  readonly #network: SimNetwork;
  readonly #random: Random;
  readonly #ledger: Ledger;
  readonly #hosts: readonly SimHost[];
  readonly #pace: WritePace;
  isPaused = false;
  /** When the last answer arrived. */
  answeredAt = Number.NEGATIVE_INFINITY;

  constructor(parts: RoutedClientParts & { readonly pace: WritePace }) {
    this.#kernel = parts.kernel;
    this.#network = parts.network;
    this.#random = parts.random;
    this.#ledger = parts.ledger;
    this.#hosts = parts.hosts;
    this.#pace = parts.pace;
    this.#later(0);
  }

  #later(milliseconds: number): void {
    this.#kernel.after(milliseconds, () => this.#write());
  }

  #write(): void {
    const waitMs = this.#random.between(this.#pace.gapMs / 5, this.#pace.gapMs);
    const host = this.#hosts.find(
      ({ name, postgres }) =>
        this.#network.isConnected(CLIENTS, name) &&
        postgres.running?.acceptsConnections === true &&
        postgres.acceptsWrites,
    );
    if (this.isPaused || host === undefined) return this.#later(waitMs);
    let isOver = false;
    const finish = (): void => {
      if (isOver) return;
      isOver = true;
      this.#later(waitMs);
    };
    let cancel = (): void => undefined;
    this.#kernel.after(ANSWER_LIMIT_MS, () => {
      if (isOver) return;
      this.#network.send({ from: CLIENTS, to: host.name }, () => cancel());
      finish();
    });
    this.#network.send({ from: CLIENTS, to: host.name }, () => {
      const { postgres } = host;
      if (this.isPaused) return;
      const bytes = drawBytes(this.#random, this.#pace);
      cancel = postgres.commit(this.#ledger.issueToRegister(), bytes, () =>
        this.#network.send({ from: host.name, to: CLIENTS }, () => {
          this.answeredAt = this.#kernel.now;
          finish();
        }),
      );
    });
  }
}
