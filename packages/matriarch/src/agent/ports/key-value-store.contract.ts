/**
 * What every `KeyValueStore` must do, shown on a store that the caller brings: the real etcd, the
 * simulated store. Each test works under a prefix of its own, so they may share one store.
 */
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import type { KeyRange, KeyValueStore, StoreResult } from './key-value-store.ts';

/** A store to be tested, with its time. */
export interface KeyValueStoreBench {
  /** A client of its own; the suite closes it. */
  connect(): KeyValueStore | Promise<KeyValueStore>;
  /** A lease of this ttl is granted as asked, and is short enough to wait for its end. */
  readonly shortTtlSeconds: number;
  /** Lets the store's time go on by about so much. */
  pass(ms: number): Promise<void>;
  close(): Promise<void>;
}

const LOOK_INTERVAL_MS = 20;
/** Generous: an expiry may be late, and the machine busy. Counted in the store's time. */
const WAIT_LIMIT_MS = 20_000;
const TEST_LIMIT_MS = 30_000;
const RACERS = 20;
const QUIET_LOOKS = 5;

type Done<T> = Extract<StoreResult<T>, { kind: 'done' }>;

const mustBeDone = <T>(result: StoreResult<T>): Done<T> => {
  if (result.kind !== 'done') throw new Error(`${result.kind}: ${result.cause}`);
  return result;
};

const rangeIn = ({ revision, entries }: KeyRange): KeyRange => ({ revision, entries });

const valuesIn = ({ entries }: KeyRange): Record<string, string> =>
  Object.fromEntries(entries.map(({ key, value }) => [key, value]));

let prefixes = 0;

/** One test's own corner of the store. */
const openCorner = async (bench: KeyValueStoreBench) => {
  prefixes += 1;
  const prefix = `/contract/${prefixes}/`;
  const store = await bench.connect();
  onTestFinished(async () => store.close());
  const key = (name: string): string => `${prefix}${name}`;
  return {
    prefix,
    store,
    key,
    read: async (): Promise<KeyRange> => rangeIn(mustBeDone(await store.readPrefix(prefix))),
    grant: async (ttlSeconds: number): Promise<string> =>
      mustBeDone(await store.grantLease(ttlSeconds)).leaseId,
    put: async (name: string, value: string, leaseId?: string): Promise<KeyRange> => {
      const writes = [{ key: key(name), put: value, leaseId }];
      return mustBeDone(await store.transact({ compares: [], writes, prefix })).range;
    },
    remove: async (name: string): Promise<KeyRange> => {
      const writes = [{ key: key(name), remove: true } as const];
      return mustBeDone(await store.transact({ compares: [], writes, prefix })).range;
    },
    until: async (what: string, isSo: () => boolean | Promise<boolean>): Promise<void> => {
      for (let waitedMs = 0; !(await isSo()); waitedMs += LOOK_INTERVAL_MS) {
        if (waitedMs > WAIT_LIMIT_MS) throw new Error(`not within ${WAIT_LIMIT_MS} ms: ${what}`);
        await bench.pass(LOOK_INTERVAL_MS);
      }
    },
  };
};

type Corner = Awaited<ReturnType<typeof openCorner>>;

/** Watches the corner and tells when a change that comes now has been noticed. */
const openWatch = async (corner: Corner) => {
  let wakes = 0;
  const watch = corner.store.watchPrefix(corner.prefix, () => {
    wakes += 1;
  });
  onTestFinished(() => watch.close());
  // A watch may need a moment until it stands: from the first wake on, it does.
  let tries = 0;
  await corner.until('the watch stands', async () => {
    tries += 1;
    await corner.put('nudge', String(tries));
    return wakes > 0;
  });
  return {
    close: () => watch.close(),
    wakes: () => wakes,
    /** Resolves when the watch has woken its owner after `change`. */
    mustWakeAfter: async (change: () => Promise<unknown>): Promise<void> => {
      let before = wakes;
      let quietLooks = 0;
      // Wakes for earlier changes may still be on their way.
      await corner.until('the watch is quiet', () => {
        quietLooks = wakes === before ? quietLooks + 1 : 0;
        before = wakes;
        return quietLooks >= QUIET_LOOKS;
      });
      await change();
      await corner.until('the watch wakes', () => wakes > before);
    },
  };
};

export const describeKeyValueStore = (
  name: string,
  start: () => KeyValueStoreBench | Promise<KeyValueStoreBench>,
): void => {
  describe(`${name} as a key-value store`, { timeout: TEST_LIMIT_MS }, () => {
    let bench: KeyValueStoreBench;
    beforeAll(async () => {
      bench = await start();
    }, TEST_LIMIT_MS);
    afterAll(async () => bench?.close(), TEST_LIMIT_MS);

    describe('keys', () => {
      it('reads nothing where nothing was written', async () => {
        const corner = await openCorner(bench);
        expect((await corner.read()).entries).toEqual([]);
      });

      it('reads what was just written, also through another client', async () => {
        const corner = await openCorner(bench);
        const other = await bench.connect();
        onTestFinished(async () => other.close());
        for (let round = 1; round <= 5; round += 1) {
          await corner.put('a', `value ${round}`);
          const seen = mustBeDone(await other.readPrefix(corner.prefix));
          expect(valuesIn(seen)).toEqual({ [corner.key('a')]: `value ${round}` });
        }
      });

      it('keeps values as they are: empty, long, and beyond ASCII', async () => {
        const corner = await openCorner(bench);
        const values = { empty: '', long: 'x'.repeat(100_000), umlaut: '{"grüße":"日本 🐘"}' };
        for (const [key, value] of Object.entries(values)) await corner.put(key, value);
        const expected = Object.entries(values).map(([key, value]) => [corner.key(key), value]);
        expect(valuesIn(await corner.read())).toEqual(Object.fromEntries(expected));
      });

      it('shows only keys under the prefix, not those that begin alike', async () => {
        const corner = await openCorner(bench);
        await corner.put('demo/leader', 'one');
        await corner.put('demo2/leader', 'two');
        const seen = mustBeDone(await corner.store.readPrefix(corner.key('demo/')));
        expect(valuesIn(seen)).toEqual({ [corner.key('demo/leader')]: 'one' });
      });

      it('tells the revisions of creation and of the last change', async () => {
        const corner = await openCorner(bench);
        const created = (await corner.put('a', '1')).entries[0];
        const changed = (await corner.put('a', '2')).entries[0];
        await corner.remove('a');
        const again = (await corner.put('a', '3')).entries[0];
        expect(created?.modRevision).toBe(created?.createRevision);
        expect(changed?.createRevision).toBe(created?.createRevision);
        expect(changed?.modRevision).toBeGreaterThan(created?.modRevision ?? Infinity);
        expect(again?.createRevision).toBe(again?.modRevision);
        expect(again?.createRevision).toBeGreaterThan(changed?.modRevision ?? Infinity);
      });

      it('has revisions that grow with every change and belong to it', async () => {
        const corner = await openCorner(bench);
        let last = 0;
        for (const change of [
          () => corner.put('a', '1'),
          () => corner.put('a', '1'),
          () => corner.remove('a'),
        ]) {
          const range = await change();
          expect(range.revision).toBeGreaterThan(last);
          for (const entry of range.entries) expect(entry.modRevision).toBe(range.revision);
          expect((await corner.read()).revision).toBeGreaterThanOrEqual(range.revision);
          last = range.revision;
        }
      });
    });

    describe('transactions', () => {
      it('carries out all writes when all conditions hold, and shows the keys after them', async () => {
        const corner = await openCorner(bench);
        const { entries } = await corner.put('a', '1');
        await corner.put('gone', '1');
        const { applied, range } = mustBeDone(
          await corner.store.transact({
            compares: [
              { key: corner.key('a'), modRevision: entries[0]?.modRevision ?? -1 },
              { key: corner.key('absent'), modRevision: 0 },
            ],
            writes: [
              { key: corner.key('a'), put: '2' },
              { key: corner.key('b'), put: '3' },
              { key: corner.key('gone'), remove: true },
              { key: corner.key('never-was'), remove: true },
            ],
            prefix: corner.prefix,
          }),
        );
        expect(applied).toBe(true);
        expect(valuesIn(range)).toEqual({ [corner.key('a')]: '2', [corner.key('b')]: '3' });
        expect(await corner.read()).toEqual(range);
      });

      it('carries out nothing when one condition fails, and shows the keys as they are', async () => {
        const corner = await openCorner(bench);
        const stale = (await corner.put('a', '1')).entries[0];
        await corner.put('a', '2');
        const before = await corner.read();
        const { applied, range } = mustBeDone(
          await corner.store.transact({
            compares: [
              { key: corner.key('absent'), modRevision: 0 },
              { key: corner.key('a'), modRevision: stale?.modRevision ?? -1 },
            ],
            writes: [{ key: corner.key('b'), put: '3' }],
            prefix: corner.prefix,
          }),
        );
        expect(applied).toBe(false);
        expect(range).toEqual(before);
        expect(await corner.read()).toEqual(before);
      });

      it('holds "absent" against a key that exists', async () => {
        const corner = await openCorner(bench);
        await corner.put('a', '1');
        const compares = [{ key: corner.key('a'), modRevision: 0 }];
        const writes = [{ key: corner.key('a'), put: '2' }];
        const result = await corner.store.transact({ compares, writes, prefix: corner.prefix });
        expect(mustBeDone(result).applied).toBe(false);
      });

      it('holds a removed key for absent, also against its last revision', async () => {
        const corner = await openCorner(bench);
        const last = (await corner.put('a', '1')).entries[0]?.modRevision ?? -1;
        await corner.remove('a');
        const attempt = async (modRevision: number): Promise<boolean> => {
          const compares = [{ key: corner.key('a'), modRevision }];
          const writes = [{ key: corner.key('a'), put: '2' }];
          const result = await corner.store.transact({ compares, writes, prefix: corner.prefix });
          return mustBeDone(result).applied;
        };
        expect(await attempt(last)).toBe(false);
        expect(await attempt(0)).toBe(true);
      });

      it('judges conditions without writes, and changes nothing', async () => {
        const corner = await openCorner(bench);
        const before = await corner.put('a', '1');
        const modRevision = before.entries[0]?.modRevision ?? -1;
        const judge = async (expected: number) =>
          mustBeDone(
            await corner.store.transact({
              compares: [{ key: corner.key('a'), modRevision: expected }],
              writes: [],
              prefix: corner.prefix,
            }),
          );
        expect(await judge(modRevision)).toMatchObject({ applied: true, range: before });
        expect(await judge(modRevision + 1)).toMatchObject({ applied: false, range: before });
      });

      it('lets exactly one of many create a key that is absent', async () => {
        const corner = await openCorner(bench);
        const clients = await Promise.all(
          Array.from({ length: RACERS }, async () => bench.connect()),
        );
        onTestFinished(async () => {
          await Promise.all(clients.map(async (client) => client.close()));
        });
        const results = await Promise.all(
          clients.map(async (client, index) =>
            client.transact({
              compares: [{ key: corner.key('leader'), modRevision: 0 }],
              writes: [{ key: corner.key('leader'), put: `racer ${index}` }],
              prefix: corner.prefix,
            }),
          ),
        );
        const winners = results.flatMap((result, index) =>
          mustBeDone(result).applied ? [`racer ${index}`] : [],
        );
        expect(winners).toHaveLength(1);
        expect(valuesIn(await corner.read())).toEqual({ [corner.key('leader')]: winners[0] });
        for (const result of results) {
          expect(valuesIn(mustBeDone(result).range)).toEqual({
            [corner.key('leader')]: winners[0],
          });
        }
      });

      it('lets exactly one of many replace the revision that all have seen', async () => {
        const corner = await openCorner(bench);
        const seen = (await corner.put('status', '0')).entries[0]?.modRevision ?? -1;
        const results = await Promise.all(
          Array.from({ length: RACERS }, async (_, index) => {
            const compares = [{ key: corner.key('status'), modRevision: seen }];
            const writes = [{ key: corner.key('status'), put: String(index) }];
            return corner.store.transact({ compares, writes, prefix: corner.prefix });
          }),
        );
        expect(results.filter((result) => mustBeDone(result).applied)).toHaveLength(1);
      });
    });

    describe('leases', () => {
      it('grants at least the ttl that was asked for, under a new decimal id each time', async () => {
        const { store } = await openCorner(bench);
        const one = mustBeDone(await store.grantLease(30));
        const two = mustBeDone(await store.grantLease(30));
        expect(one.ttlSeconds).toBe(30);
        expect(one.leaseId).toMatch(/^[1-9]\d*$/u);
        expect(two.leaseId).not.toBe(one.leaseId);
        expect(mustBeDone(await store.grantLease(1)).ttlSeconds).toBeGreaterThanOrEqual(1);
      });

      it('shows the lease of a key, and none where there is none', async () => {
        const corner = await openCorner(bench);
        const leaseId = await corner.grant(30);
        await corner.put('a', '1', leaseId);
        await corner.put('b', '1');
        const leases = (await corner.read()).entries.map((entry) => entry.leaseId);
        expect(leases).toEqual([leaseId, undefined]);
      });

      it('removes the keys of a lease that was not kept alive, and only those', async () => {
        const corner = await openCorner(bench);
        await corner.put('stays', '1');
        await corner.put('moved', '1', await corner.grant(bench.shortTtlSeconds));
        await corner.put('moved', '2');
        await corner.put('expires', '1', await corner.grant(bench.shortTtlSeconds));
        await corner.until('the lease has expired', async () => {
          const { entries } = await corner.read();
          return entries.every(({ key }) => key !== corner.key('expires'));
        });
        expect(Object.keys(valuesIn(await corner.read())).sort()).toEqual([
          corner.key('moved'),
          corner.key('stays'),
        ]);
      });

      it('keeps a key as long as its lease is kept alive', async () => {
        const corner = await openCorner(bench);
        const control = await corner.grant(bench.shortTtlSeconds);
        const kept = await corner.grant(bench.shortTtlSeconds);
        await corner.put('control', '1', control);
        await corner.put('kept', '1', kept);
        await corner.until('the other lease has expired', async () => {
          const { ttlSeconds } = mustBeDone(await corner.store.keepAlive(kept));
          expect(ttlSeconds).toBe(bench.shortTtlSeconds);
          return (await corner.read()).entries.length < 2;
        });
        expect(valuesIn(await corner.read())).toEqual({ [corner.key('kept')]: '1' });
      });

      it('says ttl 0 for a lease that has expired, was revoked, or never was', async () => {
        const corner = await openCorner(bench);
        const ttlOf = async (leaseId: string): Promise<number> =>
          mustBeDone(await corner.store.keepAlive(leaseId)).ttlSeconds;
        const expired = await corner.grant(bench.shortTtlSeconds);
        const revoked = await corner.grant(30);
        await corner.put('sign', '1', expired);
        mustBeDone(await corner.store.revokeLease(revoked));
        await corner.until('the lease has expired', async () => {
          return (await corner.read()).entries.length === 0;
        });
        expect(await ttlOf(expired)).toBe(0);
        expect(await ttlOf(revoked)).toBe(0);
        expect(await ttlOf('4711')).toBe(0);
      });

      it('removes the keys of a revoked lease at once', async () => {
        const corner = await openCorner(bench);
        const leaseId = await corner.grant(30);
        await corner.put('a', '1', leaseId);
        expect(await corner.store.revokeLease(leaseId)).toEqual({ kind: 'done' });
        expect((await corner.read()).entries).toEqual([]);
      });

      it('takes a lease that it does not know for revoked', async () => {
        const { store } = await openCorner(bench);
        expect(await store.revokeLease('4711')).toEqual({ kind: 'done' });
      });

      it('refuses a whole transaction that puts a key on a lease it does not know', async () => {
        const corner = await openCorner(bench);
        const revoked = await corner.grant(30);
        mustBeDone(await corner.store.revokeLease(revoked));
        for (const leaseId of [revoked, '4711']) {
          const result = await corner.store.transact({
            compares: [],
            writes: [
              { key: corner.key('a'), put: '1' },
              { key: corner.key('b'), put: '1', leaseId },
            ],
            prefix: corner.prefix,
          });
          expect(result).toEqual({ kind: 'failed', cause: 'lease-not-found' });
        }
        expect((await corner.read()).entries).toEqual([]);
      });

      it('does not mind an unknown lease when the conditions fail anyway', async () => {
        const corner = await openCorner(bench);
        const result = await corner.store.transact({
          compares: [{ key: corner.key('a'), modRevision: 1 }],
          writes: [{ key: corner.key('a'), put: '1', leaseId: '4711' }],
          prefix: corner.prefix,
        });
        expect(mustBeDone(result).applied).toBe(false);
      });
    });

    describe('watches', () => {
      it('wakes after a put, a change and a removal', async () => {
        const corner = await openCorner(bench);
        const watch = await openWatch(corner);
        await watch.mustWakeAfter(async () => corner.put('a', '1'));
        await watch.mustWakeAfter(async () => corner.put('a', '2'));
        await watch.mustWakeAfter(async () => corner.remove('a'));
      });

      it('wakes when a lease expires', async () => {
        const corner = await openCorner(bench);
        const watch = await openWatch(corner);
        await corner.put('a', '1', await corner.grant(bench.shortTtlSeconds));
        await watch.mustWakeAfter(async () => {
          await corner.until('the lease has expired', async () => {
            return !(corner.key('a') in valuesIn(await corner.read()));
          });
        });
      });

      it('shows the change to whoever reads after the wake', async () => {
        const corner = await openCorner(bench);
        const watch = await openWatch(corner);
        for (let round = 1; round <= 5; round += 1) {
          await watch.mustWakeAfter(async () => corner.put('a', String(round)));
          expect(valuesIn(await corner.read())).toMatchObject({ [corner.key('a')]: `${round}` });
        }
      });

      it('is silent about other prefixes and after it was closed', async () => {
        const corner = await openCorner(bench);
        const other = await openCorner(bench);
        const closed = await openWatch(corner);
        const open = await openWatch(corner);
        const foreign = await openWatch(other);
        await foreign.mustWakeAfter(async () => other.put('a', '0'));
        closed.close();
        const before = { closed: closed.wakes(), foreign: foreign.wakes() };
        // When the open watch has seen the change, the others would have, too.
        await open.mustWakeAfter(async () => corner.put('a', '1'));
        await open.mustWakeAfter(async () => corner.put('a', '2'));
        expect({ closed: closed.wakes(), foreign: foreign.wakes() }).toEqual(before);
      });
    });
  });
};
