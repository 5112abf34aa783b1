import type { Failure, Results } from '../../model/action.ts';
import { type Lsn, lsn } from '../../model/lsn.ts';
import { type MemberName, defaultTags } from '../../model/member.ts';
import { isPauseOn } from '../../model/operating.ts';
import type { PeerAnswer } from '../../model/peer.ts';
import type { LeaseId, LeaseTerm, Promotion } from '../../model/store.ts';
import { type Lineage, type Timeline, timeline } from '../../model/timeline.ts';
import { knownPosition } from '../../model/wal-position.ts';
import type { Agenda } from './agenda.ts';
import type { Chance } from './chance.ts';
import { CLUSTER, type Elsewhere, type MakeBelieveHost } from './make-believe-host.ts';
import type { MakeBelieveStore } from './make-believe-store.ts';
import { ALPHA } from './new-member.ts';

export const BRAVO = 'bravo' as MemberName;

/** Longer than any story: nobody needs to renew it. */
const LEASE_TTL_MS = 600_000;
/** How long the healed world leaves the lease free before the other member takes it. */
const PATIENCE_MS = 20_000;

interface Surroundings {
  readonly agenda: Agenda;
  readonly chance: Chance;
  readonly store: MakeBelieveStore;
  /** The store has changed, and everybody who watches it is to hear so. */
  readonly announce: () => void;
  readonly promoted: (number: Timeline, term: LeaseTerm) => void;
}

/** The other member, primary from time to time. It is told what to do and has no mind of its own. */
export class MakeBelieveRival implements Elsewhere {
  /** The end of its WAL. */
  end: Lsn = lsn(0x5000000);
  readonly #world: Surroundings;
  #lease: LeaseId | undefined;
  #vacantSince: number | undefined;

  constructor(world: Surroundings) {
    this.#world = world;
  }

  get isHolder(): boolean {
    return this.#world.store.leader === BRAVO;
  }

  /** It is where the last promotion has led. */
  get lineage(): Lineage {
    const ancestors = this.#promotions.map(({ parent, switchLsn }) => ({
      timeline: parent,
      switchLsn,
    }));
    return { timeline: this.#promotions.at(-1)?.timeline ?? timeline(1), ancestors };
  }

  get #promotions(): readonly Promotion[] {
    return this.#world.store.snapshot.timelines?.value.promotions ?? [];
  }

  get primary(): string | undefined {
    return this.isHolder ? 'bravo:5432' : undefined;
  }

  answer(): PeerAnswer {
    const { store, chance } = this.#world;
    const isThere = store.snapshot.initialize?.value === CLUSTER;
    if (!isThere || !chance.draw([true, true, false], true))
      return { kind: 'no-answer', cause: 'by chance' };
    const { lineage } = this;
    return {
      kind: 'answers',
      running: true,
      primary: this.isHolder,
      position: knownPosition({ timeline: lineage.timeline, lsn: this.end }),
      lineage,
      tags: defaultTags,
      electable: !this.isHolder,
      streaming: false,
    };
  }

  inspect(): Results['inspect-upstream'] | Failure {
    if (!this.isHolder) return { kind: 'failed', cause: 'nobody answers' };
    const { lineage } = this;
    return {
      facts: {
        member: BRAVO,
        systemIdentifier: CLUSTER,
        inRecovery: false,
        timeline: lineage.timeline,
        lineage,
        oldestLsn: lsn(0),
        currentLsn: this.end,
        checkpointed: this.#world.chance.draw([true, false], true),
      },
    };
  }

  /** Writes its member key. */
  show(role: 'primary' | 'replica'): void {
    const { store, agenda, announce } = this.#world;
    this.#lease ??= store.grant(LEASE_TTL_MS, agenda.now);
    const put = {
      connUrl: 'postgres://bravo:5432/postgres',
      apiUrl: '',
      state: 'running',
      role,
      tags: defaultTags,
      ours: true,
    };
    store.transact({ compares: [], writes: [{ member: BRAVO, leaseId: this.#lease, put }] });
    announce();
  }

  /** Takes the lease where it may, and promotes its server. */
  takeLease(): void {
    const { store, promoted } = this.#world;
    const { leader, timelines, initialize, config, suspension } = store.snapshot;
    if (leader !== undefined || initialize?.value !== CLUSTER) return;
    if (isPauseOn(config?.value) || suspension !== undefined) return;
    const issued = timeline((timelines?.value.issued ?? 1) + 1);
    const before = this.#promotions;
    const parent = before.at(-1)?.timeline ?? timeline(1);
    this.show('primary');
    store.put('leader', BRAVO, this.#lease);
    store.put('holder', { member: BRAVO, life: { host: 'host-2', run: 'run-1' } });
    const { term } = store;
    if (term === undefined) throw new Error('the leader key is not there, and was just written');
    const promotion = { timeline: issued, parent, switchLsn: this.end, member: BRAVO, term };
    store.put('timelines', { issued, promotions: [...before, promotion] });
    promoted(issued, term);
  }

  giveLeaseBack(): void {
    if (!this.isHolder) return;
    this.#world.store.remove('leader');
    this.show('replica');
  }

  /** A switchover from bravo to us. */
  handOver(): void {
    const { store } = this.#world;
    const { term } = store;
    if (!this.isHolder || term === undefined) return;
    store.put('handover', {
      from: BRAVO,
      term,
      cause: 'switchover',
      end: knownPosition({ timeline: this.lineage.timeline, lsn: this.end }),
      heir: ALPHA,
      quietMs: 0,
    });
    this.giveLeaseBack();
  }

  /** In the healed world somebody else takes a lease that we leave free for long. */
  drive({ acceptsWrites, data }: MakeBelieveHost): void {
    const { store, agenda } = this.#world;
    if (store.leader !== undefined) this.#vacantSince = undefined;
    else this.#vacantSince ??= agenda.now;
    if (this.#vacantSince !== undefined && agenda.now - this.#vacantSince >= PATIENCE_MS)
      this.takeLease();
    // A member that streams from us is where we are.
    if (store.isHeldBy(ALPHA) && acceptsWrites && data !== undefined) this.end = data.end;
  }
}
