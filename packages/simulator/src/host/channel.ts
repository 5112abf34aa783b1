import type { Machine } from '../kernel/machine.ts';
import type { SimProcess } from '../kernel/sim-process.ts';

/** One direction of the pipe between guard and loop: in order, with a delay. */
export class Channel {
  readonly #machine: Machine;
  #lastAt = 0;
  /** Each message takes this much longer. */
  extraMs = 0;

  constructor(machine: Machine) {
    this.#machine = machine;
  }

  send(to: SimProcess, run: () => void): void {
    const { kernel, random } = this.#machine;
    const soonest = kernel.now + random.between(0.05, 0.4) + this.extraMs;
    this.#lastAt = Math.max(this.#lastAt, soonest);
    kernel.at(this.#lastAt, () => to.deliver(run));
  }
}
