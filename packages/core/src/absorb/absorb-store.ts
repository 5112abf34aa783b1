import { mayAcceptWrites } from '../guard/guard-state.ts';
import type { ActionOf, Failure, Results, TransactionPurpose } from '../model/action.ts';
import { type Instant, after } from '../model/instant.ts';
import { withoutPublished } from '../model/journal.ts';
import { deadlineOf } from '../model/policy.ts';
import type { LeaseId, LeaseTerm, StoreSnapshot, StoreTransaction } from '../model/store.ts';
import type { Timeline } from '../model/timeline.ts';
import type { Draft, InFlight } from '../state.ts';
import {
  absorbFreedom,
  absorbInherited,
  absorbLeaseCarries,
  absorbLeaseTaken,
  absorbMissing,
  absorbNamed,
  forgetPromises,
} from './absorb-failsafe.ts';
import { absorbAnnounced, absorbPauseOver } from './absorb-operating.ts';
import { absorbFoundSchedule } from './absorb-schedules.ts';
import { absorbElected } from './absorb-unpromised.ts';
import { absorbMovedKey, absorbNextKept, capDeadline, takeNextLease } from './absorb-next-lease.ts';

/**
 * Takes a snapshot unless a later one is known, and draws the two conclusions that must not wait
 * for a rule: whether the leader key is still ours, and since when nobody holds it.
 */
export const absorbSnapshot = (draft: Draft, snapshot: StoreSnapshot, at: Instant): void => {
  draft.storeFailingSince = undefined;
  if (draft.snapshot !== undefined && snapshot.revision < draft.snapshot.value.revision) return;
  absorbPauseOver(draft, snapshot);
  absorbFreedom(draft, snapshot);
  absorbMissing(draft, snapshot);
  absorbFoundSchedule(draft, snapshot);
  draft.snapshot = { value: snapshot, at };
  const { leader } = snapshot;
  draft.vacantSince = leader === undefined ? (draft.vacantSince ?? draft.now) : undefined;

  const { tenure, lease, self } = draft;
  const claim = snapshot.bootstrap;
  const isOurs = claim?.value.member === self.name && claim.leaseId === lease?.id;
  // The claim went with its lease, and somebody else may be at it: what we have begun is void.
  if (!isOurs) draft.bootstrap = undefined;
  if (tenure !== undefined) {
    // A snapshot from before our acquisition says nothing of it.
    const older = (snapshot.revision as number) < tenure.term;
    if (older || (leader?.modRevision as number | undefined) === tenure.term) return;
    if (!absorbMovedKey(draft, leader)) loseTenure(draft);
    return;
  }
  if (lease !== undefined && leader?.value === self.name && leader.leaseId === lease.id) {
    // Ours without our knowing: inherited from the loop before us, or written by a transaction
    // whose answer was lost. Until a renewal is confirmed only the guard's deadline counts.
    const term = leader.modRevision as number as LeaseTerm;
    // Only a silent holder releases, so the loop before us may have: its release would land on a
    // server that we have started again. The key is written anew before this term is believed.
    if (!mayAcceptWrites(draft.process)) draft.doubtfulTerm = term;
    if (term === draft.doubtfulTerm) return;
    draft.tenure = { term, deadline: draft.guardDeadline ?? draft.now };
    absorbInherited(draft);
    // The loop before us may have sent another electorate on its way.
    draft.unsettledSync = { term, revision: snapshot.sync?.modRevision ?? 0 };
    draft.confirmFrom = undefined;
    beginQuietTime(draft, snapshot);
    draft.restUntil = { ...draft.restUntil, lease: undefined };
    draft.lease = { ...lease, renewedAt: 0 as Instant };
  }
};

export const loseTenure = (draft: Draft): void => {
  draft.tenure = undefined;
  // Whom commits are to wait for was decided with the electorate of this term (rule S6). A primary
  // that goes on without a lease goes on with them.
  if (!draft.accepting) draft.sync = { ...draft.sync, wanted: undefined };
  draft.unsettledSync = undefined;
  draft.nextLease = undefined;
  draft.confirmFrom = undefined;
  draft.promotion = undefined;
  draft.vacating = undefined;
};

/** A store call without an answer: the store may be out, and what was asked may have happened. */
export const absorbStoreFailure = (draft: Draft): void => {
  draft.storeFailingSince ??= draft.now;
  draft.snapshotStale = true;
};

/** What becomes of the answer for one of our leases; another one is none of ours any more. */
export const absorbKeepAlive = (
  draft: Draft,
  { id, sentAt }: { readonly id: LeaseId; readonly sentAt: Instant },
  ttlMs: number,
): void => {
  if (id === draft.nextLease?.id) return absorbNextKept(draft, sentAt, ttlMs);
  if (id !== draft.lease?.id) return;
  if (ttlMs <= 0) {
    // The store has forgotten the lease, and with it whatever the lease carried.
    draft.lease = undefined;
    draft.snapshotStale = true;
    loseTenure(draft);
    return;
  }
  draft.lease = { ...draft.lease, ttlMs, renewedAt: sentAt };
  // For the holder this counts only once a transaction has seen the leader key (rule S2).
  if (draft.tenure !== undefined) draft.confirmFrom = sentAt;
  else draft.storeFailingSince = undefined;
};

type Transacted = Results['transact'];

export const absorbTransaction = (draft: Draft, flight: InFlight, result: Transacted): void => {
  if (flight.action.kind !== 'transact') return;
  const { purpose, transaction } = flight.action;
  const { confirmFrom } = draft;
  if (result.applied) {
    absorbApplied(draft, purpose, result);
    absorbNamed(draft, transaction);
  }
  absorbSnapshot(draft, result.snapshot, flight.sentAt);
  if (purpose === 'confirm') absorbConfirmed(draft, confirmFrom, result.applied);
  if (purpose === 'acquire' && result.applied) {
    const issued = transaction.writes.find((write) => 'key' in write && write.key === 'timelines');
    if (issued !== undefined && 'put' in issued && 'key' in issued && issued.key === 'timelines')
      absorbIssued(draft, issued.put.issued);
  }
  if (purpose === 'publish-journal' && result.applied) {
    draft.journal = withoutPublished(draft.journal, transaction);
    draft.journalAt = draft.now;
  }
  if (purpose === 'issue-timeline' && result.applied) {
    const { timelines } = result.snapshot;
    if (timelines !== undefined) absorbIssued(draft, timelines.value.issued);
  }
};

const absorbIssued = (draft: Draft, timeline: Timeline): void => {
  if (draft.tenure === undefined) return;
  draft.promotion = { timeline, term: draft.tenure.term, stage: 'issued', since: draft.now };
};

const absorbConfirmed = (
  draft: Draft,
  confirmFrom: Instant | undefined,
  applied: boolean,
): void => {
  draft.confirmFrom = undefined;
  const { tenure, lease } = draft;
  if (!applied || tenure === undefined || lease === undefined || confirmFrom === undefined) return;
  draft.tenure = { ...tenure, deadline: deadlineOf(confirmFrom, lease.ttlMs) };
  capDeadline(draft);
  absorbLeaseCarries(draft);
};

const absorbApplied = (draft: Draft, purpose: TransactionPurpose, result: Transacted): void => {
  switch (purpose) {
    case 'acquire':
      absorbElected(draft);
      return beginTenure(draft, result);
    case 'reclaim':
    case 'finish-bootstrap':
      return beginTenure(draft, result);
    case 'exchange-lease':
      return takeNextLease(draft, result.revision as number as LeaseTerm);
    case 'release':
      forgetPromises(draft);
      return loseTenure(draft);
    case 'abandon-bootstrap':
      draft.bootstrap = undefined;
      return;
    case 'suspend':
      return absorbAnnounced(draft, result.revision);
    case 'confirm':
    case 'record-promotion':
    case 'issue-timeline':
    case 'claim-bootstrap':
    case 'take-over-data':
    case 'publish-member':
    case 'clear-failover':
    case 'file-failover':
    case 'end-suspension':
    case 'write-sync':
    case 'write-failsafe':
    case 'publish-journal':
      return;
  }
};

/** What the store says is left of the quiet time, counted from now (rule S13). */
const beginQuietTime = (draft: Draft, snapshot: StoreSnapshot): void => {
  const quietMs = snapshot.quiet?.value.ms ?? 0;
  draft.quietUntil = quietMs > 0 ? after(draft.now, quietMs) : undefined;
  draft.quietCrashes = 0;
};

/** The lease was alive when it was last renewed, and the leader key now hangs on it. */
const beginTenure = (draft: Draft, result: Transacted): void => {
  const { lease } = draft;
  if (lease === undefined) return;
  const term = result.revision as number as LeaseTerm;
  draft.tenure = { term, deadline: deadlineOf(lease.renewedAt, lease.ttlMs) };
  draft.vacating = undefined;
  draft.bootstrap = undefined;
  absorbLeaseTaken(draft);
  beginQuietTime(draft, result.snapshot);
};

export const absorbTransactionFailure = (
  draft: Draft,
  { purpose, transaction }: ActionOf<'transact'>,
  failure: Failure,
): void => {
  absorbStoreFailure(draft);
  // Our server is silent when we release, so it is safe to believe that the lease is gone. If the
  // key is still there, the release may yet come: it must find a leader key written after it.
  if (purpose === 'release' && failure.kind === 'unknown') {
    draft.doubtfulTerm = draft.tenure?.term;
    forgetPromises(draft);
    loseTenure(draft);
  }
  if (purpose === 'write-sync' && failure.kind === 'unknown') absorbSyncUnknown(draft, transaction);
  if (failure.kind !== 'failed' || failure.cause !== LEASE_NOT_FOUND) return;
  const ids = leasesOf(transaction);
  if (ids.includes(draft.nextLease?.id)) draft.nextLease = undefined;
  if (draft.lease === undefined || !ids.includes(draft.lease.id)) return;
  draft.lease = undefined;
  loseTenure(draft);
};

/** The electorate may have been written, or may be yet, as long as nobody writes another one. */
const absorbSyncUnknown = (draft: Draft, { compares }: StoreTransaction): void => {
  const sync = compares.find(({ key }) => key === 'sync');
  if (sync === undefined || draft.tenure === undefined) return;
  draft.unsettledSync = { term: draft.tenure.term, revision: sync.modRevision };
};

const leasesOf = ({ writes }: StoreTransaction): readonly (LeaseId | undefined)[] =>
  writes.map((write) => ('put' in write ? write.leaseId : undefined));

/** The cause with which a store refuses a write on a lease it does not know. */
export const LEASE_NOT_FOUND = 'lease-not-found';
