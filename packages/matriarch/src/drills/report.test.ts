/** A run as people read it, and what is wrong with one. */
import { describe, expect, it } from 'vitest';
import { type DrillRun, faultReportOf, findProblems, formatRun, spread } from './report.ts';

const run: DrillRun = {
  scenario: 'primary-crash',
  startedAt: '2026-11-28T06:00:00.000Z',
  oldPrimary: 'pg1',
  newPrimary: 'pg2',
  wroteAgain: true,
  movedAgain: false,
  writeOutageMs: 156,
  readOutageMs: 20,
  clientErrors: 3,
  errors: { 'SQLSTATE 57P01': 3 },
  acknowledged: 4711,
  lost: 0,
  harms: [{ name: 'kill-postmaster pg1', atMs: 0 }],
  steps: [
    { name: 'server.exited pg1', atMs: 4 },
    { name: 'write.acknowledged', atMs: 158 },
  ],
  rejoinedMs: 2_345,
  wholeMs: 2_300,
  writes: { bucketMs: 100, fromMs: -2_000, counts: [4, 0, 7] },
  incidents: [{ title: 'failover', cause: 'it crashed', evidence: ['its guard saw it silent'] }],
};

describe('formatRun', () => {
  it('tells a run from the harm to the last member that is back', () => {
    expect(formatRun(run).split('\n')).toEqual([
      'primary-crash: PostgreSQL of the primary is killed (SIGKILL of the postmaster): pg1 → pg2',
      '  writes stopped for 0.16 s, reads for 0.02 s, 3 statements ended with an error',
      '  nothing of 4711 acknowledged writes lost',
      '        0 ms  kill-postmaster pg1',
      '        4 ms  server.exited pg1',
      '      158 ms  write.acknowledged',
      '              its guard saw it silent',
      '     2345 ms  every member streams again',
    ]);
  });

  it('says when the same member is primary again', () => {
    expect(formatRun({ ...run, newPrimary: 'pg1' })).toContain('pg1 is the primary again');
  });

  it('says what was lost', () => {
    expect(formatRun({ ...run, lost: 2 })).toContain('2 of 4711 acknowledged writes lost');
    expect(formatRun({ ...run, lost: null })).toContain('what is lost of 4711 acknowledged writes');
  });

  it('says that not everybody came back', () => {
    expect(formatRun({ ...run, rejoinedMs: null })).toContain(
      'not every member streamed again within the limit',
    );
  });
});

describe('a run has passed', () => {
  it('when nothing is lost and every member streams again', () => {
    expect(findProblems(run, 'quorum')).toEqual([]);
  });

  it('unless acknowledged writes are lost', () => {
    const lossy = { ...run, scenario: 'host-loss', lost: 1 };
    expect(findProblems(lossy, 'asynchronous')).toEqual([]);
    expect(findProblems(lossy, 'hybrid')).toEqual([]);
    for (const mode of ['synchronous', 'quorum'] as const)
      expect(findProblems(lossy, mode)).toEqual(['1 acknowledged writes are lost']);
    // PostgreSQL crashed and its host lives: nothing may be lost in any mode.
    expect(findProblems({ ...run, lost: 1 }, 'asynchronous')).toHaveLength(1);
  });

  it('unless applications could write again, and nothing moved after that', () => {
    expect(findProblems({ ...run, wroteAgain: false }, 'quorum')).toEqual([
      'applications could not write again',
    ]);
    expect(findProblems({ ...run, movedAgain: true }, 'quorum')).toEqual([
      'the lease moved once more when nothing was harmed any more',
    ]);
  });

  it('unless what was lost could not be counted', () => {
    expect(findProblems({ ...run, lost: null }, 'asynchronous')).toEqual([
      'what was lost could not be counted',
    ]);
  });

  it('unless the wrong member is primary', () => {
    const stayed = { ...run, scenario: 'host-loss', newPrimary: 'pg1' };
    expect(findProblems(stayed, 'quorum')).toEqual(['pg1 is still the primary']);
    expect(findProblems({ ...run, scenario: 'loop-kill' }, 'quorum')).toEqual([
      'pg2 is the primary, and pg1 should be',
    ]);
  });

  it('unless it takes too long until all is well, or never is', () => {
    expect(findProblems({ ...run, wholeMs: null }, 'quorum')).toEqual([
      'not every member streams again',
    ]);
    expect(findProblems({ ...run, wholeMs: 31_000 }, 'quorum')).toEqual([
      'every member streamed again only after 31.00 s',
    ]);
  });

  it('never when nobody knows its scenario', () => {
    expect(findProblems({ ...run, scenario: 'no-such' }, 'quorum')).toEqual([
      'there is no scenario no-such',
    ]);
  });
});

describe('spread', () => {
  it('is the least, the middle and the most', () => {
    expect(spread([300, 100, 200])).toBe('0.10 s / 0.20 s / 0.30 s');
    expect(spread([250, 250])).toBe('0.25 s');
    expect(spread([])).toBe('never');
  });
});

describe('the demo', () => {
  it('reports of a run what its reports have always had', () => {
    expect(Object.keys(faultReportOf(run))).toEqual([
      'fault',
      'oldPrimary',
      'newPrimary',
      'writeOutageMs',
      'readOutageMs',
      'clientErrors',
      'acknowledged',
      'lost',
      'steps',
      'rejoinedMs',
    ]);
  });
});
