import type { MakeChecker } from './checker.ts';
import { excuseFor, goesOnInPause, holdsLease } from './excuse.ts';

/** S1: a write is accepted only by the lease holder, by the store's own time, or in a pause. */
export const s1WritesNeedTheLease: MakeChecker = (context) => ({
  name: 's1-writes-need-the-lease',
  see: (sighting) => {
    if (sighting.kind !== 'committed') return;
    const { host } = sighting;
    if (goesOnInPause(context, host)) return;
    if (holdsLease(context, host) || excuseFor(context, host) !== undefined) return;
    const leader = context.tenures.current?.host ?? 'nobody';
    context.report(host, `accepted a write while ${leader} held the lease`);
  },
});
