/** Rows of `list`, assembled from snapshots of the store. */
import { type MemberDocument, defaultTags, lsn } from '@matriarch/core';
import { describe, expect, it } from 'vitest';
import {
  type SnapshotChanges,
  buildSnapshot,
  memberDocument,
} from '../../agent/api/testing/build-state.ts';
import { type MemberRow, assembleMemberRows, lagCell, positionCell } from './member-rows.ts';

const MEGABYTE = 1_048_576;

const rowOf = (
  name: string,
  document: Partial<MemberDocument> = {},
  changes: SnapshotChanges = {},
): MemberRow => {
  const members = {
    pg1: memberDocument(1),
    pg2: memberDocument(2),
    [name]: memberDocument(3, document),
  };
  const row = assembleMemberRows(buildSnapshot({ members, ...changes })).find(
    ({ member }) => member === name,
  );
  if (row === undefined) throw new Error(`no row ${name}`);
  return row;
};

describe('a row', () => {
  it('of the lease holder says its own state and no positions', () => {
    expect(
      rowOf('pg1', { state: 'running', replicationState: 'streaming', receiveLsn: lsn(1) }),
    ).toMatchObject({
      role: 'Leader',
      state: 'running',
      timeline: 5,
      receiveLsn: undefined,
      replayLsn: undefined,
      receiveLagBytes: undefined,
      replayLagBytes: undefined,
    });
  });

  it('of a replica says how it replicates, and else its state', () => {
    expect(rowOf('pg3')).toMatchObject({ role: 'Replica', state: 'streaming' });
    expect(rowOf('pg3', { state: 'stopped', replicationState: undefined })).toMatchObject({
      state: 'stopped',
    });
  });

  it('of a member that PostgreSQL calls primary is a replica without the lease', () => {
    expect(rowOf('pg3', { role: 'primary' }).role).toBe('Replica');
    expect(rowOf('pg1', {}, { leader: undefined }).role).toBe('Replica');
  });

  it('counts bytes behind what the holder last said, each position for itself', () => {
    const positions = { receiveLsn: lsn(90), replayLsn: lsn(40) };
    expect(rowOf('pg3', positions, { optime: 100 })).toMatchObject({
      receiveLagBytes: 10n,
      replayLagBytes: 60n,
    });
  });

  it('never counts below zero: the holder says its position now and then only', () => {
    const positions = { receiveLsn: lsn(100), replayLsn: lsn(101) };
    expect(rowOf('pg3', positions, { optime: 100 })).toMatchObject({
      receiveLagBytes: 0n,
      replayLagBytes: 0n,
    });
  });

  it('knows no lag without a position, or without a word of the holder', () => {
    expect(rowOf('pg3', { receiveLsn: undefined }).receiveLagBytes).toBeUndefined();
    const { status: _, ...snapshot } = buildSnapshot();
    expect(assembleMemberRows(snapshot)[2]).toMatchObject({
      receiveLagBytes: undefined,
      replayLagBytes: undefined,
    });
  });

  it('shows how far a clone has come', () => {
    const job = { kind: 'clone', doneBytes: 3 * MEGABYTE, totalBytes: 4 * MEGABYTE + 1 } as const;
    expect(rowOf('pg3', { job }).progress).toBe('clone 74% of 5 MB');
    expect(rowOf('pg3', { job: { ...job, doneBytes: 9 * MEGABYTE } }).progress).toBe(
      'clone 100% of 5 MB',
    );
  });

  it('names work whose size is not known', () => {
    expect(rowOf('pg3', { job: { kind: 'initialise' } }).progress).toBe('initialise');
    expect(rowOf('pg3', { job: { kind: 'clone', doneBytes: 7 } }).progress).toBe('clone');
    expect(rowOf('pg3', { job: { kind: 'clone', doneBytes: 0, totalBytes: 0 } }).progress).toBe(
      'clone',
    );
    expect(rowOf('pg3').progress).toBeUndefined();
  });

  it('says whether a restart is pending', () => {
    expect(rowOf('pg3').pendingRestart).toBe(false);
    expect(rowOf('pg3', { pendingRestart: true }).pendingRestart).toBe(true);
  });

  it('lists tags that are not as usual, also those we do not interpret', () => {
    expect(rowOf('pg3').tags).toEqual({});
    const tags = {
      nofailover: true,
      failoverPriority: 3,
      noloadbalance: true,
      clonefrom: true,
      nosync: true,
      syncPriority: 2,
      others: { zone: 'b' },
    };
    expect(rowOf('pg3', { tags }).tags).toEqual({
      nofailover: true,
      failover_priority: 3,
      noloadbalance: true,
      clonefrom: true,
      nosync: true,
      sync_priority: 2,
      zone: 'b',
    });
    expect(rowOf('pg3', { tags: { ...defaultTags, failoverPriority: 0 } }).tags).toEqual({
      failover_priority: 0,
    });
  });
});

describe('the host', () => {
  const hosts = (...urls: string[]): string[] => {
    const members = Object.fromEntries(
      urls.map((connUrl, index) => [`pg${index}`, memberDocument(1, { connUrl })]),
    );
    return assembleMemberRows(buildSnapshot({ members })).map(({ host }) => host);
  };

  it('comes without the port while all members use PostgreSQL’s own', () => {
    expect(hosts('postgres://10.0.0.1:5432/postgres', 'postgres://10.0.0.2:5432/x')).toEqual([
      '10.0.0.1',
      '10.0.0.2',
    ]);
  });

  it('comes with the port as soon as one member has another', () => {
    expect(hosts('postgres://10.0.0.1:5432/postgres', 'postgres://10.0.0.2:5433/x')).toEqual([
      '10.0.0.1:5432',
      '10.0.0.2:5433',
    ]);
  });
});

describe('rows', () => {
  it('are in the order of their names', () => {
    const members = { pg3: memberDocument(3), pg1: memberDocument(1), pg2: memberDocument(2) };
    expect(assembleMemberRows(buildSnapshot({ members })).map(({ member }) => member)).toEqual([
      'pg1',
      'pg2',
      'pg3',
    ]);
  });
});

describe('cells', () => {
  const replica = rowOf('pg3');
  const leader = rowOf('pg1');

  it('round a lag to whole megabytes', () => {
    const megabytes = [0n, 524_287n, 524_288n, 1_572_863n, 1_572_864n].map((bytes) =>
      lagCell(replica, bytes),
    );
    expect(megabytes).toEqual([0, 0, 1, 1, 2]);
  });

  it('say that a replica does not tell, as patronictl does', () => {
    expect(lagCell(replica, undefined)).toBe('unknown');
    expect(positionCell(replica, undefined)).toBe('unknown');
    expect(positionCell(replica, lsn(0x1_0000_00ffn))).toBe('1/FF');
  });

  it('of the lease holder are empty', () => {
    expect([lagCell(leader, 7n), positionCell(leader, lsn(7))]).toEqual([undefined, undefined]);
  });
});
