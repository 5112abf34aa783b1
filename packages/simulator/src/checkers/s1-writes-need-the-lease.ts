import type { MakeChecker } from './checker.ts';
import { excuseFor, goesOnInPause, holdsLease } from './excuse.ts';
import { goesOnByPromises } from './promises.ts';

/** S1: a write is accepted by the lease holder by the store's time, in a pause, by promises. */
export const s1WritesNeedTheLease: MakeChecker = (context) => ({
  name: 's1-writes-need-the-lease',
  see: (sighting) => {
    if (sighting.kind !== 'committed') return;
    const { host } = sighting;
    if (goesOnInPause(context, host) || goesOnByPromises(context, host)) return;
    if (holdsLease(context, host) || excuseFor(context, host) !== undefined) return;
    const leader = context.tenures.current?.host ?? 'nobody';
    context.report(host, `accepted a write while ${leader} held the lease`);
  },
});
