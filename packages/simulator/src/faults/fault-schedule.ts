import type { SimHost } from '../host/sim-host.ts';
import { Random } from '../random.ts';
import type { Simulation } from '../world/simulation.ts';
import { type FaultContext, type FaultKind, areaOf, troubledHosts } from './fault.ts';
import { type FaultName, faults } from './table.ts';

export interface FaultPlan {
  readonly weights: Readonly<Partial<Record<FaultName, number>>>;
  /** No fault before this time, and none begins after `untilMs`. */
  readonly fromMs: number;
  readonly untilMs: number;
  /** Longest wait from one fault to the next. */
  readonly gapMs: number;
  /** Longest fault; most are much shorter. */
  readonly lastsMs: number;
}

/** How often the lease holder is the one that is hit. */
const LEADER_RATE = 0.6;

/** Brings one fault after the other, drawn from the seed, and takes every one back. */
export class FaultSchedule {
  readonly #simulation: Simulation;
  readonly #plan: FaultPlan;
  readonly #random: Random;
  readonly #undos = new Set<() => void>();
  injected = 0;

  constructor(simulation: Simulation, seed: number, plan: FaultPlan) {
    this.#simulation = simulation;
    this.#plan = plan;
    this.#random = new Random(seed, 'faults');
    if (Object.keys(plan.weights).length > 0)
      simulation.kernel.at(plan.fromMs + this.#drawGapMs(), () => this.#next());
  }

  /** Takes back whatever is still wrong; what crashed boots, what left is started. */
  heal(): void {
    for (const undo of this.#undos) undo();
    for (const host of this.#simulation.hosts.values()) {
      host.postgres.stuckUntil = 0;
      if (host.leftWith !== undefined) host.startAgent();
    }
    this.#simulation.journal.note('world', 'healed');
  }

  #next(): void {
    const { kernel } = this.#simulation;
    if (kernel.now > this.#plan.untilMs) return;
    const name = this.#random.weighted(this.#plan.weights);
    this.#inject(faults[name]);
    kernel.after(this.#drawGapMs(), () => this.#next());
  }

  #drawGapMs(): number {
    // Faults often come together: that is where the mistakes are.
    if (this.#random.chance(0.25)) return this.#random.between(0, 500);
    return this.#random.between(this.#plan.gapMs / 10, this.#plan.gapMs);
  }

  #inject(kind: FaultKind): void {
    const { kernel, journal } = this.#simulation;
    const context = this.#drawContext();
    if (context === undefined) return;
    const injected = kind.inject(context);
    if (injected === undefined) return;
    this.injected += 1;
    journal.note('FAULT', 'injected', () => injected.story);
    const troubled = troubledHosts(kind, context);
    for (const host of troubled) host.trouble.begin(areaOf(kind));
    const undo = (): void => {
      if (!this.#undos.delete(undo)) return;
      injected.undo?.();
      if (injected.undo !== undefined) journal.note('FAULT', 'over', () => injected.story);
      for (const host of troubled) host.trouble.end(areaOf(kind));
    };
    this.#undos.add(undo);
    kernel.after(injected.undo === undefined ? 0 : context.lastsMs, undo);
  }

  #drawContext(): FaultContext | undefined {
    const random = this.#random;
    const { hosts, tenures } = this.#simulation;
    const all = [...hosts.values()];
    const leader = hosts.get(tenures.current?.host ?? '');
    const host = leader !== undefined && random.chance(LEADER_RATE) ? leader : random.pick(all);
    const others = all.filter((candidate) => candidate !== host);
    const other: SimHost = others.length === 0 ? host : random.pick(others);
    const { lastsMs: mostMs } = this.#plan;
    const lastsMs = Math.max(50, random.tail(mostMs / 4, mostMs));
    return { simulation: this.#simulation, random, host, other, lastsMs };
  }
}
