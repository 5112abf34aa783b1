/**
 * The store on real etcd: the contract of every store on a single member; and on three members, or
 * behind a relay that loses answers, what is told of calls whose fate is unclear. Members are
 * frozen with SIGSTOP: they accept connections and answer nothing.
 */
import { readFileSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { describeKeyValueStore } from '../../agent/ports/key-value-store.contract.ts';
import type { KeyValue, StoreResult } from '../../agent/ports/key-value-store.ts';
import { type EtcdCluster, type EtcdMember, startEtcd, until } from '../../testing/etcd.ts';
import type { EtcdStoreOptions } from './etcd-options.ts';
import { type EtcdStore, createEtcdStore } from './etcd-store.ts';
import { SHORTEST_TTL_SECONDS } from './member-arguments.ts';
import { type Certificate, createAuthority, createCertificate } from './testing/certificates.ts';
import { type Relay, startRelay } from './testing/relay.ts';

const ATTEMPT_LIMIT_MS = 800;
const BUDGET_MS = 3_000;
/** What a busy machine may add to a time limit. */
const TOLERANCE_MS = 2_000;
const WAIT_LIMIT_MS = 20_000;
const TEST_LIMIT_MS = 40_000;

const PREFIX = '/service/demo/';

const openStore = (
  endpoints: readonly string[],
  options: Partial<EtcdStoreOptions> = {},
): EtcdStore => {
  const limits = { attemptLimitMs: ATTEMPT_LIMIT_MS, budgetMs: BUDGET_MS };
  const store = createEtcdStore({ ...limits, ...options, endpoints });
  onTestFinished(async () => store.close());
  return store;
};

const put = async (store: EtcdStore, name: string, value: string) =>
  store.transact({
    compares: [],
    writes: [{ key: `${PREFIX}${name}`, put: value }],
    prefix: PREFIX,
  });

/** For what a test needs before it begins. A busy disk may take longer than one attempt. */
const mustPut = async (store: EtcdStore, name: string, value: string): Promise<void> => {
  await until(`${name} written`, WAIT_LIMIT_MS, async () => {
    return (await put(store, name, value)).kind === 'done';
  });
};

const read = async (store: EtcdStore, name: string): Promise<KeyValue | undefined> => {
  const result = await store.readPrefix(PREFIX);
  if (result.kind !== 'done') throw new Error(`${result.kind}: ${result.cause}`);
  return result.entries.find(({ key }) => key === `${PREFIX}${name}`);
};

const causeOf = (result: StoreResult<object>): string =>
  result.kind === 'done' ? 'none' : result.cause;

const timed = async <T>(call: () => Promise<T>): Promise<{ result: T; tookMs: number }> => {
  const start = performance.now();
  const result = await call();
  return { result, tookMs: performance.now() - start };
};

const mustFreeze = async (member: EtcdMember): Promise<void> => {
  await member.freeze();
  onTestFinished(() => member.thaw());
};

/** One etcd for the tests of a `describe`. */
const useEtcd = (options: Parameters<typeof startEtcd>[0]): (() => EtcdCluster) => {
  let cluster: EtcdCluster | undefined;
  beforeAll(async () => {
    cluster = await startEtcd(options);
  }, TEST_LIMIT_MS);
  afterAll(async () => cluster?.stop(), TEST_LIMIT_MS);
  return () => {
    if (cluster === undefined) throw new Error('etcd was not started');
    return cluster;
  };
};

describeKeyValueStore('etcd', async () => {
  const cluster = await startEtcd();
  return {
    connect: () =>
      createEtcdStore({
        endpoints: cluster.endpoints,
        attemptLimitMs: 5_000,
        budgetMs: 10_000,
      }),
    shortTtlSeconds: SHORTEST_TTL_SECONDS,
    pass: async (ms) => pause(ms),
    close: async () => cluster.stop(),
  };
});

describe('etcd with three members', { timeout: TEST_LIMIT_MS }, () => {
  const etcd = useEtcd({ members: 3 });

  /** A follower first: the store begins with the first endpoint. */
  const followerFirst = async (): Promise<{ follower: EtcdMember; endpoints: string[] }> => {
    const leader = await etcd().leader();
    const [follower, ...others] = etcd().members.filter((member) => member !== leader);
    if (follower === undefined) throw new Error('there is no follower');
    return { follower, endpoints: [follower, ...others, leader].map(({ endpoint }) => endpoint) };
  };

  it('tells version, ids and leader of every member', async () => {
    const store = openStore(etcd().endpoints);
    const statuses = await store.readStatus();
    const answered = statuses.flatMap((status) => (status.kind === 'answered' ? [status] : []));
    expect(answered.map(({ endpoint }) => endpoint)).toEqual(etcd().endpoints);
    expect(answered.filter(({ isLeader }) => isLeader)).toHaveLength(1);
    expect(new Set(answered.map(({ memberId }) => memberId)).size).toBe(3);
    expect(new Set(answered.map(({ clusterId }) => clusterId)).size).toBe(1);
    expect(new Set(answered.map(({ leaderId }) => leaderId)).size).toBe(1);
    for (const status of answered) expect(status.version).toMatch(/^3\.\d+\.\d+/u);
  });

  it('leaves a frozen member within one attempt, and is fast from then on', async () => {
    const { follower, endpoints } = await followerFirst();
    const attemptLimitMs = 1_500;
    const store = openStore(endpoints, { attemptLimitMs });
    await mustPut(store, 'a', '1');
    await mustFreeze(follower);
    const first = await timed(async () => store.readPrefix(PREFIX));
    expect(first.result.kind).toBe('done');
    expect(first.tookMs).toBeGreaterThan(attemptLimitMs - 50);
    expect(first.tookMs).toBeLessThan(BUDGET_MS + TOLERANCE_MS);
    for (let round = 0; round < 10; round += 1) {
      const next = await timed(async () => store.readPrefix(PREFIX));
      expect(next.result.kind).toBe('done');
      expect(next.tookMs).toBeLessThan(attemptLimitMs - 50);
    }
  });

  it('keeps leases alive and grants them although a member is frozen', async () => {
    const { follower, endpoints } = await followerFirst();
    const granted = await openStore(endpoints).grantLease(30);
    if (granted.kind !== 'done') throw new Error(granted.cause);
    const [one, two] = [openStore(endpoints), openStore(endpoints)];
    await Promise.all([one.readPrefix(PREFIX), two.readPrefix(PREFIX)]);
    await mustFreeze(follower);
    expect(await one.keepAlive(granted.leaseId)).toEqual({ kind: 'done', ttlSeconds: 30 });
    expect(await two.grantLease(30)).toMatchObject({ kind: 'done', ttlSeconds: 30 });
  });

  it('does not know what became of a write that a frozen member was sent', async () => {
    const { follower, endpoints } = await followerFirst();
    const store = openStore(endpoints);
    await mustPut(store, 'frozen', '1');
    await mustFreeze(follower);
    const lost = await timed(async () => put(store, 'frozen', '2'));
    expect(lost.result.kind).toBe('unknown');
    expect(causeOf(lost.result)).toContain(`${follower.endpoint} did not answer within`);
    expect(lost.tookMs).toBeLessThan(BUDGET_MS + TOLERANCE_MS);
    // The next one goes to another member and is known to be done.
    expect((await put(store, 'frozen', '3')).kind).toBe('done');
  });

  it('writes elsewhere when a member was frozen before the connection stood', async () => {
    const { follower, endpoints } = await followerFirst();
    await mustFreeze(follower);
    const store = openStore(endpoints);
    expect((await put(store, 'unsent', '1')).kind).toBe('done');
    const entry = await read(store, 'unsent');
    expect(entry?.modRevision).toBe(entry?.createRevision);
  });

  it('sends nothing again to a member that was silent and is frozen still', async () => {
    const { follower, endpoints } = await followerFirst();
    const store = openStore(endpoints.slice(0, 1), { budgetMs: 1_500 });
    await mustPut(store, 'silent', '1');
    await mustFreeze(follower);
    expect((await put(store, 'silent', '2')).kind).toBe('unknown');
    // The new connection never stands, so this one is certainly not carried out.
    const { result, tookMs } = await timed(async () => put(store, 'silent', '3'));
    expect(result.kind).toBe('failed');
    expect(tookMs).toBeLessThan(BUDGET_MS + TOLERANCE_MS);
    follower.thaw();
    await until('the store works again', WAIT_LIMIT_MS, async () => {
      return (await put(store, 'silent', '4')).kind === 'done';
    });
  });

  it('takes new limits for the calls that follow', async () => {
    const { follower, endpoints } = await followerFirst();
    const store = openStore(endpoints.slice(0, 1), { attemptLimitMs: 5_000, budgetMs: 20_000 });
    await mustPut(store, 'limits', '1');
    await mustFreeze(follower);
    store.setLimits({ attemptLimitMs: 100, budgetMs: 200 });
    const { result, tookMs } = await timed(async () => store.readPrefix(PREFIX));
    expect(result.kind).toBe('failed');
    expect(tookMs).toBeLessThan(200 + TOLERANCE_MS);
  });

  it('watches on elsewhere when a member freezes, and loses no change', async () => {
    const { follower, endpoints } = await followerFirst();
    const watcher = openStore(endpoints);
    const writer = openStore(endpoints.slice(1));
    const seen = new Set<string>();
    const watch = watcher.watchPrefix(PREFIX, () => {
      // As the loop does: the wake says nothing, the read says all.
      read(writer, 'watched').then(
        (entry) => seen.add(entry?.value ?? 'absent'),
        () => {},
      );
    });
    onTestFinished(() => watch.close());
    const mustBeSeen = async (value: string): Promise<void> => {
      await mustPut(writer, 'watched', value);
      await until(`"${value}" seen`, WAIT_LIMIT_MS, () => seen.has(value));
    };
    await mustBeSeen('before');
    await mustFreeze(follower);
    await mustBeSeen('while frozen');
    await mustBeSeen('after the move');
    follower.thaw();
    await mustBeSeen('thawed');
  });

  it('has a leader again soon after it froze; until then every call ends in time', async () => {
    const leader = await etcd().leader();
    const others = etcd().members.filter((member) => member !== leader);
    const store = openStore([...others, leader].map(({ endpoint }) => endpoint));
    await mustPut(store, 'a', '1');
    await mustFreeze(leader);
    await until('a write is done', WAIT_LIMIT_MS, async () => {
      const { result, tookMs } = await timed(async () => put(store, 'a', '2'));
      expect(tookMs).toBeLessThan(BUDGET_MS + TOLERANCE_MS);
      return result.kind === 'done';
    });
    expect((await read(store, 'a'))?.value).toBe('2');
  });

  it('ends every call in its budget without a quorum, and wakes watches after', async () => {
    const store = openStore(etcd().endpoints, { attemptLimitMs: 300, budgetMs: 1_000 });
    const granted = await store.grantLease(60);
    if (granted.kind !== 'done') throw new Error(granted.cause);
    await mustPut(store, 'quorum', '1');
    let wakes = 0;
    const watch = store.watchPrefix(PREFIX, () => {
      wakes += 1;
    });
    onTestFinished(() => watch.close());
    await until('the watch stands', WAIT_LIMIT_MS, () => wakes > 0);
    const leader = await etcd().leader();
    const [other, survivor] = etcd().members.filter((member) => member !== leader);
    if (other === undefined || survivor === undefined) throw new Error('etcd has three members');
    const logged: string[] = [];
    const lone = openStore([survivor.endpoint], {
      log: (_level, message, { cause }) => logged.push(`${message}: ${String(cause)}`),
    });
    const loneWatch = lone.watchPrefix(PREFIX, () => {});
    onTestFinished(() => loneWatch.close());
    const frozen = [leader, other];
    for (const member of frozen) await mustFreeze(member);

    const calls: Record<string, () => Promise<StoreResult<object>>> = {
      read: async () => store.readPrefix(PREFIX),
      look: async () => store.transact({ compares: [], writes: [], prefix: PREFIX }),
      write: async () => put(store, 'quorum', '2'),
      'keep alive': async () => store.keepAlive(granted.leaseId),
      grant: async () => store.grantLease(60),
      revoke: async () => store.revokeLease(granted.leaseId),
    };
    for (const [name, call] of Object.entries(calls)) {
      const { result, tookMs } = await timed(call);
      const kinds = name === 'read' || name === 'look' ? ['failed'] : ['failed', 'unknown'];
      expect(kinds, `${name}: ${causeOf(result)}`).toContain(result.kind);
      expect(tookMs, name).toBeLessThan(1_000 + TOLERANCE_MS);
    }
    // A member that answers, but is cut off from the others, is no place to wait for changes.
    await until('a watch on the survivor ends', WAIT_LIMIT_MS, () =>
      logged.some((line) => /^store watch interrupted: .*no leader/u.test(line)),
    );
    expect(causeOf(await lone.readPrefix(PREFIX))).toContain('no leader');
    const before = wakes;
    for (const member of frozen) member.thaw();
    await until('the store works again', WAIT_LIMIT_MS, async () => {
      return (await put(store, 'quorum again', '1')).kind === 'done';
    });
    await until('the watch wakes', WAIT_LIMIT_MS, () => wakes > before);
    // Not asked: what became of "2". It may come even now, from a member that was frozen.
    expect((await read(store, 'quorum again'))?.value).toBe('1');
  });

  it('goes on when a member is killed, and takes it back when it is there again', async () => {
    const { follower, endpoints } = await followerFirst();
    const all = openStore(endpoints);
    const only = openStore(endpoints.slice(0, 1), { budgetMs: 500 });
    await Promise.all([mustPut(all, 'killed', '0'), mustPut(only, 'killed', '0')]);
    await follower.kill();
    // Nothing can be sent to a member that is not there: the outcome is certain. (The first call may
    // still find the old connection and see it break.)
    await until('nothing can be sent', WAIT_LIMIT_MS, async () => {
      const refused = await put(only, 'killed', '1');
      expect(refused.kind).not.toBe('done');
      return refused.kind === 'failed' && refused.cause.includes('ECONNREFUSED');
    });
    expect((await put(all, 'killed', '2')).kind).toBe('done');
    await follower.restart();
    await until('the member is used again', WAIT_LIMIT_MS, async () => {
      return (await put(only, 'killed', '3')).kind === 'done';
    });
    expect((await read(all, 'killed'))?.value).toBe('3');
  });
});

describe('etcd behind a relay that loses answers', { timeout: TEST_LIMIT_MS }, () => {
  const etcd = useEtcd({ members: 1 });
  const direct = (): EtcdStore => openStore(etcd().endpoints);
  const relayed = async (): Promise<Relay> => {
    const relay = await startRelay(etcd().endpoints[0] ?? '');
    onTestFinished(async () => relay.close());
    return relay;
  };
  const mustHaveBeenWrittenOnce = async (name: string): Promise<void> => {
    const store = direct();
    await until('the write took effect', WAIT_LIMIT_MS, async () => {
      return (await read(store, name)) !== undefined;
    });
    const entry = await read(store, name);
    expect(entry?.modRevision).toBe(entry?.createRevision);
  };

  it('says unknown of a write that was done and not answered, and sends it once', async () => {
    const relay = await relayed();
    const store = openStore([relay.endpoint, ...etcd().endpoints]);
    await store.readPrefix(PREFIX);
    relay.swallowAnswers();
    expect((await put(store, 'swallowed', '1')).kind).toBe('unknown');
    await mustHaveBeenWrittenOnce('swallowed');
  });

  it('says unknown of a write whose connection broke before the answer', async () => {
    const relay = await relayed();
    const endpoints = [relay.endpoint, ...etcd().endpoints];
    const store = openStore(endpoints, { attemptLimitMs: TEST_LIMIT_MS, budgetMs: TEST_LIMIT_MS });
    await store.readPrefix(PREFIX);
    relay.swallowAnswers();
    const result = put(store, 'cut', '1');
    await mustHaveBeenWrittenOnce('cut');
    relay.heal();
    expect((await result).kind).toBe('unknown');
    await mustHaveBeenWrittenOnce('cut');
  });

  it('says unknown, not "not applied", when a race was won without an answer', async () => {
    const relay = await relayed();
    const store = openStore([relay.endpoint, ...etcd().endpoints]);
    await store.readPrefix(PREFIX);
    relay.swallowAnswers();
    const result = await store.transact({
      compares: [{ key: `${PREFIX}leader`, modRevision: 0 }],
      writes: [{ key: `${PREFIX}leader`, put: 'we' }],
      prefix: PREFIX,
    });
    expect(result.kind).toBe('unknown');
    expect((await read(store, 'leader'))?.value).toBe('we');
  });

  it('asks again what may be asked twice: reads, looks, leases', async () => {
    const granted = await direct().grantLease(30);
    if (granted.kind !== 'done') throw new Error(granted.cause);
    const calls: ((store: EtcdStore) => Promise<StoreResult<object>>)[] = [
      async (store) => store.readPrefix(PREFIX),
      async (store) => store.transact({ compares: [], writes: [], prefix: PREFIX }),
      async (store) => store.grantLease(30),
      async (store) => store.keepAlive(granted.leaseId),
      async (store) => store.revokeLease(granted.leaseId),
    ];
    for (const call of calls) {
      const relay = await relayed();
      const store = openStore([relay.endpoint, ...etcd().endpoints]);
      await store.readPrefix(PREFIX);
      relay.swallowAnswers();
      expect((await call(store)).kind).toBe('done');
    }
  });

  it('says failed of reads and unknown of lease calls when no answer ever comes', async () => {
    const granted = await direct().grantLease(30);
    if (granted.kind !== 'done') throw new Error(granted.cause);
    const calls: [string, (store: EtcdStore) => Promise<StoreResult<object>>][] = [
      ['failed', async (store) => store.readPrefix(PREFIX)],
      ['unknown', async (store) => store.keepAlive(granted.leaseId)],
      ['unknown', async (store) => store.grantLease(30)],
      ['unknown', async (store) => store.revokeLease(granted.leaseId)],
    ];
    for (const [kind, call] of calls) {
      const relay = await relayed();
      const store = openStore([relay.endpoint], { attemptLimitMs: 200, budgetMs: 400 });
      await store.readPrefix(PREFIX);
      relay.swallowAnswers();
      expect((await call(store)).kind).toBe(kind);
    }
  });

  it('wakes after an interruption during which changes were made and compacted away', async () => {
    const relay = await relayed();
    const store = openStore([relay.endpoint]);
    const writer = direct();
    const seen = new Set<string>();
    const watch = store.watchPrefix(PREFIX, () => {
      read(writer, 'compacted').then(
        (entry) => seen.add(entry?.value ?? 'absent'),
        () => {},
      );
    });
    onTestFinished(() => watch.close());
    await mustPut(writer, 'compacted', 'first');
    await until('the first change seen', WAIT_LIMIT_MS, () => seen.has('first'));
    relay.swallowAnswers();
    for (let round = 0; round < 20; round += 1) await put(writer, 'compacted', `lost ${round}`);
    const result = await put(writer, 'compacted', 'last');
    if (result.kind !== 'done') throw new Error(result.cause);
    await etcd().etcdctl('compact', String(result.range.revision));
    expect(seen).not.toContain('last');
    relay.heal();
    await until('the last change seen', WAIT_LIMIT_MS, () => seen.has('last'));
    await mustPut(writer, 'compacted', 'next');
    await until('a later change seen', WAIT_LIMIT_MS, () => seen.has('next'));
  });

  it('keeps a quiet watch on one connection', async () => {
    const relay = await relayed();
    const store = openStore([relay.endpoint]);
    let wakes = 0;
    const watch = store.watchPrefix('/service/quiet/', () => {
      wakes += 1;
    });
    onTestFinished(() => watch.close());
    // More than it takes to connect and to create the watch: the rest are answers to probes.
    await until('a dozen answers', WAIT_LIMIT_MS, () => relay.answers() >= 12);
    expect(relay.connections()).toBe(1);
    expect(wakes).toBe(1);
    const writes = [{ key: '/service/quiet/a', put: '1' }];
    await direct().transact({ compares: [], writes, prefix: '/service/quiet/' });
    await until('the watch wakes', WAIT_LIMIT_MS, () => wakes > 1);
  });

  it('ends calls, watches and connections when it is closed', async () => {
    const relay = await relayed();
    const store = openStore([relay.endpoint], { attemptLimitMs: 30_000, budgetMs: 60_000 });
    let wakes = 0;
    store.watchPrefix(PREFIX, () => {
      wakes += 1;
    });
    await until('the watch stands', WAIT_LIMIT_MS, () => wakes > 0);
    relay.swallowAnswers();
    const calls = [store.readPrefix(PREFIX), put(store, 'closed', '1')];
    await mustHaveBeenWrittenOnce('closed');
    const { result, tookMs } = await timed(async () => {
      await store.close();
      return Promise.all(calls);
    });
    expect(tookMs).toBeLessThan(10_000);
    expect(result.map(({ kind }) => kind)).toEqual(['failed', 'unknown']);
    await until('all connections are closed', WAIT_LIMIT_MS, () => relay.openConnections() === 0);
    expect(await store.readPrefix(PREFIX)).toEqual({
      kind: 'failed',
      cause: 'the store client is closed',
    });
    expect(relay.connections()).toBe(1);
  });
});

describe('etcd with users and passwords', { timeout: TEST_LIMIT_MS }, () => {
  const etcd = useEtcd({ members: 1 });
  const password = 'correct horse';
  // Checking a password is slow on purpose, and slower on a busy machine.
  const patient = { attemptLimitMs: 10_000, budgetMs: 20_000 };
  beforeAll(async () => {
    await etcd().etcdctl('user', 'add', `root:${password}`);
    await etcd().etcdctl('auth', 'enable');
  });

  it('works with the right password', async () => {
    const store = openStore(etcd().endpoints, { ...patient, username: 'root', password });
    expect((await put(store, 'a', '1')).kind).toBe('done');
    expect((await store.grantLease(30)).kind).toBe('done');
  });

  it('fails with a wrong password or none, and says why', async () => {
    const wrong = openStore(etcd().endpoints, { ...patient, username: 'root', password: 'wrong' });
    const refused = await put(wrong, 'a', '2');
    expect(refused.kind).toBe('failed');
    expect(causeOf(refused)).toContain('invalid user ID or password');
    expect(causeOf(refused)).not.toContain('wrong');
    const none = await put(openStore(etcd().endpoints), 'a', '2');
    expect(none.kind).toBe('failed');
    expect(causeOf(none)).toContain('user name is empty');
  });

  it('asks for a new token when the old one is not accepted any more', async () => {
    const relay = await startRelay(etcd().endpoints[0] ?? '');
    onTestFinished(async () => relay.close());
    const store = openStore(etcd().endpoints, { ...patient, username: 'root', password });
    // A client of its own, so that nobody else notices for it that its token is not good any more.
    const watcher = openStore([relay.endpoint], { ...patient, username: 'root', password });
    await mustPut(store, 'a', '3');
    let wakes = 0;
    const watch = watcher.watchPrefix(PREFIX, () => {
      wakes += 1;
    });
    onTestFinished(() => watch.close());
    await until('the watch stands', WAIT_LIMIT_MS, () => wakes > 0);
    // This makes etcd forget all tokens.
    await etcd().etcdctl(`--user=root:${password}`, 'auth', 'disable');
    await etcd().etcdctl('auth', 'enable');
    relay.heal();
    const before = wakes;
    expect((await put(store, 'a', '4')).kind).toBe('done');
    await until('the watch stands again', WAIT_LIMIT_MS, () => wakes > before);
  });

  it('uses no password where the store wants none', async () => {
    await etcd().etcdctl(`--user=root:${password}`, 'auth', 'disable');
    const logged: string[] = [];
    const log = (_level: string, message: string): void => {
      logged.push(message);
    };
    const store = openStore(etcd().endpoints, { ...patient, username: 'root', password, log });
    expect((await put(store, 'a', '5')).kind).toBe('done');
    expect(logged).toEqual(['store wants no password, the configured one is not used']);
  });
});

describe('etcd with TLS', { timeout: TEST_LIMIT_MS }, () => {
  let authority: Certificate;
  let stranger: Certificate;
  let own: Certificate;
  const etcd = useEtcd({
    members: 1,
    tls: (directory) => {
      authority = createAuthority(directory, 'authority');
      stranger = createAuthority(directory, 'stranger');
      own = createCertificate(authority, directory);
      return { caFile: authority.certFile, ...own };
    },
  });
  const pem = (file: string): string => readFileSync(file, 'utf8');

  it('works with the certificates of both sides', async () => {
    const tls = {
      ca: pem(authority.certFile),
      certificate: pem(own.certFile),
      key: pem(own.keyFile),
    };
    const store = openStore(etcd().endpoints, { tls });
    expect((await put(store, 'a', '1')).kind).toBe('done');
    expect(await store.readStatus()).toMatchObject([{ kind: 'answered', isLeader: true }]);
  });

  it('refuses a store whose certificate is of another authority, and says why', async () => {
    const tls = {
      ca: pem(stranger.certFile),
      certificate: pem(own.certFile),
      key: pem(own.keyFile),
    };
    const result = await put(openStore(etcd().endpoints, { tls, budgetMs: 500 }), 'a', '2');
    expect(result.kind).toBe('failed');
    expect(causeOf(result)).toMatch(/certificate/u);
  });

  it('is refused without a certificate of its own', async () => {
    const tls = { ca: pem(authority.certFile) };
    const result = await put(openStore(etcd().endpoints, { tls, budgetMs: 500 }), 'a', '2');
    expect(result.kind).toBe('failed');
  });
});
