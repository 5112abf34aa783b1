import type { MakeChecker } from './checker.ts';
import { excuseFor, holdsLease } from './excuse.ts';

interface Floor {
  readonly at: number;
  readonly write: number;
}

/**
 * S6, as applications see it: the register is linearizable. A primary that is asked answers with
 * the newest value that was acknowledged before the question, or a newer one. What was visible and
 * never acknowledged (a server that crashed and came back shows what was waiting) binds nobody. As
 * for commits, nothing is promised for what was told while replication was asynchronous.
 */
export const s6ReadsSeeWhatWasAcknowledged: MakeChecker = (context) => {
  const { world, report } = context;
  let floors: Floor[] = [];
  let since: number | undefined;
  const isExcused = (host: string): boolean =>
    !holdsLease(context, host) && excuseFor(context, host) !== undefined;
  return {
    name: 's6-reads-see-what-was-acknowledged',
    see: (sighting) => {
      const written = world.store.documents.get('sync')?.createRevision;
      if (written !== since) floors = [];
      since = written;
      const isOn = world.policy.synchronous.mode !== 'off' && written !== undefined;
      if (sighting.kind === 'committed') {
        const { write } = sighting.record;
        const isNewer = write !== undefined && write > (floors.at(-1)?.write ?? 0);
        if (isOn && sighting.synchronous && isNewer && world.ledger.isInRegister(write))
          floors.push({ at: world.kernel.now, write });
      }
      if (sighting.kind !== 'read') return;
      const { host, beganAt, write } = sighting;
      const floor = floors.findLast(({ at }) => at <= beganAt);
      if (floor === undefined || write >= floor.write || isExcused(host)) return;
      report(host, `answered with write ${write}, and ${floor.write} had been acknowledged`);
    },
  };
};
