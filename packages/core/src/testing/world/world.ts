/**
 * One member in a make-believe world: a store, a host with PostgreSQL and its guard, and another
 * member that is primary from time to time. Calls take time, fail, or have their effect unheard. What
 * is true in this world is known, so that it can be compared with what the member believes.
 */
import type { Instant } from '../../model/instant.ts';
import { lsn } from '../../model/lsn.ts';
import type { MemberName } from '../../model/member.ts';
import { firstLineage, timeline } from '../../model/timeline.ts';
import type { StepResult } from '../../step.ts';
import { findBreaches } from '../check-step.ts';
import type { PlayedMember } from '../played-member.ts';
import { Agenda, STARTS_AT } from './agenda.ts';
import { Calls } from './calls.ts';
import { Chance } from './chance.ts';
import { CLUSTER, MakeBelieveHost } from './make-believe-host.ts';
import { MakeBelieveLoop } from './make-believe-loop.ts';
import { MakeBelieveRival } from './make-believe-rival.ts';
import { MakeBelieveStore } from './make-believe-store.ts';
import { mishaps, setPause } from './mishaps.ts';
import { ALPHA } from './new-member.ts';
import { Truth } from './truth.ts';
import type { Weather } from './weather.ts';

const TURNS_MAX = 40_000;

export class World {
  readonly weather: Weather;
  readonly agenda = new Agenda();
  readonly store = new MakeBelieveStore();
  readonly chance: Chance;
  readonly rival: MakeBelieveRival;
  readonly host: MakeBelieveHost;
  readonly truth: Truth;
  readonly loop: MakeBelieveLoop;
  readonly calls: Calls;

  constructor(weather: Weather) {
    const { agenda, store } = this;
    const chance = new Chance(weather);
    const rival = new MakeBelieveRival({
      agenda,
      chance,
      store,
      announce: () => this.loop.announce(),
      promoted: (number, term) => this.truth.checkPromotion(number, term),
    });
    const host = new MakeBelieveHost(agenda, rival);
    const truth = new Truth({ agenda, store, host });
    const follow = (result: StepResult): void => this.#follow(result);
    const loop = new MakeBelieveLoop({ agenda, chance, host, weather, follow });
    this.weather = weather;
    this.chance = chance;
    this.rival = rival;
    this.host = host;
    this.truth = truth;
    this.loop = loop;
    this.calls = new Calls({ agenda, chance, store, host, rival, loop, truth });
    this.#begin();
    loop.greet();
    let afterMs = 0;
    for (const mishap of weather.mishaps) {
      afterMs += mishap.afterMs;
      agenda.later(afterMs, () => {
        if (!loop.hasEnded) mishaps[mishap.kind](this);
      });
    }
  }

  get now(): Instant {
    return this.agenda.now;
  }

  get member(): PlayedMember {
    return this.loop.member;
  }

  get breaches(): readonly string[] {
    return this.truth.breaches;
  }

  get hasEnded(): boolean {
    return this.loop.hasEnded;
  }

  get leader(): MemberName | undefined {
    return this.store.leader;
  }

  /** The leader key is ours and hangs on a lease that lives. */
  get isOurs(): boolean {
    return this.store.isHeldBy(ALPHA);
  }

  /** When the last of all that is to happen happens. */
  get lastMishapAt(): number {
    return this.weather.mishaps.reduce((sum, { afterMs }) => sum + afterMs, STARTS_AT as number);
  }

  /** From now on everything works, and nothing happens by itself. */
  heal(): void {
    this.chance.heal();
    this.calls.loseStore(0);
    setPause(this, false);
    this.loop.thaw();
  }

  /** Plays until the clock stands at `until`. */
  run(until: number): void {
    const { agenda, breaches } = this;
    for (let turn = 0; turn < TURNS_MAX; turn += 1) {
      const next = this.#nextAt;
      const isOver = next > until || this.hasEnded || breaches.length > 0;
      agenda.now = Math.max(agenda.now, isOver ? until : next) as Instant;
      if (isOver) return;
      this.#turn();
      this.truth.check(this.member.state);
    }
    this.truth.breaches.push(`${TURNS_MAX} turns until ${this.now}: the member never rests`);
  }

  /** When the next thing happens, whoever does it. */
  get #nextAt(): number {
    const { deadline, isSilent, suspended } = this.host;
    const never = Number.POSITIVE_INFINITY;
    const guardAt = isSilent || suspended ? never : (deadline ?? never);
    const endAt = this.store.nextEnd ?? never;
    return Math.min(this.agenda.nextAt, this.loop.wakeAt, guardAt, endAt);
  }

  #turn(): void {
    const { agenda, store, host, loop } = this;
    if (store.endLeases(agenda.now)) loop.announce();
    if (host.isOverdue) {
      host.fence();
      loop.tellFromGuard({ kind: 'guard-fenced', silent: true });
      return;
    }
    if (!agenda.doNext() && !loop.isFrozen) loop.tell({ kind: 'tick' });
    if (this.chance.isHealed) this.rival.drive(host);
  }

  #follow(result: StepResult): void {
    this.truth.breaches.push(...findBreaches(result));
    for (const dispatch of result.dispatches) this.calls.perform(dispatch);
  }

  #begin(): void {
    const { store, host, rival } = this;
    const { begins } = this.weather;
    if (begins === 'new cluster') return;
    store.put('initialize', CLUSTER);
    store.put('config', {});
    store.put('timelines', { issued: timeline(1), promotions: [] });
    const standbySignal = begins === 'as standby' || begins === 'with another primary';
    const end = lsn(begins === 'as forked primary' ? 0x5000100 : 0x5000000);
    if (begins !== 'with empty disk')
      host.data = { lineage: firstLineage, end, standbySignal, inProduction: !standbySignal };
    rival.show('replica');
    if (begins !== 'as standby' && begins !== 'as crashed primary') rival.takeLease();
  }
}
