import type { SimHost } from '../host/sim-host.ts';
import { Random, RecordedRandom, ReplayedRandom } from '../random.ts';
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

/** One fault as it was, or is to be: when, whom it hits, and what it has drawn. */
export interface ScriptedFault {
  readonly at: number;
  readonly name: FaultName;
  /** A name, or a part that somebody plays then. Undefined: whoever holds the lease. */
  readonly host?: string | undefined;
  readonly other?: string | undefined;
  readonly lastsMs: number;
  readonly draws: readonly number[];
  /** From `at` on it waits until somebody else takes the lease. */
  readonly awaitsNextHolder?: boolean | undefined;
}

/** Parts for a script that does not know who plays them: the first by name, and the next. */
export const PARTS = { holder: '@holder', bystander: '@bystander', secondBystander: '@second' };

const LOOK_FOR_HOLDER_MS = 1;

/**
 * Brings one fault after the other, drawn from the seed or as the script says, and takes every one
 * back. What it has brought is a script: played again it makes the same world.
 */
export class FaultSchedule {
  readonly #simulation: Simulation;
  readonly #plan: FaultPlan;
  readonly #random: Random;
  readonly #undos = new Set<() => void>();
  readonly script: ScriptedFault[] = [];

  constructor(
    simulation: Simulation,
    source: { readonly seed: number; readonly plan: FaultPlan },
    script?: readonly ScriptedFault[],
  ) {
    this.#simulation = simulation;
    this.#plan = source.plan;
    this.#random = new Random(source.seed, 'faults');
    const { kernel } = simulation;
    if (script !== undefined)
      for (const fault of script) kernel.at(fault.at, () => this.#await(fault));
    else if (Object.keys(this.#plan.weights).length > 0)
      kernel.at(this.#plan.fromMs + this.#drawGapMs(), () => this.#next());
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
    const random = new RecordedRandom(this.#random);
    this.#inject(name, { ...this.#drawContext(), random }, random.draws);
    kernel.after(this.#drawGapMs(), () => this.#next());
  }

  #await(fault: ScriptedFault): void {
    const { kernel, tenures } = this.#simulation;
    if (fault.awaitsNextHolder !== true) return this.#play(fault);
    const before = tenures.current?.leaseId;
    const look = (): void => {
      const { current } = tenures;
      if (current !== undefined && current.leaseId !== before) this.#play(fault);
      else if (kernel.now < this.#plan.untilMs) kernel.after(LOOK_FOR_HOLDER_MS, look);
    };
    look();
  }

  /** Who is meant by a name, or by a part. */
  #find(name: string | undefined): SimHost | undefined {
    const { hosts, tenures } = this.#simulation;
    const holder = tenures.current?.host;
    if (name === undefined || name === PARTS.holder) return hosts.get(holder ?? '');
    const bystanders = [...hosts.values()].filter((host) => host.name !== holder);
    if (name === PARTS.bystander) return bystanders[0];
    if (name === PARTS.secondBystander) return bystanders[1] ?? bystanders[0];
    return hosts.get(name);
  }

  #play({ name, host: hit, other: second, lastsMs, draws }: ScriptedFault): void {
    const { hosts } = this.#simulation;
    const host = this.#find(hit);
    if (host === undefined) return;
    const others = [...hosts.values()].filter((candidate) => candidate !== host);
    const other = (second === undefined ? undefined : this.#find(second)) ?? others[0] ?? host;
    const random = new ReplayedRandom(draws, `fault ${name}`);
    this.#inject(name, { simulation: this.#simulation, random, host, other, lastsMs }, draws);
  }

  #drawGapMs(): number {
    // Faults often come together: that is where the mistakes are.
    if (this.#random.chance(0.25)) return this.#random.between(0, 500);
    return this.#random.between(this.#plan.gapMs / 10, this.#plan.gapMs);
  }

  #inject(name: FaultName, context: FaultContext, draws: readonly number[]): void {
    const { kernel, journal } = this.#simulation;
    const kind: FaultKind = faults[name];
    const injected = kind.inject(context);
    if (injected === undefined) return;
    const { host, other, lastsMs } = context;
    const at = kernel.now;
    const hit = { host: host.name, other: other.name };
    const number = this.script.push({ at, name, ...hit, lastsMs, draws });
    journal.note('FAULT', 'injected', () => `#${number} ${injected.story}`);
    const troubled = troubledHosts(kind, context);
    for (const one of troubled) one.trouble.begin(areaOf(kind));
    const undo = (): void => {
      if (!this.#undos.delete(undo)) return;
      injected.undo?.();
      if (injected.undo !== undefined)
        journal.note('FAULT', 'over', () => `#${number} ${injected.story}`);
      for (const one of troubled) one.trouble.end(areaOf(kind));
    };
    this.#undos.add(undo);
    kernel.after(injected.undo === undefined ? 0 : lastsMs, undo);
  }

  #drawContext(): Omit<FaultContext, 'random'> {
    const random = this.#random;
    const { hosts, tenures } = this.#simulation;
    const all = [...hosts.values()];
    const leader = hosts.get(tenures.current?.host ?? '');
    const host = leader !== undefined && random.chance(LEADER_RATE) ? leader : random.pick(all);
    const others = all.filter((candidate) => candidate !== host);
    const other: SimHost = others.length === 0 ? host : random.pick(others);
    const { lastsMs: mostMs } = this.#plan;
    const lastsMs = Math.max(50, random.tail(mostMs / 4, mostMs));
    return { simulation: this.#simulation, host, other, lastsMs };
  }
}
