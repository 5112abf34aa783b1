/**
 * Shows which lineage a data directory is on, and which history files stand in its way. With pg_wal
 * directories made of empty files: only their names and the histories matter.
 */
import { type Lineage, type Lsn, lsn, parseLsn, timeline } from '@matriarch/core';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { ControlData } from './control-data.ts';
import { lineageOnDisk, obsoleteHistories, placeHistories, readLineage } from './history-files.ts';

let walDirectory: string;
beforeEach(async () => {
  walDirectory = await mkdtemp(join(tmpdir(), 'matriarch-wal-'));
});
afterEach(() => rm(walDirectory, { recursive: true, force: true }));

const at = (text: string): Lsn => parseLsn(text) ?? lsn(-1n);
const ancestor = (number: number, text: string) => ({
  timeline: timeline(number),
  switchLsn: at(text),
});
const first: Lineage = { timeline: timeline(1), ancestors: [] };
const second: Lineage = { timeline: timeline(2), ancestors: [ancestor(1, '0/5000100')] };

const control = (changes: Partial<ControlData> = {}): ControlData => ({
  systemIdentifier: '1',
  state: 'in-recovery',
  checkpointLsn: at('0/4000060'),
  redoLsn: at('0/4000028'),
  checkpointTimeline: timeline(1),
  minRecoveryLsn: lsn(0n),
  minRecoveryTimeline: timeline(0),
  walBlockBytes: 8192,
  walSegmentBytes: 16 * 1024 * 1024,
  checksums: true,
  walLogHints: false,
  minimums: {},
  ...changes,
});

const files = async (contents: Readonly<Record<string, string>>): Promise<void> => {
  for (const [name, text] of Object.entries(contents))
    await writeFile(join(walDirectory, name), text);
};

const SEGMENT = '000000010000000000000005';
const NEWER = '000000020000000000000005';
const HISTORY = '1\t0/5000100\tno recovery target specified\n';

describe('lineageOnDisk', () => {
  const standby = true;

  it('is the control file’s for a primary, whatever else lies there', async () => {
    await files({ '00000002.history': HISTORY, [NEWER]: '' });
    const primary = { walDirectory, control: control(), standby: false };
    expect(await lineageOnDisk(primary)).toEqual(first);
  });

  it('is the new one for a primary that died before its first checkpoint on it', async () => {
    await files({ '00000002.history': HISTORY });
    const died = control({ minRecoveryTimeline: timeline(2), minRecoveryLsn: at('0/5000130') });
    expect(await lineageOnDisk({ walDirectory, control: died, standby: false })).toEqual(second);
  });

  it('is the new one for a standby that has WAL of it', async () => {
    await files({ '00000002.history': HISTORY, [SEGMENT]: '', [NEWER]: '' });
    expect(await lineageOnDisk({ walDirectory, control: control(), standby })).toEqual(second);
  });

  it('is the old one for a standby that knows of the new one only', async () => {
    await files({ '00000002.history': HISTORY, [SEGMENT]: '' });
    expect(await lineageOnDisk({ walDirectory, control: control(), standby })).toEqual(first);
  });

  it('is the old one when the new one forked before what the standby has settled', async () => {
    await files({ '00000002.history': '1\t0/4000000\tx\n', [SEGMENT]: '', [NEWER]: '' });
    expect(await lineageOnDisk({ walDirectory, control: control(), standby })).toEqual(first);
  });

  it('goes on over numbers that were reserved', async () => {
    const third = '1\t0/5000100\tx\n2\t0/6000000\tx\n';
    await files({
      '00000002.history': HISTORY,
      '00000003.history': '',
      '00000004.history': third,
      [NEWER]: '',
      '000000040000000000000006': '',
    });
    expect(await lineageOnDisk({ walDirectory, control: control(), standby })).toEqual({
      timeline: 4,
      ancestors: [ancestor(1, '0/5000100'), ancestor(2, '0/6000000')],
    });
  });
});

describe('readLineage', () => {
  it('knows no ancestors when there is no history', async () => {
    expect(await readLineage(walDirectory, timeline(7))).toEqual({ timeline: 7, ancestors: [] });
  });
});

describe('obsoleteHistories', () => {
  it('are empty ones and those of a fork, above the own timeline', async () => {
    await files({
      '00000002.history': '',
      '00000003.history': '1\t0/4000000\tx\n',
      '00000004.history': HISTORY,
      '00000005.history': '9\t0/5000100\tx\n',
    });
    const disk = { walDirectory, control: control(), lineage: first };
    expect(await obsoleteHistories(disk)).toEqual([2, 3, 5]);
    expect(
      await obsoleteHistories({ ...disk, lineage: { timeline: timeline(5), ancestors: [] } }),
    ).toEqual([]);
  });
});

describe('placeHistories', () => {
  it('reserves numbers and completes the ancestors’, and leaves what is there', async () => {
    await files({ '00000005.history': 'as it was' });
    const lineage: Lineage = {
      timeline: timeline(4),
      ancestors: [ancestor(1, '0/5000100'), ancestor(3, '0/6000000')],
    };
    await placeHistories({ walDirectory, lineage, owner: undefined }, [timeline(2), timeline(5)]);
    expect((await readdir(walDirectory)).sort()).toEqual([
      '00000002.history',
      '00000003.history',
      '00000005.history',
    ]);
    const read = (name: string): Promise<string> => readFile(join(walDirectory, name), 'utf8');
    expect(await read('00000002.history')).toBe('');
    expect(await read('00000005.history')).toBe('as it was');
    expect(await readLineage(walDirectory, timeline(3))).toEqual({
      timeline: 3,
      ancestors: [ancestor(1, '0/5000100')],
    });
  });

  it('completes those of a clone, also of the numbers that were skipped', async () => {
    await files({ '00000005.history': '1\t0/5000100\tx\n4\t0/6000000\tx\n' });
    const lineage: Lineage = {
      timeline: timeline(5),
      ancestors: [ancestor(1, '0/5000100'), ancestor(4, '0/6000000')],
    };
    await placeHistories({ walDirectory, lineage, owner: undefined });
    const sizes = await Promise.all(
      [2, 3, 4].map(async (number) => {
        const text = await readFile(join(walDirectory, `0000000${number}.history`), 'utf8');
        return text.length;
      }),
    );
    expect(sizes).toEqual([0, 0, expect.toSatisfy((size: number) => size > 0)]);
  });
});
