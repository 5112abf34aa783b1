import type { Machine } from './machine.ts';

/** More than any process is ever sent while it is stopped. */
const INBOX_MAX = 100_000;
/** After a stop the scheduler lets processes run again in any order, within this time. */
const WAKE_UP_MAX_MS = 3;

/**
 * A process: what is delivered while it is stopped waits for it, in order; what is delivered after
 * its death is lost.
 */
export class SimProcess {
  readonly name: string;
  readonly machine: Machine;
  isAlive = true;
  #stops = 0;
  #draining = false;
  #inbox: (() => void)[] = [];

  constructor(name: string, machine: Machine) {
    this.name = name;
    this.machine = machine;
  }

  get isRunning(): boolean {
    return this.isAlive && this.#stops === 0 && this.machine.isRunning;
  }

  deliver(run: () => void): void {
    if (!this.isAlive) return;
    if (this.isRunning && !this.#draining) return run();
    this.#inbox.push(run);
    if (this.#inbox.length > INBOX_MAX)
      throw new Error(`${INBOX_MAX} messages wait for ${this.name} of ${this.machine.name}`);
  }

  after(milliseconds: number, run: () => void): void {
    this.machine.kernel.after(milliseconds, () => this.deliver(run));
  }

  /** SIGSTOP. Stops add up: each one needs its own `continue`. */
  stop(): void {
    this.#stops += 1;
    this.machine.onChange();
  }

  continue(): void {
    this.#stops = Math.max(0, this.#stops - 1);
    this.machine.onChange();
    this.drainSoon();
  }

  kill(): void {
    this.isAlive = false;
    this.#inbox = [];
    this.machine.onChange();
  }

  drainSoon(): void {
    if (this.#draining || !this.isRunning || this.#inbox.length === 0) return;
    this.#draining = true;
    const { kernel, random } = this.machine;
    kernel.after(random.between(0, WAKE_UP_MAX_MS), () => this.#drain());
  }

  #drain(): void {
    while (this.isRunning) {
      const run = this.#inbox.shift();
      if (run === undefined) break;
      run();
    }
    this.#draining = false;
  }
}
