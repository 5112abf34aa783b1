import type { LeaseTerm } from '../../model/store.ts';
import type { Timeline } from '../../model/timeline.ts';
import type { MemberState } from '../../state.ts';
import type { Agenda } from './agenda.ts';
import type { MakeBelieveHost } from './make-believe-host.ts';
import { BRAVO } from './make-believe-rival.ts';
import type { MakeBelieveStore } from './make-believe-store.ts';
import { ALPHA } from './new-member.ts';

interface Known {
  readonly agenda: Agenda;
  readonly store: MakeBelieveStore;
  readonly host: MakeBelieveHost;
}

/** What is true, whatever the member believes, and every rule that was seen broken. */
export class Truth {
  readonly breaches: string[] = [];
  readonly #known: Known;
  readonly #promotedTo = new Map<Timeline, LeaseTerm>();

  constructor(known: Known) {
    this.#known = known;
  }

  /** S1, S2: held after each turn. */
  check({ tenure }: MemberState): void {
    const { agenda, store, host } = this.#known;
    const isOurs = store.isHeldBy(ALPHA);
    if (host.acceptsWrites && !isOurs && !this.#goesOn)
      this.breaches.push(
        `writes are accepted at ${agenda.now}, and the lease is ${store.leader ?? 'free'}`,
      );
    const believes = tenure !== undefined && agenda.now < tenure.deadline;
    if (believes && store.term === tenure.term && !isOurs)
      this.breaches.push('the member counts on a lease that has ended');
  }

  /** S1: without the lease only while the store says that nobody else may take it. */
  get #goesOn(): boolean {
    const { store } = this.#known;
    return store.snapshot.suspension?.value.member === ALPHA && store.leader !== BRAVO;
  }

  /** S4: held when the lease has been released. */
  checkRelease(): void {
    if (this.#known.host.acceptsWrites)
      this.breaches.push('the lease was released while the server accepts writes');
  }

  /** S5: no number is promoted to in two terms, whoever does it. */
  checkPromotion(number: Timeline, term: LeaseTerm | undefined): void {
    if (term === undefined) return;
    const before = this.#promotedTo.get(number);
    if (before !== undefined && before !== term)
      this.breaches.push(`timeline ${number} was promoted to in terms ${before} and ${term}`);
    this.#promotedTo.set(number, term);
  }
}
