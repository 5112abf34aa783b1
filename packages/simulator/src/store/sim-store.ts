import type { Failure, StoreSnapshot } from '@matriarch/core';
import type { Kernel } from '../kernel/kernel.ts';
import type { SimProcess } from '../kernel/sim-process.ts';
import type { SimNetwork } from '../network/sim-network.ts';
import type { Random } from '../random.ts';
import { type ClusterDocument, assembleSnapshot } from './cluster-documents.ts';
import { KeyValueCore, type StoredEntry } from './key-value-core.ts';

/** The store's name as an end of the network. */
export const STORE = 'store';

/** A watch that broke is tried again after this time. */
const WATCH_RETRY_MS = 1_000;

export type StoreReply<T> = { readonly kind: 'done'; readonly value: T } | Failure;

export interface StoreCaller {
  readonly process: SimProcess;
  readonly limitMs: number;
}

export interface StoreRequest<T> {
  /** Whether a call without an answer may have changed something. */
  readonly mutates: boolean;
  readonly apply: () => StoreReply<T>;
}

/** What is wrong with the store right now. */
export interface StoreFaults {
  /** `refused`: it answers at once that it cannot. `silent`: it does not answer at all. */
  outage: 'none' | 'refused' | 'silent';
  slowMs: number;
  /** Share of calls that fail without effect. */
  failRate: number;
  /** Share of calls whose answer is lost; half of them have had their effect. */
  unknownRate: number;
  watchDelayMs: number;
  watchIsDeaf: boolean;
}

interface Watch {
  readonly process: SimProcess;
  readonly onChange: () => void;
  /** An event is on its way; further changes are part of it. */
  pending: boolean;
}

/** The store as members reach it: over the network, with time limits, and with its faults. */
export class SimStore {
  readonly documents: KeyValueCore<ClusterDocument>;
  readonly faults: StoreFaults = {
    outage: 'none',
    slowMs: 0,
    failRate: 0,
    unknownRate: 0,
    watchDelayMs: 0,
    watchIsDeaf: false,
  };
  /** Leases that were revoked wrongly and whose renewals are answered as if they were alive. */
  readonly #undead = new Set<string>();
  readonly #wronglyRevoked = new Set<string>();
  readonly #kernel: Kernel;
  readonly #network: SimNetwork;
  readonly #random: Random;
  #watches: Watch[] = [];
  #snapshot: StoreSnapshot | undefined;
  #expiryTimerAt = Number.POSITIVE_INFINITY;
  onLeaderChange: (entry: StoredEntry<ClusterDocument> | undefined) => void = () => undefined;

  constructor(kernel: Kernel, network: SimNetwork, random: Random) {
    this.#kernel = kernel;
    this.#network = network;
    this.#random = random;
    this.documents = new KeyValueCore(() => kernel.now);
    this.documents.onChange = (keys) => this.#changed(keys);
  }

  snapshot(): StoreSnapshot {
    this.#snapshot ??= assembleSnapshot(this.documents);
    return this.#snapshot;
  }

  grantLease(ttlMs: number): { readonly leaseId: string; readonly ttlMs: number } {
    const lease = this.documents.grantLease(ttlMs);
    this.#watchExpiry();
    return { leaseId: lease.id, ttlMs: lease.ttlMs };
  }

  /** The ttl, or 0 when the store does not know the lease. Old releases know some for too long. */
  keepAlive(leaseId: string): { readonly ttlMs: number } {
    const lease = this.documents.keepAlive(leaseId);
    if (lease !== undefined) return { ttlMs: lease.ttlMs };
    if (!this.#undead.has(leaseId)) return { ttlMs: 0 };
    return { ttlMs: this.documents.everyLease(leaseId)?.ttlMs ?? 0 };
  }

  /** A lease ends although it was renewed in time. With `lies`, renewals go on being answered. */
  revokeWrongly(leaseId: string, lies: boolean): void {
    if (lies) this.#undead.add(leaseId);
    this.#wronglyRevoked.add(leaseId);
    this.documents.revokeLease(leaseId);
  }

  wasWronglyRevoked(leaseId: string): boolean {
    return this.#wronglyRevoked.has(leaseId);
  }

  /** As after a change of leader inside the store: every lease lives longer than was promised. */
  stretchLeases(extraMs: number): void {
    for (const lease of this.documents.leases()) lease.expiresAt += extraMs;
  }

  watch(process: SimProcess, onChange: () => void): void {
    this.#watches = this.#watches.filter((watch) => watch.process.isAlive);
    this.#watches.push({ process, onChange, pending: false });
  }

  /** One call with everything that can happen to it; `answer` is called exactly once, or never
   * when the calling process has ended. */
  call<T>(
    caller: StoreCaller,
    request: StoreRequest<T>,
    answer: (reply: StoreReply<T>) => void,
  ): void {
    new Call({
      caller,
      request,
      answer,
      world: {
        kernel: this.#kernel,
        network: this.#network,
        random: this.#random,
        faults: this.faults,
      },
    }).send();
  }

  #changed(keys: readonly string[]): void {
    this.#snapshot = undefined;
    for (const watch of this.#watches) this.#notify(watch);
    this.#watchExpiry();
    if (keys.includes('leader')) this.onLeaderChange(this.documents.get('leader'));
  }

  #notify(watch: Watch): void {
    if (watch.pending || !watch.process.isAlive) return;
    watch.pending = true;
    this.#sendEvent(watch);
  }

  #sendEvent(watch: Watch): void {
    const retry = (): void => this.#kernel.after(WATCH_RETRY_MS, () => this.#sendEvent(watch));
    if (!watch.process.isAlive) return;
    if (this.faults.watchIsDeaf || this.faults.outage !== 'none') return retry();
    const to = watch.process.machine.name;
    const deliver = (): void => {
      watch.pending = false;
      watch.process.deliver(watch.onChange);
    };
    const send = (): void => {
      this.#network.send({ from: STORE, to }, deliver, retry);
    };
    if (this.faults.watchDelayMs === 0) return send();
    this.#kernel.after(this.faults.watchDelayMs, send);
  }

  #watchExpiry(): void {
    const next = this.documents.nextExpiry();
    if (next === undefined || next >= this.#expiryTimerAt) return;
    this.#expiryTimerAt = next;
    this.#kernel.at(next, () => {
      if (this.#kernel.now < this.#expiryTimerAt) return;
      this.#expiryTimerAt = Number.POSITIVE_INFINITY;
      this.documents.expireLeases();
      this.#watchExpiry();
    });
  }
}

interface CallWorld {
  readonly kernel: Kernel;
  readonly network: SimNetwork;
  readonly random: Random;
  readonly faults: StoreFaults;
}

interface CallParts<T> {
  readonly caller: StoreCaller;
  readonly request: StoreRequest<T>;
  readonly answer: (reply: StoreReply<T>) => void;
  readonly world: CallWorld;
}

/** One call on its way there and back. */
class Call<T> {
  readonly #caller: StoreCaller;
  readonly #request: StoreRequest<T>;
  readonly #answer: (reply: StoreReply<T>) => void;
  readonly #world: CallWorld;
  readonly #endsAt: number;
  #isOver = false;

  constructor({ caller, request, answer, world }: CallParts<T>) {
    this.#caller = caller;
    this.#request = request;
    this.#answer = answer;
    this.#world = world;
    this.#endsAt = world.kernel.now + caller.limitMs;
  }

  send(): void {
    const host = this.#caller.process.machine.name;
    const lost = (): void => this.#giveUp();
    const arrivesAt = this.#world.network.send(
      { from: host, to: STORE },
      () => this.#serve(),
      lost,
    );
    if (arrivesAt > this.#endsAt) this.#giveUp();
  }

  #serve(): void {
    const { kernel, random, faults } = this.#world;
    if (faults.outage === 'silent') return this.#giveUp();
    if (faults.outage === 'refused')
      return this.#reply({ kind: 'failed', cause: 'the store refuses: it has no leader' });
    if (random.chance(faults.failRate))
      return this.#reply({ kind: 'failed', cause: 'the store failed before it began' });
    const isLost = random.chance(faults.unknownRate);
    const hasEffect = !isLost || random.chance(0.5);
    const workMs = random.between(0.3, 1.2) + random.tail(0.5, 20) + random.next() * faults.slowMs;
    if (isLost || kernel.now + workMs > this.#endsAt) this.#giveUp();
    kernel.after(workMs, () => {
      if (!hasEffect) return;
      const reply = this.#request.apply();
      if (!isLost) this.#reply(reply);
    });
  }

  #reply(reply: StoreReply<T>): void {
    const host = this.#caller.process.machine.name;
    const lost = (): void => this.#giveUp();
    const arrivesAt = this.#world.network.send(
      { from: STORE, to: host },
      () => this.#finish(reply),
      lost,
    );
    if (arrivesAt > this.#endsAt) this.#giveUp();
  }

  /** From now on the caller will only learn that its time is over. */
  #giveUp(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    const kind = this.#request.mutates ? 'unknown' : 'failed';
    const cause = 'the store did not answer in time';
    this.#world.kernel.at(this.#endsAt, () =>
      this.#caller.process.deliver(() => this.#answer({ kind, cause })),
    );
  }

  #finish(reply: StoreReply<T>): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#caller.process.deliver(() => this.#answer(reply));
  }
}
