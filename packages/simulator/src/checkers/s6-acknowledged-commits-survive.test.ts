/** Whose promotion counts: that of the newest timeline, whenever it comes to its end. */
import { describe, expect, it } from 'vitest';
import type { WalRecord } from '../postgres/wal.ts';
import type { World } from '../world/world.ts';
import { s6AcknowledgedCommitsSurvive } from './s6-acknowledged-commits-survive.ts';

const record = { id: 7, end: 100, timeline: 3 } as unknown as WalRecord;

const hostWith = (name: string, records: readonly WalRecord[]) => ({
  name,
  postgres: {
    acceptsWrites: true,
    disk: { data: { wal: { records, countUpTo: () => records.length } } },
  },
});

const watch = () => {
  const reports: string[] = [];
  const hosts = [hostWith('anna', []), hostWith('bert', [record])];
  const world = {
    hosts: new Map(hosts.map((host) => [host.name, host])),
    store: { documents: { get: () => ({ createRevision: 1 }) } },
    policy: { synchronous: { mode: 'quorum' } },
  } as unknown as World;
  const report = (host: string, message: string): void => {
    reports.push(`${host} ${message}`);
  };
  const checker = s6AcknowledgedCommitsSurvive({ world, report } as never);
  const promote = (host: string, timeline: number): void =>
    checker.see?.({
      kind: 'promoted',
      host,
      timeline,
      systemIdentifier: '1',
      parent: 1,
      switchLsn: 0,
    });
  const commit = (host: string): void =>
    checker.see?.({ kind: 'committed', host, record, synchronous: true });
  return { reports, promote, commit };
};

describe('the checker of acknowledged commits', () => {
  it('sees a later primary that lacks one', () => {
    const { reports, promote, commit } = watch();
    promote('bert', 2);
    commit('bert');
    promote('anna', 3);
    expect(reports).toEqual(['anna was promoted without a commit that bert acknowledged at 100']);
  });

  it('sees one that a server acknowledges which another has followed', () => {
    const { reports, promote, commit } = watch();
    promote('bert', 2);
    promote('anna', 3);
    commit('bert');
    expect(reports).toEqual(['bert acknowledged a commit that anna does not have']);
  });

  it('takes nobody for a successor who thaws in a promotion of an earlier term', () => {
    const { reports, promote, commit } = watch();
    promote('bert', 3);
    commit('bert');
    promote('anna', 2);
    commit('bert');
    expect(reports).toEqual([]);
  });
});
