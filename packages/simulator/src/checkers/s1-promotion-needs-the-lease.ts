import type { MakeChecker } from './checker.ts';
import { isCovered } from './excuse.ts';

/** S1, S4: a server is promoted only while its member holds the lease. */
export const s1PromotionNeedsTheLease: MakeChecker = (context) => ({
  name: 's1-promotion-needs-the-lease',
  see: (sighting) => {
    if (sighting.kind !== 'promotion-signalled' || isCovered(context, sighting.host)) return;
    const leader = context.tenures.current?.host ?? 'nobody';
    context.report(sighting.host, `was promoted while ${leader} held the lease`);
  },
});
