import type { Sighting } from '../checkers/sighting.ts';
import { CLIENTS, type RoutedClientParts } from './routed-writer.ts';

/** Longest wait between two reads, and longest way of a question. */
const GAP_MS = 900;
const WAY_MS = 20;

interface RoutedReaderParts extends RoutedClientParts {
  readonly see: (sighting: Sighting) => void;
}

/**
 * A client somewhere else that asks a primary for the newest value of the register: the writes of
 * the client that is sent to the primary, each of which follows the one before. It draws from
 * nobody else's chance, and changes nothing: with it a seed makes the same world as without.
 */
export class RoutedReader {
  readonly #parts: RoutedReaderParts;

  constructor(parts: RoutedReaderParts) {
    this.#parts = parts;
  }

  /** Asks again and again from now on. */
  begin(): void {
    const { kernel, random } = this.#parts;
    kernel.after(random.between(GAP_MS / 10, GAP_MS), () => {
      this.#ask();
      this.begin();
    });
  }

  #ask(): void {
    const { kernel, network, random, ledger, hosts, see } = this.#parts;
    const primaries = hosts.filter(
      ({ name, postgres }) => network.isConnected(CLIENTS, name) && postgres.acceptsWrites,
    );
    // Whoever says that it is primary is asked, also when there should be only one.
    const host = primaries[random.integer(0, primaries.length - 1)];
    if (host === undefined) return;
    const beganAt = kernel.now;
    kernel.after(random.tail(1, WAY_MS), () => {
      const { running } = host.postgres;
      if (running?.acceptsWrites !== true) return;
      const unseen = new Set(running.waiting.map(({ record }) => record.id));
      const newest = running.data.wal.records.findLast(
        ({ id, write }) => ledger.isInRegister(write) && !unseen.has(id),
      );
      see({ kind: 'read', host: host.name, beganAt, write: newest?.write ?? 0 });
    });
  }
}
