import type { Instant } from '@matriarch/core';
import type { SimProcess } from '../kernel/sim-process.ts';

/** A process's one timer on its host's boot clock. Set again, it forgets the instant before. */
export class WakeTimer {
  readonly #process: SimProcess;
  readonly #fire: () => void;
  #wakeAt: Instant | undefined;
  #armedFor = Number.POSITIVE_INFINITY;

  constructor(process: SimProcess, fire: () => void) {
    this.#process = process;
    this.#fire = fire;
  }

  set(wakeAt: Instant | undefined): void {
    this.#wakeAt = wakeAt;
    if (wakeAt === undefined) return;
    const { clock, kernel } = this.#process.machine;
    const at = Math.max(clock.trueTimeOf(wakeAt), kernel.now + 1);
    if (at >= this.#armedFor) return;
    this.#armedFor = at;
    kernel.at(at, () => {
      if (at === this.#armedFor) this.#process.deliver(() => this.#ring());
    });
  }

  /** The clock may have stood still meanwhile, and the instant may have moved. */
  #ring(): void {
    this.#armedFor = Number.POSITIVE_INFINITY;
    if (this.#wakeAt === undefined) return;
    if (this.#process.machine.read() < this.#wakeAt) this.set(this.#wakeAt);
    else this.#fire();
  }
}
