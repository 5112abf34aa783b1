export type TroubleArea = 'host' | 'server';

/** Since when a host has been left alone by faults; checkers ask this before they demand much. */
export class TroubleLog {
  readonly #now: () => number;
  readonly #active: Record<TroubleArea, number> = { host: 0, server: 0 };
  readonly #endedAt: Record<TroubleArea, number> = { host: 0, server: 0 };

  constructor(now: () => number) {
    this.#now = now;
  }

  begin(area: TroubleArea): void {
    this.#active[area] += 1;
  }

  end(area: TroubleArea): void {
    this.#active[area] = Math.max(0, this.#active[area] - 1);
    this.#endedAt[area] = this.#now();
  }

  /** Infinity while there is trouble. */
  quietSince(area: TroubleArea): number {
    return this.#active[area] > 0 ? Number.POSITIVE_INFINITY : this.#endedAt[area];
  }
}
