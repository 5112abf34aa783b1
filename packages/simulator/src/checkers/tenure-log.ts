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

  lastOf(host: string): TenureRecord | undefined {
    return this.#last.get(host);
  }
}
