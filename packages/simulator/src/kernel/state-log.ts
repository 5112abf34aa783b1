/** When something was so, and when it was not. */
export class StateLog {
  readonly #now: () => number;
  readonly #changes: { readonly at: number; readonly is: boolean }[] = [];

  constructor(now: () => number) {
    this.#now = now;
  }

  record(is: boolean): void {
    if ((this.#changes.at(-1)?.is ?? false) === is) return;
    this.#changes.push({ at: this.#now(), is });
  }

  /** Milliseconds since `since` in which it was so. */
  trueMsSince(since: number): number {
    let until = this.#now();
    let total = 0;
    for (let index = this.#changes.length - 1; index >= 0; index -= 1) {
      const change = this.#changes[index];
      if (change === undefined || until <= since) break;
      if (change.is) total += until - Math.max(since, change.at);
      until = change.at;
    }
    return total;
  }
}
