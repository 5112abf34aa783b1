import { type Instant, instant } from '@matriarch/core';

/** The step of the boot clock, as that of `/proc/uptime`. */
const STEP_MS = 10;

/**
 * A host's boot clock: starts with the host, runs a little too fast or too slow, goes on while
 * processes are stopped, and stands still only while the virtual machine is paused.
 */
export class HostClock {
  readonly #rate: number;
  #anchorTrue: number;
  #anchorLocal: number;
  #paused = false;

  /** `rate` 1.0001 gains a tenth of a millisecond each second. */
  constructor(options: { now: number; offsetMs: number; rate: number }) {
    this.#anchorTrue = options.now;
    this.#anchorLocal = options.offsetMs;
    this.#rate = options.rate;
  }

  /** The time without the clock's coarse step: for checkers, not for those who are checked. */
  exactAt(now: number): number {
    if (this.#paused) return this.#anchorLocal;
    return this.#anchorLocal + (now - this.#anchorTrue) * this.#rate;
  }

  readAt(now: number): Instant {
    return instant(Math.floor(this.exactAt(now) / STEP_MS) * STEP_MS);
  }

  /** The true time at which the clock will show `local` at the earliest, if it is not paused. */
  trueTimeOf(local: Instant): number {
    const shown = Math.ceil(local / STEP_MS) * STEP_MS;
    return this.#anchorTrue + (shown - this.#anchorLocal) / this.#rate;
  }

  pause(now: number): void {
    this.#moveAnchor(now);
    this.#paused = true;
  }

  resume(now: number): void {
    this.#anchorTrue = now;
    this.#paused = false;
  }

  #moveAnchor(now: number): void {
    this.#anchorLocal = this.exactAt(now);
    this.#anchorTrue = now;
  }
}
