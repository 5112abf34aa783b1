import { describe, expect, it } from 'vitest';
import type { DrillRun } from '../report.ts';
import { type Figures, renderPage } from './write-page.ts';

const runOf = (scenario: string, writeOutageMs: number, newPrimary: string): DrillRun =>
  ({
    scenario,
    writeOutageMs,
    oldPrimary: 'pg1',
    newPrimary,
    clientErrors: 4,
    rejoinedMs: 2_000,
    lost: 0,
  }) as DrillRun;

const figures: Figures = {
  ttlMs: 5_000,
  idle: [{ member: 'pg1', rssMegabytes: 120, cpuPercent: 1.5 }],
  modes: [
    {
      mode: 'quorum',
      runs: [runOf('primary-crash', 400, 'pg1'), runOf('primary-crash', 600, 'pg2')],
    },
  ],
  thaws: [{ lateMs: [1.25, 3.5] }, { lateMs: [] }],
};

describe('the page of the benchmark', () => {
  it('counts the runs of each fault, and those that moved the primary', () => {
    expect(renderPage(figures)).toContain('## quorum replication\n');
    expect(renderPage(figures)).toContain(
      '| primary-crash | 2 | 1 | 500 | 400 | 600 | 4 | 2000 | 0 |',
    );
  });

  it('tells how much a primary acknowledged that thawed, and until when', () => {
    expect(renderPage(figures)).toContain('| 2 | 1 | 2 | 3.5 ms |');
  });

  it('gives no number for a loss that nobody could count', () => {
    const runs = [{ ...runOf('switchover', 500, 'pg2'), lost: null }];
    const page = renderPage({ ...figures, modes: [{ mode: 'asynchronous', runs }] });
    expect(page).toMatch(/\| switchover .* not counted \|/);
  });
});
