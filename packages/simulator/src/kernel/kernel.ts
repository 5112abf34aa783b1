import { EventQueue } from './event-queue.ts';

/** More events than any schedule needs: a loop without end is a mistake, not a reason to hang. */
const EVENTS_MAX = 20_000_000;

/**
 * True time and what happens in it. Everything in the world is a function that runs at an instant;
 * nothing runs beside it. Times are milliseconds since the world began.
 */
export class Kernel {
  readonly #queue = new EventQueue();
  now = 0;
  events = 0;
  /** Set to end the run after the current event. */
  halted = false;

  at(time: number, run: () => void): void {
    this.#queue.push(time < this.now ? this.now : time, run);
  }

  after(milliseconds: number, run: () => void): void {
    this.at(this.now + milliseconds, run);
  }

  /** Runs what is due, up to and including `until`, or until the run is halted. */
  runUntil(until: number): void {
    for (;;) {
      const nextAt = this.#queue.nextAt;
      if (this.halted || nextAt === undefined || nextAt > until) break;
      this.#step();
    }
    if (!this.halted) this.now = Math.max(this.now, until);
  }

  #step(): void {
    const entry = this.#queue.pop();
    if (entry === undefined) return;
    this.now = entry.at;
    this.events += 1;
    if (this.events > EVENTS_MAX)
      throw new Error(`${EVENTS_MAX} events in one schedule: something schedules itself for ever`);
    entry.run();
  }
}
