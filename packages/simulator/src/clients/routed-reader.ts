import type { Sighting } from '../checkers/sighting.ts';
import type { SimHost } from '../host/sim-host.ts';
import type { Kernel } from '../kernel/kernel.ts';
import type { SimNetwork } from '../network/sim-network.ts';
import type { Random } from '../random.ts';
import type { Ledger } from '../world/ledger.ts';
import { CLIENTS } from './routed-writer.ts';

/** Longest wait between two reads, and longest way of a question. */
const GAP_MS = 900;
const WAY_MS = 20;

/**
 * A client somewhere else that asks a primary for the newest value of the register: the writes of
 * the client that is sent to the primary, each of which follows the one before. It draws from
 * nobody else's chance, and changes nothing: with it a seed makes the same world as without.
 */
export class RoutedReader {
  readonly #kernel: Kernel;
  readonly #network: SimNetwork;
  readonly #random: Random;
  readonly #ledger: Ledger;
  readonly #hosts: readonly SimHost[];
  readonly #see: (sighting: Sighting) => void;

  constructor(parts: {
    kernel: Kernel;
    network: SimNetwork;
    random: Random;
    ledger: Ledger;
    hosts: readonly SimHost[];
    see: (sighting: Sighting) => void;
  }) {
    this.#kernel = parts.kernel;
    this.#network = parts.network;
    this.#random = parts.random;
    this.#ledger = parts.ledger;
    this.#hosts = parts.hosts;
    this.#see = parts.see;
  }

  /** Asks again and again from now on. */
  begin(): void {
    this.#kernel.after(this.#random.between(GAP_MS / 10, GAP_MS), () => {
      this.#ask();
      this.begin();
    });
  }

  #ask(): void {
    const primaries = this.#hosts.filter(
      ({ name, postgres }) => this.#network.isConnected(CLIENTS, name) && postgres.acceptsWrites,
    );
    // Whoever says that it is primary is asked, also when there should be only one.
    const host = primaries[this.#random.integer(0, primaries.length - 1)];
    if (host === undefined) return;
    const beganAt = this.#kernel.now;
    this.#kernel.after(this.#random.tail(1, WAY_MS), () => {
      const { running } = host.postgres;
      if (running?.acceptsWrites !== true) return;
      const unseen = new Set(running.waiting.map(({ record }) => record.id));
      const newest = running.data.wal.records.findLast(
        ({ id, write }) => this.#ledger.isInRegister(write) && !unseen.has(id),
      );
      this.#see({ kind: 'read', host: host.name, beganAt, write: newest?.write ?? 0 });
    });
  }
}
