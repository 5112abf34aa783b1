import type { Wal, WalRecord } from '../postgres/wal.ts';
import type { CheckerContext, MakeChecker } from './checker.ts';

/**
 * S7: whatever was acknowledged once exists somewhere for ever: in a data directory, in one that is
 * kept aside, or in a kept fork. Forks that the cluster has given up count as well.
 */
export const s7NeverDeleteTheLastCopy: MakeChecker = (context) => ({
  name: 's7-never-delete-the-last-copy',
  see: (sighting) => {
    if (sighting.kind !== 'data-destroyed') return;
    const { host, what, wal } = sighting;
    const gone = findGone(context, wal);
    if (gone.length > 0)
      context.report(host, `${what} was the last copy of ${gone.length} acknowledged writes`);
  },
});

/** Acknowledged writes of `wal` of which no disk holds a copy any more. */
export const findGone = ({ world }: CheckerContext, wal: Wal): WalRecord[] => {
  const copies: Wal[] = [];
  for (const { postgres } of world.hosts.values()) copies.push(...postgres.disk.copies());
  const shared = copies.reduce((most, copy) => Math.max(most, wal.sharedWith(copy)), 0);
  const doubtful = wal.records.slice(shared).filter(({ write }) => write !== undefined);
  if (doubtful.length === 0) return [];
  const held = new Set<number>();
  for (const copy of copies) for (const { id } of copy.records) held.add(id);
  return doubtful.filter(({ id }) => !held.has(id));
};
