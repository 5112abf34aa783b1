import type { Kernel } from '../kernel/kernel.ts';
import type { Random } from '../random.ts';

/** A host's name, `store` or `clients`. */
export type Endpoint = string;

export interface NetworkPace {
  /** Fastest way from one end to the other. */
  readonly latencyMs: number;
  /** Typical extra time; the tail goes to twenty times as much. */
  readonly jitterMs: number;
}

/**
 * Messages between ends, each delayed by itself. Links are cut and slowed in one direction at a
 * time. A lost message stays lost: those who need it have time limits.
 */
export class SimNetwork {
  readonly #kernel: Kernel;
  readonly #random: Random;
  readonly #pace: NetworkPace;
  /** How many faults cut a link, by `from>to`. */
  readonly #cuts = new Map<string, number>();
  readonly #extraMs = new Map<string, number>();
  /** Share of messages that get lost on every link. */
  lossRate = 0;

  constructor(kernel: Kernel, random: Random, pace: NetworkPace) {
    this.#kernel = kernel;
    this.#random = random;
    this.#pace = pace;
  }

  isOpen(from: Endpoint, to: Endpoint): boolean {
    return this.#cuts.size === 0 || from === to || !this.#cuts.has(linkOf(from, to));
  }

  /** Both directions. */
  isConnected(one: Endpoint, other: Endpoint): boolean {
    return this.isOpen(one, other) && this.isOpen(other, one);
  }

  cut(from: Endpoint, to: Endpoint): void {
    const link = linkOf(from, to);
    this.#cuts.set(link, (this.#cuts.get(link) ?? 0) + 1);
  }

  mend(from: Endpoint, to: Endpoint): void {
    const link = linkOf(from, to);
    const left = (this.#cuts.get(link) ?? 0) - 1;
    if (left > 0) this.#cuts.set(link, left);
    else this.#cuts.delete(link);
  }

  /** Each message from here to there takes this much longer; 0 takes it back. */
  delay(from: Endpoint, to: Endpoint, extraMs: number): void {
    if (extraMs === 0) this.#extraMs.delete(linkOf(from, to));
    else this.#extraMs.set(linkOf(from, to), extraMs);
  }

  drawLatencyMs(from: Endpoint, to: Endpoint): number {
    if (from === to) return this.#random.between(0.02, 0.2);
    const { latencyMs, jitterMs } = this.#pace;
    const extra = this.#extraMs.size === 0 ? 0 : (this.#extraMs.get(linkOf(from, to)) ?? 0);
    return latencyMs + extra + this.#random.tail(jitterMs, 20 * jitterMs);
  }

  /**
   * Returns when the message will arrive. `lost` is called as soon as it is clear that it will not.
   */
  send(route: Route, deliver: () => void, lost: () => void = ignore): number {
    const { from, to } = route;
    if (!this.isOpen(from, to) || this.#random.chance(this.lossRate)) {
      lost();
      return Number.POSITIVE_INFINITY;
    }
    const arrivesAt = this.#kernel.now + this.drawLatencyMs(from, to);
    this.#kernel.at(arrivesAt, () => {
      if (this.isOpen(from, to)) deliver();
      else lost();
    });
    return arrivesAt;
  }
}

export interface Route {
  readonly from: Endpoint;
  readonly to: Endpoint;
}

const linkOf = (from: Endpoint, to: Endpoint): string => `${from}>${to}`;

const ignore = (): void => undefined;
