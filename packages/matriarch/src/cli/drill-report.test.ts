/** The file of a report is tried without a trace, and only what is a report is gone on from. */
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { DrillReport } from '../drills/report.ts';
import { readFound, whyNotWritable, writeReport } from './drill-report.ts';

const fileIn = (name: string, text?: string): string => {
  const directory = mkdtempSync(join(tmpdir(), 'matriarch-report-'));
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
  const file = join(directory, name);
  if (text !== undefined) writeFileSync(file, text);
  return file;
};

const report: DrillReport = {
  cluster: 'demo',
  ttlMs: 5_000,
  drills: [{ scenario: 'switchover', says: 'it is asked for', mode: 'quorum', runs: [] }],
};

describe('what was found', () => {
  it('is what was written', () => {
    const file = fileIn('report.json');
    writeReport(file, report);
    expect(readFound(file)).toEqual(report.drills);
  });

  it('is nothing before there is a file', () => {
    expect(readFound(fileIn('report.json'))).toEqual([]);
  });

  it.each(['', '{', 'null', '[]', '{"drills":"all"}', '{"drills":[{}]}', '{"drills":[null]}'])(
    'is not read out of %j',
    (text) => {
      const file = fileIn('report.json', text);
      expect(readFound(file)).toBe(
        `${file}: is no report of drills; name another file, or remove it`,
      );
    },
  );
});

describe('a place', () => {
  it('is tried without a trace', () => {
    const fresh = fileIn('report.json');
    expect(whyNotWritable(fresh)).toBeUndefined();
    expect(existsSync(fresh)).toBe(false);
    const kept = fileIn('report.json', 'kept');
    expect(whyNotWritable(kept)).toBeUndefined();
    expect(readFileSync(kept, 'utf8')).toBe('kept');
    expect(whyNotWritable(undefined)).toBeUndefined();
  });

  it('that takes no file is told with its cause', () => {
    const file = join(fileIn('none'), 'report.json');
    expect(whyNotWritable(file)).toMatch(/report\.json: cannot be written \(ENOENT/);
  });
});

it('a page is written where the name says so', () => {
  const file = fileIn('report.html');
  writeReport(file, report);
  expect(readFileSync(file, 'utf8')).toMatch(/^<!doctype html>/);
});
