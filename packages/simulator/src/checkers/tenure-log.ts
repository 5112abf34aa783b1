import { coveredUntil } from './promises.ts';
import type { World } from '../world/world.ts';

export interface TenureRecord {
  readonly host: string;
  readonly leaseId: string;
  readonly since: number;
}

/** Who held the leader key under which lease, by the store's own time. */
export class TenureLog {
  readonly #world: World;
  readonly #last = new Map<string, TenureRecord>();
  readonly #covers = new Map<string, number>();
  current: TenureRecord | undefined;

  constructor(world: World) {
    this.#world = world;
  }

  leaderChanged(): void {
    const entry = this.#world.store.documents.get('leader');
    this.current = undefined;
    if (entry?.leaseId === undefined || typeof entry.value !== 'string') return;
    const host = entry.value;
    this.current = { host, leaseId: entry.leaseId, since: this.#world.kernel.now };
    this.#last.set(host, this.current);
  }

  /** A promise to this host was given: how far they all reach together. */
  promiseKept(host: string): void {
    const until = coveredUntil(this.#world, host) ?? 0;
    if (until > this.coverOf(host)) this.#covers.set(host, until);
  }

  /** Until when promises have covered this host, or do. */
  coverOf(host: string): number {
    return this.#covers.get(host) ?? 0;
  }

  lastOf(host: string): TenureRecord | undefined {
    return this.#last.get(host);
  }
}
