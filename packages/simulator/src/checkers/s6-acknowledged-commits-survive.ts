import type { SimHost } from '../host/sim-host.ts';
import type { WalRecord } from '../postgres/wal.ts';
import type { MakeChecker } from './checker.ts';

interface Acknowledged {
  readonly record: WalRecord;
  readonly host: string;
}

const holds = ({ postgres }: SimHost, { id, end }: WalRecord): boolean => {
  const wal = postgres.disk.data?.wal;
  if (wal === undefined) return false;
  const count = wal.countUpTo(end);
  return wal.records[count - 1]?.id === id;
};

/**
 * S6: what a client was told is committed, after standbys had it, is on every server that is
 * promoted to a later timeline; and nobody is told so by a server that such a one has followed.
 * No excuse is good enough: not a frozen host, not a store that lies. Nothing is promised for what
 * is told while the operator has switched to asynchronous replication, which releases all who wait;
 * what was promised before that ends with the store's document.
 */
export const s6AcknowledgedCommitsSurvive: MakeChecker = ({ world, report }) => {
  let acknowledged: Acknowledged[] = [];
  /** When the store's document of now came to be. */
  let since: number | undefined;
  /** The server with the newest timeline, and which one that is. */
  let promoted: SimHost | undefined;
  let newest = 0;
  const missingOn = (host: SimHost): Acknowledged | undefined =>
    acknowledged.find(({ record }) => !holds(host, record));
  return {
    name: 's6-acknowledged-commits-survive',
    see: (sighting) => {
      const written = world.store.documents.get('sync')?.createRevision;
      if (written !== since) acknowledged = [];
      since = written;
      const isOn = world.policy.synchronous.mode !== 'off' && written !== undefined;
      if (sighting.kind === 'committed' && sighting.synchronous && isOn) {
        acknowledged.push(sighting);
        if (promoted !== undefined && promoted.name !== sighting.host)
          if (!holds(promoted, sighting.record))
            report(sighting.host, `acknowledged a commit that ${promoted.name} does not have`);
      }
      // Frozen in its promotion, a server thaws on a number that was issued before others: it is no
      // successor of theirs, and acknowledges nothing.
      if (sighting.kind !== 'promoted' || sighting.timeline < newest) return;
      newest = sighting.timeline;
      promoted = world.hosts.get(sighting.host);
      const lost = promoted === undefined ? undefined : missingOn(promoted);
      if (lost !== undefined)
        report(
          sighting.host,
          `was promoted without a commit that ${lost.host} acknowledged at ${lost.record.end}`,
        );
    },
    atEnd: () => {
      const primary = [...world.hosts.values()].find(({ postgres }) => postgres.acceptsWrites);
      const lost = primary === undefined ? undefined : missingOn(primary);
      if (primary !== undefined && lost !== undefined)
        report(primary.name, `lacks a commit that ${lost.host} acknowledged`);
    },
  };
};
