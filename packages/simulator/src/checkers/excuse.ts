import type { SuspensionDocument } from '@matriarch/core';
import type { CheckerContext } from './checker.ts';

/**
 * Somebody who is there again after nobody was, or goes on after a stop, may need this long until
 * the server is silent. It is the least margin of rule S2.
 */
export const FENCE_GRACE_MS = 1_000;

/** The store's promise to the last lease of this host, with what its own clock cannot see added. */
const localDeadline = (context: CheckerContext, host: string): number | undefined => {
  const tenure = context.tenures.lastOf(host);
  const machine = context.world.hosts.get(host)?.machine;
  if (tenure === undefined || machine === undefined) return undefined;
  const lease = context.world.store.documents.everyLease(tenure.leaseId);
  if (lease === undefined) return undefined;
  const renewedAt = lease.promisedUntil - lease.ttlMs;
  return lease.promisedUntil + machine.pauses.trueMsSince(renewedAt);
};

/**
 * Why a server may accept writes although its lease has ended, as far as anything that runs on its
 * own host can know. What is left forbidden is everything else:
 *
 * - the store ended the lease before the time it had promised: until that time;
 * - the virtual machine was paused: until the promise is over by the time in which it was running
 *   (with asynchronous replication what it accepts then is kept as a fork, lost to the cluster);
 * - from a moment before the deadline on neither guard nor loop was running: until one of them has
 *   been running for that moment.
 */
export const excuseFor = (context: CheckerContext, host: string): string | undefined => {
  const { now } = context.world.kernel;
  const ofLease = localDeadline(context, host);
  const tenure = context.tenures.lastOf(host);
  if (ofLease === undefined || tenure === undefined) return undefined;
  const promisedUntil =
    context.world.store.documents.everyLease(tenure.leaseId)?.promisedUntil ?? 0;
  if (now < promisedUntil)
    return context.world.store.wasWronglyRevoked(tenure.leaseId)
      ? 'the store ended its lease too early'
      : undefined;
  if (now < ofLease) return 'its virtual machine was paused';
  const deadline = Math.max(ofLease, context.tenures.coverOf(host));
  // While it lasts it needs no excuse, and is none for two primaries.
  if (now < deadline) return undefined;
  const watchLog = context.world.hosts.get(host)?.watchLog;
  const watchedMs = watchLog?.trueMsSince(deadline - FENCE_GRACE_MS) ?? 0;
  return watchedMs < FENCE_GRACE_MS ? 'neither its guard nor its loop was running' : undefined;
};

/**
 * S1: it was told to go on without a lease, and the store still says so: nobody else takes it. No
 * excuse for two primaries.
 */
export const goesOnInPause = ({ world }: CheckerContext, host: string): boolean =>
  (world.store.documents.get('suspension')?.value as SuspensionDocument | undefined)?.member ===
  host;

/** The host holds the leader key and its lease by the store's own time. */
export const holdsLease = ({ tenures }: CheckerContext, host: string): boolean =>
  tenures.current?.host === host;

/** It holds the lease, or there is an excuse. */
export const isCovered = (context: CheckerContext, host: string): boolean =>
  holdsLease(context, host) || excuseFor(context, host) !== undefined;
