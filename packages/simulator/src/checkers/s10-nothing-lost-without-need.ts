import {
  type HandoverDocument,
  type Lineage,
  firstLineage,
  lsn,
  mayFailOver,
  placeOnLineage,
} from '@matriarch/core';
import type { SimHost } from '../host/sim-host.ts';
import type { AcknowledgedWrite } from '../world/ledger.ts';
import type { MakeChecker } from './checker.ts';
import type { Sighting } from './sighting.ts';

/** A member counts as one that could have been chosen after this long without any trouble. */
const HEALTHY_MS = 12_000;

/**
 * S10: with asynchronous replication a promotion may lose acknowledged writes only if no member
 * that could have been chosen instead held them. After a release (a crash, a switchover, a stop)
 * the old primary itself counts among those: then nothing is lost as long as its host is well.
 * Whoever has forked from the last primary does not count.
 */
export const s10NothingLostWithoutNeed: MakeChecker = ({ world, report, tenures }) => {
  let checkedUpTo = 0;
  let open: AcknowledgedWrite[] = [];
  /** Who released the lease that is free now, and who released the one that is held. */
  let released: string | undefined;
  let predecessor: string | undefined;
  /** The history of the last server that was promoted. */
  let lineage: Lineage = firstLineage;
  const takeNew = (): void => {
    for (const write of world.ledger.acknowledged.slice(checkedUpTo))
      if (!write.excused) open.push(write);
    checkedUpTo = world.ledger.acknowledged.length;
  };
  const missingOn = (host: SimHost): AcknowledgedWrite[] => {
    const held = new Set(host.postgres.disk.data?.wal.records.map(({ id }) => id) ?? []);
    return open.filter(({ record }) => !held.has(record.id));
  };
  return {
    name: 's10-nothing-lost-without-need',
    see: (sighting) => {
      if (sighting.kind === 'transacted') released = findHandover(sighting)?.from ?? released;
      if (sighting.kind === 'leader-changed' && sighting.leader !== undefined) {
        predecessor = released;
        released = undefined;
      }
      if (sighting.kind !== 'promoted') return;
      const promoted = world.hosts.get(sighting.host);
      if (promoted === undefined) return;
      takeNew();
      const lost = missingOn(promoted);
      const decidedAt = tenures.lastOf(sighting.host)?.since ?? world.kernel.now;
      for (const other of world.hosts.values()) {
        if (other === promoted || !couldHaveBeenChosen(other, predecessor, decidedAt)) continue;
        if (isForked(other, lineage)) continue;
        const kept = countHeld(other, lost, decidedAt - HEALTHY_MS);
        if (kept > 0)
          report(sighting.host, `was promoted without ${kept} writes that ${other.name} held`);
      }
      lineage = promoted.postgres.disk.data?.lineage ?? lineage;
      const gone = new Set(lost);
      open = open.filter((write) => !gone.has(write));
    },
    atEnd: () => {
      takeNew();
      const primary = [...world.hosts.values()].find(({ postgres }) => postgres.acceptsWrites);
      if (primary === undefined) return;
      const lost = missingOn(primary);
      const [first] = lost;
      if (first !== undefined)
        report(primary.name, `lacks ${lost.length} writes, the first accepted by ${first.host}`);
    },
  };
};

/** How many of these writes a host has held since `since`. */
const countHeld = (host: SimHost, writes: readonly AcknowledgedWrite[], since: number): number => {
  const wal = host.postgres.disk.data?.wal;
  if (wal === undefined || writes.length === 0) return 0;
  const wanted = new Set(writes.map(({ record }) => record.id));
  const first = writes[0]?.record.start ?? 0;
  let count = 0;
  for (let index = wal.countUpTo(first); index < wal.count; index += 1) {
    const record = wal.records[index];
    const arrivedAt = wal.arrivedAt[index] ?? Number.POSITIVE_INFINITY;
    if (record !== undefined && wanted.has(record.id) && arrivedAt <= since) count += 1;
  }
  return count;
};

const findHandover = (
  sighting: Extract<Sighting, { kind: 'transacted' }>,
): HandoverDocument | undefined => {
  for (const write of sighting.transaction.writes) {
    if (!('key' in write) || write.key !== 'handover' || !('put' in write)) continue;
    const document = write.put;
    // A server that does not come up again is no choice, whatever lies on its disk.
    return document.cause === 'cannot-start' ? undefined : document;
  }
  return undefined;
};

/** A server with WAL that the cluster has given up is nobody's choice until it has been rewound. */
const isForked = ({ postgres }: SimHost, lineage: Lineage): boolean => {
  const { data } = postgres.disk;
  if (data === undefined) return true;
  const position = { timeline: data.lineage.timeline, lsn: lsn(data.wal.end) };
  return placeOnLineage(position, lineage).kind !== 'on-lineage';
};

const couldHaveBeenChosen = (
  host: SimHost,
  predecessor: string | undefined,
  decidedAt: number,
): boolean => {
  if (!mayFailOver(host.tags) || host.leftWith !== undefined) return false;
  if (host.trouble.quietSince('host') > decidedAt - HEALTHY_MS) return false;
  // Its own crash does not take the one that handed over out of the choice: its disk is there.
  if (predecessor === host.name) return host.postgres.disk.data?.overwritten === false;
  if (host.trouble.quietSince('server') > decidedAt - HEALTHY_MS) return false;
  const instance = host.postgres.running;
  return (
    instance?.inRecovery === true &&
    instance.consumed &&
    instance.startedAt < decidedAt - HEALTHY_MS
  );
};
