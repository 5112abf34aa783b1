import type { Input } from '../../model/input.ts';
import type { StepResult } from '../../step.ts';
import { PlayedMember } from '../played-member.ts';
import type { Agenda } from './agenda.ts';
import type { Chance } from './chance.ts';
import type { MakeBelieveHost } from './make-believe-host.ts';
import { newMember } from './new-member.ts';
import type { Weather } from './weather.ts';

interface Surroundings {
  readonly agenda: Agenda;
  readonly chance: Chance;
  readonly host: MakeBelieveHost;
  readonly weather: Weather;
  /** Hears of every step, and sees to what it sends on its way. */
  readonly follow: (result: StepResult) => void;
}

/**
 * The member's loop and the ways on which inputs reach it. Each takes its time; what comes while the
 * loop is frozen waits, and what was meant for a loop that has died is lost.
 */
export class MakeBelieveLoop {
  member: PlayedMember;
  /** Counts the loops of this host: the guard knows them by it. */
  incarnation = 1;
  readonly #world: Surroundings;
  /** Counts the lives of the agent. */
  #run = 1;
  #hasEnded = false;
  #frozenUntil = 0;
  #inbox: Input[] = [];
  #guardHeardAt = 0;

  constructor(world: Surroundings) {
    this.#world = world;
    this.member = new PlayedMember({ ...newMember(world.weather, 1), now: world.agenda.now });
  }

  get hasEnded(): boolean {
    return this.#hasEnded;
  }

  get isFrozen(): boolean {
    return this.#world.agenda.now < this.#frozenUntil;
  }

  /** When it asked to be woken, or can be. */
  get wakeAt(): number {
    const wakeAt = this.member.last?.wakeAt ?? Number.POSITIVE_INFINITY;
    return Math.max(wakeAt, this.#frozenUntil, this.#world.agenda.now + 1);
  }

  tell(input: Input): void {
    if (this.#hasEnded) return;
    this.member.state = { ...this.member.state, now: this.#world.agenda.now };
    this.#world.follow(this.member.tell(input));
  }

  /** To the loop of now. What comes while it is frozen waits, and keeps its order. */
  tellLater(input: Input, delayMs = this.#world.chance.drawDelayMs()): void {
    const { incarnation } = this;
    this.#world.agenda.later(delayMs, () => {
      if (incarnation !== this.incarnation) return;
      if (this.isFrozen || this.#inbox.length > 0) this.#inbox.push(input);
      else this.tell(input);
    });
  }

  /** The guard's words come in the order in which it said them. */
  tellFromGuard(input: Input): void {
    const { agenda, chance } = this.#world;
    this.#guardHeardAt = Math.max(agenda.now + chance.drawDelayMs(), this.#guardHeardAt);
    this.tellLater(input, this.#guardHeardAt - agenda.now);
  }

  /** The watch on the store has seen a change. */
  announce(): void {
    this.tellLater({ kind: 'store-changed' });
  }

  greet(): void {
    const { process, leaseId, deadline, suspended } = this.#world.host;
    const { incarnation } = this;
    this.tell({ kind: 'guard-hello', incarnation, process, leaseId, deadline, suspended });
  }

  freeze(forMs: number): void {
    const { agenda } = this.#world;
    this.#frozenUntil = agenda.now + forMs;
    agenda.later(forMs, () => {
      if (!this.isFrozen) this.thaw();
    });
  }

  thaw(): void {
    this.#frozenUntil = 0;
    const inputs = this.#inbox;
    this.#inbox = [];
    for (const input of inputs) this.tell(input);
  }

  /** The loop dies, and its guard starts the next one, which knows nothing. */
  restart(): void {
    this.incarnation += 1;
    this.#inbox = [];
    this.#frozenUntil = 0;
    const { self, policy } = this.member.state;
    const fresh = newMember(this.#world.weather, this.#run);
    this.member = new PlayedMember({ ...fresh, self, policy, now: this.#world.agenda.now });
    this.greet();
  }

  /** The agent dies with its guard and its server, and lives again. */
  beginAnotherLife(): void {
    const { host } = this.#world;
    host.fence();
    host.leaseId = undefined;
    this.#run += 1;
    this.restart();
  }

  /** It has left by itself. */
  end(): void {
    this.#hasEnded = true;
  }
}
