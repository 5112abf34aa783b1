import type { MakeChecker } from './checker.ts';
import { excuseFor, holdsLease } from './excuse.ts';

/** S4: at no true instant do two servers accept writes. */
export const s4NeverTwoPrimaries: MakeChecker = (context) => ({
  name: 's4-never-two-primaries',
  see: (sighting) => {
    if (sighting.kind !== 'committed') return;
    for (const other of context.world.hosts.values()) {
      if (other.name === sighting.host || !other.postgres.acceptsWrites) continue;
      // Excused is only who cannot know better; then the other one is not to blame either.
      const excused = [sighting.host, other.name].some(
        (host) => !holdsLease(context, host) && excuseFor(context, host) !== undefined,
      );
      if (!excused)
        context.report(sighting.host, `accepted a write while ${other.name} accepts writes too`);
    }
  },
});
