/** The transactions on the leader key, each with exactly what it was decided on (rule S1). */
import type { Action, TransactionPurpose } from '../model/action.ts';
import type {
  DocumentKey,
  HandoverDocument,
  LeaseId,
  LeaseTerm,
  StoreCompare,
  StoreSnapshot,
  StoreWrite,
  SyncDocument,
} from '../model/store.ts';
import { QUIET_MS } from '../model/policy.ts';
import { nobody } from '../replication/electorate.ts';
import type { Timeline } from '../model/timeline.ts';
import type { Lease, Tenure } from '../state.ts';
import { assembleMemberDocument } from '../view/documents.ts';
import type { View } from '../view/view.ts';
import { isSynchronous } from './prepared.ts';

export const transact = (
  purpose: TransactionPurpose,
  compares: readonly StoreCompare[],
  writes: readonly StoreWrite[],
): Action => ({ kind: 'transact', purpose, transaction: { compares, writes } });

/** The document as it was when the decision was made; absent counts as well. */
export const unchanged = (store: StoreSnapshot, key: DocumentKey): StoreCompare => ({
  key,
  modRevision: store[key]?.modRevision ?? 0,
});

/** What a decision to take the lease looks at, and so what must not have changed. */
const DECIDED_ON: readonly DocumentKey[] = [
  'initialize',
  'config',
  'sync',
  'failsafe',
  'failover',
  'handover',
  'holder',
  'timelines',
  'suspension',
];

export const ours = (tenure: Tenure): StoreCompare => ({
  key: 'leader',
  modRevision: tenure.term as number as StoreSnapshot['revision'],
});

const holderWrites = (view: View, leaseId: LeaseId, since?: LeaseTerm): StoreWrite[] => {
  const { name, life } = view.state.self;
  return [
    { key: 'leader', put: name, leaseId },
    { key: 'holder', put: { member: name, life, ...(since === undefined ? {} : { since }) } },
  ];
};

/** The term in which the server began to write that goes on, if the record is of that reign. */
const reignBegan = ({ value, modRevision }: NonNullable<StoreSnapshot['holder']>): LeaseTerm =>
  value.since ?? (modRevision as number as LeaseTerm);

/** The next number that no promotion has had and none will have (rule S5). */
export const nextTimeline = (view: View, store: StoreSnapshot): Timeline => {
  const issued = store.timelines?.value.issued ?? 0;
  const last = store.history?.value.at(-1)?.timeline ?? 0;
  const own = view.server?.lineage.timeline ?? view.data?.lineage.timeline ?? 0;
  // An entry of `history` names the timeline that was left: the one after it was in use.
  return (Math.max(issued, last + 1, own) + 1) as Timeline;
};

export const acquire = (view: View, store: StoreSnapshot, lease: Lease): Action => {
  const promotions = store.timelines?.value.promotions ?? [];
  const writes: StoreWrite[] = [
    ...holderWrites(view, lease.id),
    { key: 'timelines', put: { issued: nextTimeline(view, store), promotions } },
  ];
  if (isSynchronous(view)) writes.push({ key: 'sync', put: electorateAfter(view) });
  const quietMs = quietMsAfter(store);
  if (quietMs > 0) writes.push({ key: 'quiet', put: { ms: quietMs } });
  if (store.handover !== undefined) writes.push({ key: 'handover', remove: true });
  if (hasRequest(store)) writes.push({ key: 'failover', put: {} });
  // Ours, or that of a member which an operator has answered for.
  if (store.suspension !== undefined) writes.push({ key: 'suspension', remove: true });
  const compares: StoreCompare[] = [{ key: 'leader', modRevision: 0 }];
  return transact(
    'acquire',
    [...compares, ...DECIDED_ON.map((key) => unchanged(store, key))],
    writes,
  );
};

/**
 * Who may follow a winner that has not acknowledged anything yet (rule S6). What was acknowledged
 * before, the winner has, and so has everybody else together; nobody else alone is known to.
 */
const electorateAfter = (view: View): SyncDocument => {
  const { self, policy } = view.state;
  const { electorate } = view;
  if (policy.synchronous.mode !== 'quorum' || electorate?.leader === undefined)
    return { leader: self.name, ...nobody };
  const before = [...new Set([electorate.leader, ...electorate.voters])];
  const voters = before.filter((name) => name !== self.name);
  return { leader: self.name, voters, quorum: Math.max(0, voters.length - 1) };
};

export const writeSync = (
  store: StoreSnapshot,
  tenure: Tenure,
  document: SyncDocument | undefined,
): Action =>
  transact(
    'write-sync',
    [ours(tenure), unchanged(store, 'sync')],
    [document === undefined ? { key: 'sync', remove: true } : { key: 'sync', put: document }],
  );

/** The quiet time a new holder begins with (rule S13). */
const quietMsAfter = ({ handover, quiet }: StoreSnapshot): number => {
  if (handover?.value.cause === 'crash') return QUIET_MS;
  return Math.max(handover?.value.quietMs ?? 0, quiet?.value.ms ?? 0);
};

export const hasRequest = (store: StoreSnapshot): boolean => {
  const request = store.failover?.value;
  return request?.leader !== undefined || request?.member !== undefined;
};

/** Our own leader key of an earlier life on this host, hung on our new lease. */
export const reclaim = (view: View, store: StoreSnapshot, lease: Lease): Action =>
  transact(
    'reclaim',
    [unchanged(store, 'leader'), unchanged(store, 'holder')],
    holderWrites(view, lease.id),
  );

/**
 * The lease again, with a server that has been the only primary since we held it last: it goes on,
 * or starts, on the same timeline.
 */
export const takeAgain = (view: View, store: StoreSnapshot, lease: Lease): Action => {
  const { holder, handover, failsafe } = store;
  const isOurs = holder?.value.member === view.state.self.name;
  // Sessions stay with a server that has gone on: for the routes it is the same reign.
  const since = view.writable && isOurs ? reignBegan(holder) : undefined;
  return transact(
    'reclaim',
    [
      unchanged(store, 'leader'),
      unchanged(store, 'holder'),
      unchanged(store, 'config'),
      unchanged(store, 'suspension'),
      unchanged(store, 'handover'),
      unchanged(store, 'sync'),
      unchanged(store, 'failsafe'),
      unchanged(store, 'timelines'),
    ],
    [
      ...holderWrites(view, lease.id, since),
      ...(handover === undefined ? [] : [{ key: 'handover', remove: true } as const]),
      // It counts in the term in which it was written.
      ...(failsafe === undefined ? [] : [{ key: 'failsafe', put: failsafe.value } as const]),
    ],
  );
};

/** The leader key and our member key, hung on another lease of ours; the reign goes on. */
export const exchange = (view: View, tenure: Tenure, next: Lease): Action => {
  const { name } = view.state.self;
  const before = view.store?.holder;
  const isOfThisTerm = before !== undefined && (before.modRevision as number) === tenure.term;
  const since = isOfThisTerm ? reignBegan(before) : tenure.term;
  return transact(
    'exchange-lease',
    [ours(tenure)],
    [
      ...holderWrites(view, next.id, since),
      { member: name, put: assembleMemberDocument(view), leaseId: next.id },
    ],
  );
};

export const issueTimeline = (view: View, store: StoreSnapshot, tenure: Tenure): Action => {
  const promotions = store.timelines?.value.promotions ?? [];
  return transact(
    'issue-timeline',
    [ours(tenure), unchanged(store, 'timelines')],
    [{ key: 'timelines', put: { issued: nextTimeline(view, store), promotions } }],
  );
};

export const release = (
  store: StoreSnapshot,
  tenure: Tenure,
  handover: HandoverDocument,
): Action => {
  const writes: StoreWrite[] = [
    { key: 'leader', remove: true },
    { key: 'handover', put: handover },
  ];
  if (handover.end.known) {
    const optime = handover.end.position.lsn;
    writes.push({ key: 'status', put: { ...store.status?.value, optime } });
  }
  // Its server is silent: it does not go on without a lease any more.
  if (store.suspension !== undefined) writes.push({ key: 'suspension', remove: true });
  return transact('release', [ours(tenure)], writes);
};

/** What was asked for at a time is asked for now. */
export const fileFailover = (store: StoreSnapshot, tenure: Tenure): Action => {
  const { leader, member } = store.failover?.value ?? {};
  return transact(
    'file-failover',
    [ours(tenure), unchanged(store, 'failover')],
    [{ key: 'failover', put: { leader, member } }],
  );
};

/** Takes a switchover or failover request back; `{}` is Patroni's way of saying none. */
export const clearFailover = (store: StoreSnapshot): Action =>
  transact('clear-failover', [unchanged(store, 'failover')], [{ key: 'failover', put: {} }]);
