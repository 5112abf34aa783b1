/**
 * The store as a member meets it: each call ends exactly once within its limit, with the truth or
 * with `unknown`, and the watch brings what happened, if late.
 */
import { describe, expect, it } from 'vitest';
import { Kernel } from '../kernel/kernel.ts';
import { Machine } from '../kernel/machine.ts';
import { SimNetwork } from '../network/sim-network.ts';
import { Random } from '../random.ts';
import { STORE, SimStore, type StoreReply } from './sim-store.ts';

const LIMIT_MS = 500;

const makeStore = (seed = 1) => {
  const kernel = new Kernel();
  const pace = { latencyMs: 1, jitterMs: 0.1 };
  const network = new SimNetwork(kernel, new Random(seed, 'network'), pace);
  const store = new SimStore(kernel, network, new Random(seed, 'store'));
  const machine = new Machine('anna', kernel, new Random(seed, 'anna'));
  const process = machine.spawn('loop');
  const replies: { readonly at: number; readonly reply: StoreReply<number> }[] = [];
  let applied = 0;
  const call = (mutates = true): void => {
    store.call<number>(
      { process, limitMs: LIMIT_MS },
      {
        mutates,
        apply: () => {
          applied += 1;
          return { kind: 'done', value: applied };
        },
      },
      (reply) => replies.push({ at: kernel.now, reply }),
    );
  };
  const countApplied = (): number => applied;
  return { kernel, network, store, process, replies, call, countApplied };
};

describe('a call', () => {
  it('is answered after a little while', () => {
    const { kernel, replies, call } = makeStore();
    call();
    kernel.runUntil(1_000);
    expect(replies).toMatchObject([{ reply: { kind: 'done', value: 1 } }]);
  });

  it('ends at its limit as unknown when it may have changed something, as failed when it only read', () => {
    const { kernel, store, replies, call } = makeStore();
    store.faults.outage = 'silent';
    call(true);
    call(false);
    kernel.runUntil(1_000);
    expect(replies.map(({ reply }) => reply.kind)).toEqual(['unknown', 'failed']);
    expect(replies.every(({ at }) => at === LIMIT_MS)).toBe(true);
  });

  it('fails at once, without effect, when the store refuses or fails', () => {
    const { kernel, store, replies, call, countApplied } = makeStore();
    store.faults.outage = 'refused';
    call();
    kernel.runUntil(100);
    store.faults.outage = 'none';
    store.faults.failRate = 1;
    call();
    kernel.runUntil(200);
    expect(replies.map(({ reply }) => reply.kind)).toEqual(['failed', 'failed']);
    expect(countApplied()).toBe(0);
  });

  it('has its effect in about half of the cases when its answer is lost', () => {
    const { kernel, store, replies, call, countApplied } = makeStore();
    store.faults.unknownRate = 1;
    for (let count = 0; count < 100; count += 1) call();
    kernel.runUntil(1_000);
    expect(replies).toHaveLength(100);
    expect(replies.every(({ reply }) => reply.kind === 'unknown')).toBe(true);
    expect(countApplied()).toBeGreaterThan(25);
    expect(countApplied()).toBeLessThan(75);
  });

  it('may have its effect after its caller was told that its time is over', () => {
    const { kernel, network, replies, call, countApplied } = makeStore();
    network.delay('anna', STORE, 700);
    call();
    kernel.runUntil(600);
    expect(replies).toMatchObject([{ at: LIMIT_MS, reply: { kind: 'unknown' } }]);
    expect(countApplied()).toBe(0);
    kernel.runUntil(1_000);
    expect(countApplied()).toBe(1);
    expect(replies).toHaveLength(1);
  });

  it('loses its answer when only the way back is cut', () => {
    const { kernel, network, replies, call, countApplied } = makeStore();
    network.cut(STORE, 'anna');
    call();
    kernel.runUntil(1_000);
    expect(replies).toMatchObject([{ reply: { kind: 'unknown' } }]);
    expect(countApplied()).toBe(1);
  });
});

describe('a lease', () => {
  it('is gone when it was revoked wrongly, and with a lying store renewals still succeed', () => {
    const { store } = makeStore();
    const honest = store.grantLease(5_000);
    const lied = store.grantLease(5_000);
    store.revokeWrongly(honest.leaseId, false);
    store.revokeWrongly(lied.leaseId, true);
    expect(store.keepAlive(honest.leaseId).ttlMs).toBe(0);
    expect(store.keepAlive(lied.leaseId).ttlMs).toBe(5_000);
    expect(store.documents.lease(lied.leaseId)).toBeUndefined();
    expect(store.wasWronglyRevoked(lied.leaseId)).toBe(true);
  });

  it('lives longer than promised when it was stretched, and expires by itself', () => {
    const { kernel, store } = makeStore();
    const { leaseId } = store.grantLease(5_000);
    store.stretchLeases(2_000);
    kernel.runUntil(6_999);
    expect(store.documents.lease(leaseId)).toBeDefined();
    expect(store.documents.everyLease(leaseId)?.promisedUntil).toBe(5_000);
    kernel.runUntil(7_000);
    expect(store.documents.lease(leaseId)).toBeUndefined();
  });
});

describe('a watch', () => {
  it('wakes once for changes that come together, and again for later ones', () => {
    const { kernel, store, process } = makeStore();
    let woken = 0;
    store.watch(process, () => {
      woken += 1;
    });
    const write = (): void => {
      store.documents.transact([], [{ key: 'initialize', put: 'x' }]);
    };
    write();
    write();
    kernel.runUntil(100);
    expect(woken).toBe(1);
    write();
    kernel.runUntil(200);
    expect(woken).toBe(2);
  });

  it('catches up after it was deaf, or cut off', () => {
    const { kernel, network, store, process } = makeStore();
    let woken = 0;
    store.watch(process, () => {
      woken += 1;
    });
    network.cut(STORE, 'anna');
    store.documents.transact([], [{ key: 'initialize', put: 'x' }]);
    kernel.runUntil(10_000);
    expect(woken).toBe(0);
    network.mend(STORE, 'anna');
    kernel.runUntil(12_000);
    expect(woken).toBe(1);
  });
});
