/**
 * Rules for a cluster that does not exist yet.
 *
 *   claimed ─▶ initdb ─▶ put in place ─▶ private server ─▶ users ─▶ stopped ─▶ finished
 *
 * Our own leased key says who is at it. When that member dies the key goes, and the next one cleans
 * up and repeats.
 */
import { after } from '../model/instant.ts';
import type { StoreSnapshot, StoreWrite, Versioned } from '../model/store.ts';
import type { Timeline } from '../model/timeline.ts';
import type { View } from '../view/view.ts';
import { type Answer, type Rule, event } from './rule.ts';
import { transact, unchanged } from './transactions.ts';

/** A member whose bootstrap fails this often ends, so that somebody reads why. */
const BOOTSTRAP_TRIES = 3;
const LOOK_AGAIN_MS = 1_000;

/** Patroni's members say nothing of a bootstrap under way but the empty `initialize`. */
const patroniMayBootstrap = (store: StoreSnapshot): boolean =>
  store.initialize?.value === '' && Object.values(store.members).some(({ value }) => !value.ours);

const isMine = (view: View): boolean => {
  const bootstrap: Versioned<unknown> | undefined = view.store?.bootstrap;
  return (
    view.store?.bootstrap?.value.member === view.state.self.name &&
    bootstrap?.leaseId !== undefined &&
    bootstrap.leaseId === view.state.lease?.id
  );
};

export const refuseForeignData: Rule = {
  id: 'refuse-foreign-data',
  when: 'the data directory belongs to another cluster, or is no data directory at all',
  does: 'ends the agent and touches nothing',
  why: 'somebody else needs that data',
  without: 'one wrong path in a file destroys a database',
  decide: (view) => {
    const { state, systemIdentifier, data } = view;
    const disk = state.disk?.value;
    if (!view.silent || disk === undefined || disk.bootstrapUnfinished) return undefined;
    const { content } = disk;
    const reason =
      content.kind === 'not-ours' || content.kind === 'unreadable'
        ? content.detail
        : data !== undefined &&
            systemIdentifier !== undefined &&
            data.systemIdentifier !== systemIdentifier
          ? `its system identifier is ${data.systemIdentifier}, the cluster's ${systemIdentifier}`
          : undefined;
    if (reason === undefined) return undefined;
    return {
      because: reason,
      action: { kind: 'exit', status: 3, reason },
      event: event('member.refused', 'error', { reason }),
    };
  },
};

export const discardUnfinishedBootstrap: Rule = {
  id: 'discard-unfinished-bootstrap',
  when: 'a bootstrap of ours was begun here and is neither finished nor going on',
  does: 'removes what it left',
  why: 'it never was a cluster, and its system identifier is nobody’s',
  without: 'a member killed during a bootstrap needs a hand',
  decide: (view) => {
    const disk = view.state.disk?.value;
    if (!view.silent || disk?.bootstrapUnfinished !== true || view.store === undefined)
      return undefined;
    if (view.state.bootstrap !== undefined || view.state.tenure !== undefined) return undefined;
    const finished =
      disk.content.kind === 'data' && disk.content.systemIdentifier === view.systemIdentifier;
    if (finished) return undefined;
    return {
      because: 'left over from a bootstrap that did not finish',
      action: { kind: 'discard-unfinished' },
    };
  },
};

export const claimBootstrap: Rule = {
  id: 'claim-bootstrap',
  when: 'the cluster is not initialised, nobody is at it, and our data directory is empty',
  does: 'claims the bootstrap with a key on our lease',
  why: 'one member initialises, the others clone from it',
  without: 'every member makes a cluster of its own',
  decide: (view) => {
    const { state, store } = view;
    const { lease, self } = state;
    if (!canBootstrap(view) || store === undefined || lease === undefined) return undefined;
    if (store.bootstrap !== undefined || patroniMayBootstrap(store)) return undefined;
    if (state.failedBootstraps >= BOOTSTRAP_TRIES)
      return {
        because: `failed ${BOOTSTRAP_TRIES} times`,
        action: { kind: 'exit', status: 1, reason: 'the cluster could not be initialised' },
      };
    if (view.now < state.rejoin.notBefore)
      return { because: 'the last try failed', until: state.rejoin.notBefore };
    return {
      because: store.initialize === undefined ? 'nothing is there' : 'its bootstrapper is gone',
      action: transact(
        'claim-bootstrap',
        [
          unchanged(store, 'initialize'),
          { key: 'bootstrap', modRevision: 0 },
          { key: 'leader', modRevision: 0 },
        ],
        [
          { key: 'initialize', put: '' },
          {
            key: 'bootstrap',
            put: { member: self.name, life: self.life },
            leaseId: lease.id,
          },
        ],
      ),
    };
  },
};

/** An empty data directory, no cluster, no holder, and a configuration to begin with. */
const canBootstrap = (view: View): boolean => {
  const { state, store } = view;
  return (
    view.silent &&
    state.disk?.value.content.kind === 'empty' &&
    !state.disk.value.bootstrapUnfinished &&
    state.self.bootstrapConfig !== undefined &&
    state.leaving === undefined &&
    store !== undefined &&
    !state.snapshotStale &&
    store.leader === undefined &&
    view.systemIdentifier === undefined
  );
};

export const abandonBootstrap: Rule = {
  id: 'abandon-bootstrap',
  when: 'the bootstrap is claimed by us, and the last try has failed',
  does: 'gives the claim back',
  why: 'another member may be able to',
  without: 'the cluster waits for a member that cannot do it',
  decide: (view) => {
    const { state, store } = view;
    if (!isMine(view) || store === undefined || state.bootstrap !== undefined) return undefined;
    const failed = state.failedBootstraps > 0 && view.now < state.rejoin.notBefore;
    if (!failed && state.leaving === undefined) return undefined;
    return {
      because: 'the bootstrap failed here',
      action: transact(
        'abandon-bootstrap',
        [unchanged(store, 'bootstrap'), unchanged(store, 'initialize')],
        [
          { key: 'bootstrap', remove: true },
          { key: 'initialize', remove: true },
        ],
      ),
    };
  },
};

export const bootstrapCluster: Rule = {
  id: 'bootstrap-cluster',
  when: 'the bootstrap is claimed by us',
  does: 'initdb, a server on a private socket, users, stop; each as a step of its own',
  why: 'S1: until the lease is held, nobody but us can reach that server',
  without: 'a half-made cluster takes writes',
  decide: (view) => {
    const { state } = view;
    if (!isMine(view) || state.leaving !== undefined) return undefined;
    const { bootstrap, process } = state;
    const because = `bootstrap: ${bootstrap ?? 'claimed'}`;
    if (bootstrap === undefined)
      return view.silent && state.disk?.value.content.kind === 'empty'
        ? { because, action: { kind: 'initialise' } }
        : undefined;
    if (bootstrap === 'initialised') return { because, action: { kind: 'install-data' } };
    if (bootstrap === 'installed') return startPrivately(view, because);
    if (process.kind === 'running')
      return { because, action: { kind: 'stop-server', mode: 'fast', limitMs: 60_000 } };
    return view.silent ? finishBootstrap(view, because) : undefined;
  },
};

const startPrivately = (view: View, because: string): Answer | undefined => {
  const { process, prepared } = view.state;
  if (process.kind === 'running')
    return view.server === undefined
      ? { because: 'waiting for the private server' }
      : { because, action: { kind: 'create-users' } };
  if (!view.silent) return undefined;
  if (prepared?.as !== 'private')
    return {
      because,
      action: { kind: 'prepare-server', as: 'private', upstream: undefined, syncNames: '' },
    };
  return { because, action: { kind: 'start-server', as: 'private' } };
};

const finishBootstrap = (view: View, because: string): Answer | undefined => {
  const { state, store, data } = view;
  const { self, lease } = state;
  if (data === undefined || store === undefined || lease === undefined) return undefined;
  const writes: StoreWrite[] = [
    { key: 'initialize', put: data.systemIdentifier },
    { key: 'config', put: self.bootstrapConfig ?? {} },
    { key: 'leader', put: self.name, leaseId: lease.id },
    { key: 'holder', put: { member: self.name, life: self.life } },
    { key: 'timelines', put: { issued: 1 as Timeline, promotions: [] } },
    { key: 'bootstrap', remove: true },
  ];
  return {
    because,
    action: transact(
      'finish-bootstrap',
      [
        unchanged(store, 'bootstrap'),
        unchanged(store, 'initialize'),
        { key: 'leader', modRevision: 0 },
      ],
      writes,
    ),
    event: event('cluster.initialised', 'info', { systemIdentifier: data.systemIdentifier }),
  };
};

export const takeOverData: Rule = {
  id: 'take-over-data',
  when: 'the store knows no cluster and our data directory holds one that was a primary',
  does: 'makes it this cluster; the election then decides who is primary',
  why: 'an existing database becomes highly available without a dump',
  without: 'users of a plain PostgreSQL cannot begin',
  decide: (view) => {
    const { state, store, data } = view;
    if (data === undefined || store === undefined || state.snapshotStale) return undefined;
    if (store.initialize !== undefined || store.leader !== undefined) return undefined;
    if (state.disk?.value.bootstrapUnfinished === true) return undefined;
    if (!state.self.mayTakeOverData) {
      const reason =
        'the data directory holds a database and the store knows no cluster of this name';
      return {
        because: reason,
        action: { kind: 'exit', status: 3, reason },
        event: event('member.refused', 'error', { reason }),
      };
    }
    if (data.standbySignal)
      return { because: 'a standby cannot found a cluster', until: after(view.now, LOOK_AGAIN_MS) };
    const writes: StoreWrite[] = [{ key: 'initialize', put: data.systemIdentifier }];
    if (store.config === undefined && state.self.bootstrapConfig !== undefined)
      writes.push({ key: 'config', put: state.self.bootstrapConfig });
    return {
      because: `system identifier ${data.systemIdentifier}`,
      action: transact(
        'take-over-data',
        [unchanged(store, 'initialize'), unchanged(store, 'config'), unchanged(store, 'leader')],
        writes,
      ),
      event: event('cluster.taken-over', 'info', { systemIdentifier: data.systemIdentifier }),
    };
  },
};

export const bootstrappingRules: readonly Rule[] = [
  refuseForeignData,
  abandonBootstrap,
  bootstrapCluster,
  discardUnfinishedBootstrap,
  takeOverData,
  claimBootstrap,
];
