/** One fault as a person reads it. */
import { describe, expect, it } from 'vitest';
import { type FaultReport, formatFault } from './report.ts';

const report: FaultReport = {
  fault: 'primary-crash',
  oldPrimary: 'pg1',
  newPrimary: 'pg2',
  writeOutageMs: 156,
  readOutageMs: 20,
  clientErrors: 3,
  acknowledged: 4711,
  lost: 0,
  steps: [
    { name: 'server.exited pg1', atMs: 4 },
    { name: 'write.acknowledged', atMs: 158 },
  ],
  rejoinedMs: 2_345,
};

describe('formatFault', () => {
  it('tells a fault from the harm to the last member that is back', () => {
    expect(formatFault(report).split('\n')).toEqual([
      'PostgreSQL of the primary killed (SIGKILL of the postmaster): pg1 → pg2',
      '  writes stopped for 0.16 s, reads for 0.02 s, 3 statements ended with an error',
      '  nothing of 4711 acknowledged writes lost',
      '        4 ms  server.exited pg1',
      '      158 ms  write.acknowledged',
      '     2345 ms  every member streams again',
    ]);
  });

  it('says when the same member went on', () => {
    expect(formatFault({ ...report, newPrimary: 'pg1' })).toContain('pg1 started again in place');
  });

  it('says what was lost', () => {
    expect(formatFault({ ...report, fault: 'host-loss', lost: 2 })).toContain(
      '2 of 4711 acknowledged writes lost: no replica had received them',
    );
  });

  it('says that not everybody came back', () => {
    expect(formatFault({ ...report, rejoinedMs: null })).toContain(
      'not every member streamed again within the limit',
    );
  });

  it.each([
    ['host-loss', 'host of the primary lost'],
    ['switchover', 'switchover asked for'],
  ] as const)('calls %s by its name', (fault, title) => {
    expect(formatFault({ ...report, fault })).toContain(title);
  });
});
