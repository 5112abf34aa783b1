/** The page that a report becomes: whole in itself, and safe whatever servers have said. */
import { expect, it } from 'vitest';
import { renderReport } from './render-report.ts';
import type { DrillReport, DrillRun } from './report.ts';

const run: DrillRun = {
  scenario: 'host-loss',
  startedAt: '2026-11-28T06:00:00.000Z',
  oldPrimary: 'pg1',
  newPrimary: 'pg2',
  wroteAgain: true,
  movedAgain: false,
  writeOutageMs: 5_100,
  readOutageMs: 20,
  clientErrors: 3,
  errors: { '<script>alert(1)</script>': 3 },
  acknowledged: 4711,
  lost: 0,
  harms: [{ name: 'kill-host pg1', atMs: 0 }],
  steps: [{ name: 'lease.acquired pg2', atMs: 5_000 }],
  rejoinedMs: 7_000,
  wholeMs: 1_500,
  writes: { bucketMs: 100, fromMs: -200, counts: [10, 0, 5, 0] },
  incidents: [{ title: 'failover', cause: 'host gone', evidence: ['the lease had expired'] }],
};

const reportOf = (...runs: readonly DrillRun[]): DrillReport => ({
  cluster: 'demo & more',
  ttlMs: 5_000,
  drills: [{ scenario: 'host-loss', says: 'a host is lost', mode: 'quorum', runs }],
});

it('is one page that fetches nothing', () => {
  const page = renderReport(reportOf(run));
  expect(page).toContain('<title>Drills of demo &amp; more</title>');
  expect(page).not.toMatch(/(?:src|href)="(?!#)/);
  expect(page).not.toContain('<script');
  expect(page).toContain('&lt;script&gt;');
});

it('draws the writes of each run to scale, and what was done and seen', () => {
  const [chart = ''] = /<svg[\s\S]*?<\/svg>/.exec(renderReport(reportOf(run))) ?? [];
  const heights = [...chart.matchAll(/<rect[^>]*height="([\d.]+)"/g)].map(([, text]) =>
    Number(text),
  );
  expect(heights).toEqual([70, 0, 35, 0]);
  // In the middle of 400 ms that begin 200 ms before the harm.
  expect(chart).toContain('<line x1="450.0" x2="450.0"');
  expect(chart).toContain('kill-host pg1: 0 ms');
  expect(chart).toContain('lease.acquired pg2: 5000 ms');
});

it('says of each drill whether it has passed, and why not', () => {
  const passed = renderReport(reportOf(run, { ...run, writeOutageMs: 5_300 }));
  expect(passed).toContain('5.10 s / 5.20 s / 5.30 s');
  expect(passed).toContain('>passed<');
  const failed = renderReport(reportOf(run, { ...run, lost: 2 }));
  expect(failed).toContain('1 of 2 failed');
  expect(failed).toContain('2 acknowledged writes are lost');
});
