import type { WalRecord } from '../postgres/wal.ts';
import type { MakeChecker } from './checker.ts';

/**
 * S5: no timeline number has two histories, no place in the WAL two contents, no standby follows a
 * history that is not the continuation of its own, and writes go only to numbers the store issued.
 */
export const s5ATimelineNumberOnce: MakeChecker = ({ report }) => {
  const promotions = new Map<string, string>();
  const places = new Map<string, Map<number, WalRecord>>();
  let issued = 1;
  return {
    name: 's5-a-timeline-number-once',
    see: (sighting) => {
      switch (sighting.kind) {
        case 'promoted': {
          const { host, systemIdentifier, timeline } = sighting;
          const key = `${systemIdentifier} ${timeline}`;
          const other = promotions.get(key);
          if (other !== undefined)
            report(host, `was promoted to timeline ${timeline}, as ${other} was before`);
          promotions.set(key, host);
          return;
        }
        case 'record-written': {
          const { host, systemIdentifier, record } = sighting;
          const key = `${systemIdentifier} ${record.timeline}`;
          const onTimeline = places.get(key) ?? new Map<number, WalRecord>();
          places.set(key, onTimeline);
          if (onTimeline.has(record.start))
            report(host, `wrote ${record.start} of timeline ${record.timeline} a second time`);
          onTimeline.set(record.start, record);
          return;
        }
        case 'diverged': {
          const { host, from, timeline, lsn } = sighting;
          const place = `${lsn} on timeline ${timeline}`;
          return report(host, `streams from ${from} although their WAL differs before ${place}`);
        }
        case 'transacted':
          for (const write of sighting.transaction.writes)
            if ('key' in write && write.key === 'timelines' && 'put' in write)
              issued = Math.max(issued, (write.put as { readonly issued: number }).issued);
          return;
        case 'committed':
          if (sighting.record.timeline > issued)
            report(sighting.host, `writes on timeline ${sighting.record.timeline}, never issued`);
          return;
        default:
          return;
      }
    },
  };
};
