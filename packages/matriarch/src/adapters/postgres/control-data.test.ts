/** Shows what is read from pg_controldata's output, and that other text is not taken for it. */
import { lsn } from '@matriarch/core';
import { mkdirSync, mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import type { PostgresContext } from './context.ts';
import { controlTimeline, parseControlData, readControlData } from './control-data.ts';

/** PostgreSQL 15, a server that was promoted and has not made a checkpoint since. */
const PROMOTED = `
pg_control version number:            1300
Database system identifier:           7711352199463676435
Database cluster state:               in production
Latest checkpoint location:           0/F000060
Latest checkpoint's REDO location:    0/F000028
Latest checkpoint's TimeLineID:       1
Latest checkpoint's PrevTimeLineID:   1
Minimum recovery ending location:     0/10001928
Min recovery ending loc's timeline:   4
wal_level setting:                    replica
wal_log_hints setting:                off
max_connections setting:              100
max_worker_processes setting:         8
max_wal_senders setting:              10
max_prepared_xacts setting:           0
max_locks_per_xact setting:           64
Database block size:                  8192
WAL block size:                       8192
Bytes per WAL segment:                16777216
Data page checksum version:           1
`;

describe('parseControlData', () => {
  it('reads what is needed', () => {
    const control = parseControlData(PROMOTED);
    expect(control).toEqual({
      systemIdentifier: '7711352199463676435',
      state: 'in-production',
      checkpointLsn: lsn(0xf000060n),
      redoLsn: lsn(0xf000028n),
      checkpointTimeline: 1,
      minRecoveryLsn: lsn(0x10001928n),
      minRecoveryTimeline: 4,
      walBlockBytes: 8192,
      walSegmentBytes: 16777216,
      checksums: true,
      walLogHints: false,
      minimums: {
        max_connections: 100,
        max_worker_processes: 8,
        max_wal_senders: 10,
        max_prepared_transactions: 0,
        max_locks_per_transaction: 64,
      },
    });
    expect(control === undefined ? undefined : controlTimeline(control)).toBe(4);
  });

  it.each([
    ['shut down', 'shut-down'],
    ['shut down in recovery', 'shut-down-in-recovery'],
    ['shutting down', 'in-production'],
    ['in crash recovery', 'in-production'],
    ['in archive recovery', 'in-recovery'],
    ['starting up', 'other'],
  ])('takes %s for %s', (text, state) => {
    expect(parseControlData(PROMOTED.replace('in production', text))?.state).toBe(state);
  });

  it.each(['', 'nonsense', PROMOTED.replace(/^Bytes.*$/m, ''), PROMOTED.replace('0/F000028', '?')])(
    'answers undefined when something is missing (%#)',
    (text) => {
      expect(parseControlData(text)).toBeUndefined();
    },
  );
});

describe('readControlData', () => {
  const directory = mkdtempSync(join(tmpdir(), 'matriarch-control-'));
  const path = join(directory, 'global', 'pg_control');
  mkdirSync(join(directory, 'global'));
  afterAll(() => rmSync(directory, { recursive: true, force: true }));

  let runs = 0;
  const context = {
    binaries: { pg_controldata: 'pg_controldata' },
    run: () => {
      runs += 1;
      return Promise.resolve({ kind: 'exited', code: 0, stdout: PROMOTED, stderr: '' });
    },
  } as unknown as PostgresContext;

  const write = (ageMs: number): void => {
    writeFileSync(path, 'pg_control');
    const at = (Date.now() - ageMs) / 1_000;
    utimesSync(path, at, at);
  };

  it('runs pg_controldata once for each version of the file', async () => {
    write(5_000);
    const first = await readControlData(context, directory);
    expect(await readControlData(context, directory)).toEqual(first);
    expect(runs).toBe(1);
    write(4_000);
    await readControlData(context, directory);
    expect(runs).toBe(2);
  });

  it('trusts no time stamp of a moment ago', async () => {
    write(0);
    runs = 0;
    await readControlData(context, directory);
    await readControlData(context, directory);
    expect(runs).toBe(2);
  });
});
