import type { Failure, Results } from '../../model/action.ts';
import { type Instant, after } from '../../model/instant.ts';
import type { MemberName } from '../../model/member.ts';
import type {
  DocumentKey,
  LeaseId,
  LeaseTerm,
  Revision,
  StoreDocuments,
  StoreSnapshot,
  StoreTransaction,
  StoreWrite,
  Versioned,
} from '../../model/store.ts';
import { deepFreeze } from '../deep-freeze.ts';

type Transacted = ({ readonly kind: 'done' } & Results['transact']) | Failure;

/** A store that is told the time: leases end when they should, transactions are all or nothing. */
export class MakeBelieveStore {
  #snapshot: StoreSnapshot = deepFreeze({ revision: 1 as Revision, members: {} });
  readonly #leases = new Map<LeaseId, { ttlMs: number; endsAt: Instant }>();
  #leasesGranted = 0;

  get snapshot(): StoreSnapshot {
    return this.#snapshot;
  }

  isAlive(leaseId: LeaseId | undefined): boolean {
    return leaseId !== undefined && this.#leases.has(leaseId);
  }

  get leader(): MemberName | undefined {
    return this.#snapshot.leader?.value;
  }

  get term(): LeaseTerm | undefined {
    return this.#snapshot.leader?.modRevision as number | undefined as LeaseTerm | undefined;
  }

  /** The leader key is this member's and hangs on a lease that lives. */
  isHeldBy(member: MemberName): boolean {
    return this.leader === member && this.isAlive(this.#snapshot.leader?.leaseId);
  }

  /** When the next lease ends that nobody renews. */
  get nextEnd(): Instant | undefined {
    const ends = [...this.#leases.values()].map(({ endsAt }) => endsAt);
    return ends.length === 0 ? undefined : (Math.min(...ends) as Instant);
  }

  grant(ttlMs: number, now: Instant): LeaseId {
    this.#leasesGranted += 1;
    const id = String(1_000 + this.#leasesGranted) as LeaseId;
    this.#leases.set(id, { ttlMs, endsAt: after(now, ttlMs) });
    return id;
  }

  /** The time the lease has again; 0 when it has ended. */
  keepAlive(id: LeaseId, now: Instant): number {
    const lease = this.#leases.get(id);
    if (lease === undefined) return 0;
    lease.endsAt = after(now, lease.ttlMs);
    return lease.ttlMs;
  }

  /** Ends leases whose time is over, and removes what hung on them; tells whether there were any. */
  endLeases(now: Instant): boolean {
    const before = this.#leases.size;
    for (const [id, { endsAt }] of this.#leases) if (endsAt <= now) this.#leases.delete(id);
    if (this.#leases.size === before) return false;
    const isGone = (value: Versioned<unknown> | undefined): boolean =>
      value?.leaseId !== undefined && !this.#leases.has(value.leaseId);
    const { members, revision, ...documents } = this.#snapshot;
    const kept = Object.entries(documents).filter(([, document]) => !isGone(document));
    const present = Object.entries(members).filter(([, member]) => !isGone(member));
    this.#snapshot = deepFreeze({
      ...Object.fromEntries(kept),
      members: Object.fromEntries(present),
      revision: (revision + 1) as Revision,
    });
    return true;
  }

  transact({ compares, writes }: StoreTransaction): Transacted {
    const snapshot = this.#snapshot;
    const holds = compares.every(
      ({ key, modRevision }) => (snapshot[key]?.modRevision ?? 0) === modRevision,
    );
    const leases = writes.flatMap((write) => ('leaseId' in write ? [write.leaseId] : []));
    if (holds && leases.some((id) => id !== undefined && !this.isAlive(id)))
      return { kind: 'failed', cause: 'lease-not-found' };
    if (holds) this.#write(writes);
    return {
      kind: 'done',
      applied: holds,
      revision: this.#snapshot.revision,
      snapshot: this.#snapshot,
    };
  }

  put<K extends DocumentKey>(key: K, put: StoreDocuments[K], leaseId?: LeaseId): void {
    this.#write([{ key, put, leaseId } as StoreWrite]);
  }

  remove(key: DocumentKey): void {
    this.#write([{ key, remove: true }]);
  }

  #write(writes: readonly StoreWrite[]): void {
    const revision = (this.#snapshot.revision + 1) as Revision;
    const next: Record<string, unknown> = { ...this.#snapshot, revision };
    const members: Record<string, unknown> = { ...this.#snapshot.members };
    for (const write of writes) {
      if ('member' in write) members[write.member] = versionOf(write, members[write.member]);
      else if ('remove' in write) delete next[write.key];
      else next[write.key] = versionOf(write, next[write.key]);
    }
    this.#snapshot = deepFreeze({ ...next, members } as StoreSnapshot);

    function versionOf(
      { put, leaseId }: { readonly put: unknown; readonly leaseId?: LeaseId | undefined },
      before: unknown,
    ): Versioned<unknown> {
      const earlier = before as Versioned<unknown> | undefined;
      const createRevision = earlier?.createRevision ?? revision;
      return { value: put, createRevision, modRevision: revision, leaseId };
    }
  }
}
