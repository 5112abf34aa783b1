import type { MakeChecker } from './checker.ts';

/** A minute, less what clocks and messages take. */
const QUIET_MS = 59_000;

/** S13: no second hand-over for a crash within a minute, and none at all for a panic. */
export const s13NoPingPong: MakeChecker = ({ world, report }) => {
  let lastAt = Number.NEGATIVE_INFINITY;
  return {
    name: 's13-no-ping-pong',
    see: (sighting) => {
      if (sighting.kind !== 'transacted') return;
      for (const write of sighting.transaction.writes) {
        if (!('key' in write) || write.key !== 'handover' || !('put' in write)) continue;
        const { cause } = write.put;
        if (cause !== 'crash') continue;
        const { now } = world.kernel;
        const words = world.hosts.get(sighting.host)?.postgres.lastWords;
        if (words !== undefined)
          report(sighting.host, `handed over although its server ended with ${words}`);
        if (now - lastAt < QUIET_MS)
          report(
            sighting.host,
            `handed over for a crash ${Math.round((now - lastAt) / 1_000)} s after the last time`,
          );
        lastAt = now;
      }
    },
  };
};
