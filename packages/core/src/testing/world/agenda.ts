import type { Instant } from '../../model/instant.ts';

/** The host's clock when the story begins: a new member takes 0 for a time long ago. */
export const STARTS_AT = 10_000 as Instant;

interface Due {
  readonly at: number;
  readonly order: number;
  readonly run: () => void;
}

/** The clock of the world, and all that is due to happen. What is due at one time keeps its order. */
export class Agenda {
  now = STARTS_AT;
  #due: Due[] = [];
  #order = 0;

  /** When something is due next; infinity: nothing is. */
  get nextAt(): number {
    return Math.min(...this.#due.map(({ at }) => at));
  }

  later(delayMs: number, run: () => void): void {
    this.#order += 1;
    this.#due.push({ at: this.now + delayMs, order: this.#order, run });
  }

  /** Does the first thing that is due by now; false: nothing is. */
  doNext(): boolean {
    const [first] = this.#due.toSorted((a, b) => a.at - b.at || a.order - b.order);
    if (first === undefined || first.at > this.now) return false;
    this.#due = this.#due.filter((due) => due !== first);
    first.run();
    return true;
  }
}
