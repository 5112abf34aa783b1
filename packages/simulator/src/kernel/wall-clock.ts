import { type WallTime, wallTime } from '@matriarch/core';

/** When the world begins, as far as anybody can tell. */
const BEGINNING_MS = 1_900_000_000_000;

/**
 * A host's wall clock: right at first, and then as it is set. It goes on through boots, and while
 * the virtual machine is paused: whoever resumes it sets it right.
 */
export class WallClock {
  readonly #now: () => number;
  #aheadMs = 0;
  /** What it showed before each time it was set. */
  readonly #shown: { readonly until: number; readonly time: WallTime }[] = [];

  constructor(now: () => number) {
    this.#now = now;
  }

  read(): WallTime {
    return wallTime(BEGINNING_MS + Math.floor(this.#now() + this.#aheadMs));
  }

  set(byMs: number): void {
    this.#shown.push({ until: this.#now(), time: this.read() });
    this.#aheadMs += byMs;
  }

  /** The latest time that it has shown since then. */
  latestSince(since: number): WallTime {
    let latest = this.read();
    for (const { until, time } of this.#shown) if (until >= since && time > latest) latest = time;
    return latest;
  }
}
