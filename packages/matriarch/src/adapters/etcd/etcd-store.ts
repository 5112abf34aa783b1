import type { DescMessage, MessageShape } from '@bufbuild/protobuf';
import type { KeyRange, KeyValueStore, StoreResult } from '../../agent/ports/key-value-store.ts';
import { LEASE_NOT_FOUND } from './attempt-failure.ts';
import { Authentication } from './authentication.ts';
import { type StoreCall, StoreCaller } from './call-store.ts';
import { EndpointRing } from './endpoint-ring.ts';
import type { EtcdLimits, EtcdLog, EtcdStoreOptions } from './etcd-options.ts';
import { KV, Lease } from './gen/etcd_pb.ts';
import { type EtcdMemberStatus, readMemberStatus } from './member-status.ts';
import {
  keyRangeOf,
  leaseIdOf,
  numberOf,
  rangeOf,
  transactionAnswerOf,
  transactionRequestOf,
} from './transaction.ts';
import { Watch } from './watch.ts';

type Transaction = Parameters<KeyValueStore['transact']>[0];

const mustBeLimits = ({ attemptLimitMs, budgetMs }: EtcdLimits): EtcdLimits => {
  if (!(attemptLimitMs > 0 && budgetMs > 0)) {
    throw new Error(`limits must be above 0 ms: attempt ${attemptLimitMs}, budget ${budgetMs}`);
  }
  return { attemptLimitMs, budgetMs };
};

const silent: EtcdLog = () => {};

/** The store on etcd 3.4 and later, by gRPC. Which call may be sent twice: see `call-store.ts`. */
export class EtcdStore implements KeyValueStore {
  readonly #ring: EndpointRing;
  readonly #authentication: Authentication;
  readonly #caller: StoreCaller;
  readonly #log: EtcdLog;
  readonly #watches = new Set<Watch>();
  #limits: EtcdLimits;

  constructor({ endpoints, tls, username, password, log = silent, ...limits }: EtcdStoreOptions) {
    this.#limits = mustBeLimits(limits);
    this.#log = log;
    this.#ring = new EndpointRing(endpoints, tls);
    this.#authentication = new Authentication({ username, password, log });
    const way = { ring: this.#ring, authentication: this.#authentication };
    this.#caller = new StoreCaller(way, this.#limits, log);
  }

  /** Holds for calls that begin from now on. */
  setLimits(limits: EtcdLimits): void {
    this.#limits = mustBeLimits(limits);
    this.#caller.setLimits(this.#limits);
  }

  async grantLease(
    ttlSeconds: number,
  ): Promise<StoreResult<{ leaseId: string; ttlSeconds: number }>> {
    const request = { ttlSeconds: BigInt(ttlSeconds) };
    return this.#call(
      { method: Lease.method.leaseGrant, request, repetition: 'repeatable' },
      (answer) => ({
        leaseId: answer.leaseId.toString(),
        ttlSeconds: numberOf(answer.ttlSeconds),
      }),
    );
  }

  async keepAlive(leaseId: string): Promise<StoreResult<{ ttlSeconds: number }>> {
    const request = { leaseId: leaseIdOf(leaseId) };
    return this.#call(
      { method: Lease.method.leaseKeepAlive, request, repetition: 'repeatable' },
      (answer) => ({ ttlSeconds: numberOf(answer.ttlSeconds) }),
    );
  }

  /** A lease that the store does not know counts as revoked. */
  async revokeLease(leaseId: string): Promise<StoreResult<Record<never, never>>> {
    const request = { leaseId: leaseIdOf(leaseId) };
    const result = await this.#call(
      { method: Lease.method.leaseRevoke, request, repetition: 'repeatable' },
      () => ({}),
    );
    if (result.kind !== 'done' && result.cause === LEASE_NOT_FOUND) return { kind: 'done' };
    return result;
  }

  async readPrefix(prefix: string): Promise<StoreResult<KeyRange>> {
    const request = rangeOf(prefix);
    return this.#call({ method: KV.method.range, request, repetition: 'look' }, keyRangeOf);
  }

  async transact(
    transaction: Transaction,
  ): Promise<StoreResult<{ applied: boolean; range: KeyRange }>> {
    const request = transactionRequestOf(transaction);
    const repetition = transaction.writes.length === 0 ? 'look' : 'once';
    return this.#call({ method: KV.method.txn, request, repetition }, transactionAnswerOf);
  }

  watchPrefix(prefix: string, onChange: () => void): { close(): void } {
    const watch = new Watch({
      ring: this.#ring,
      authentication: this.#authentication,
      log: this.#log,
      prefix,
      onChange,
    });
    this.#watches.add(watch);
    return {
      close: () => {
        this.#watches.delete(watch);
        watch.close();
      },
    };
  }

  /** Asks every configured endpoint once, all at the same time. */
  async readStatus(): Promise<readonly EtcdMemberStatus[]> {
    const { attemptLimitMs, budgetMs } = this.#limits;
    const limitMs = Math.min(attemptLimitMs, budgetMs);
    return Promise.all(
      this.#ring.channels.map(async (channel) => readMemberStatus(channel, limitMs)),
    );
  }

  /** Calls under way end at once, as failed or unknown. */
  async close(): Promise<void> {
    for (const watch of this.#watches) watch.close();
    this.#watches.clear();
    this.#caller.close();
    this.#ring.close();
  }

  async #call<I extends DescMessage, O extends DescMessage, T extends object>(
    call: StoreCall<I, O>,
    read: (answer: MessageShape<O>) => T,
  ): Promise<StoreResult<T>> {
    const outcome = await this.#caller.call(call);
    if (outcome.kind !== 'done') return outcome;
    try {
      return { kind: 'done', ...read(outcome.message) };
    } catch (error) {
      // The store did act; what it answered is beyond us.
      return { kind: call.repetition === 'look' ? 'failed' : 'unknown', cause: String(error) };
    }
  }
}

export const createEtcdStore = (options: EtcdStoreOptions): EtcdStore => new EtcdStore(options);
