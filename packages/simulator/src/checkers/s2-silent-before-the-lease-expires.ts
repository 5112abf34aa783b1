import type { MakeChecker } from './checker.ts';
import { excuseFor, goesOnInPause } from './excuse.ts';
import { goesOnByPromises } from './promises.ts';

/**
 * S2: the server is silent before the time is over that the store has promised to its lease, also
 * when the store keeps the lease for longer.
 */
export const s2SilentBeforeTheLeaseExpires: MakeChecker = (context) => ({
  name: 's2-silent-before-the-lease-expires',
  see: (sighting) => {
    if (sighting.kind !== 'committed') return;
    const { host } = sighting;
    const { now } = context.world.kernel;
    const tenure = context.tenures.lastOf(host);
    const lease =
      tenure === undefined ? undefined : context.world.store.documents.everyLease(tenure.leaseId);
    if (lease === undefined) return context.report(host, 'accepted a write without any lease');
    if (goesOnInPause(context, host) || goesOnByPromises(context, host)) return;
    if (now <= lease.promisedUntil || excuseFor(context, host) !== undefined) return;
    const lateMs = Math.round(now - lease.promisedUntil);
    context.report(host, `accepted a write ${lateMs} ms after its lease could have expired`);
  },
});
