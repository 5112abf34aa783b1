import type { MakeChecker } from './checker.ts';

/** Files that are not ours are never moved, overwritten or removed. */
export const foreignDataUntouched: MakeChecker = ({ report }) => ({
  name: 'foreign-data-untouched',
  see: (sighting) => {
    if (sighting.kind === 'foreign-data-touched')
      report(sighting.host, `touched files of somebody else: ${sighting.by}`);
  },
});
