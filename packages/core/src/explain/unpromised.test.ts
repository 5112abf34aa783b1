/** How a story tells of commits that nobody can promise: by themselves, and in what they came of. */
import { describe, expect, it } from 'vitest';
import type { JournalDetails } from '../model/journal.ts';
import type { JournalEntry } from './entry.ts';
import { explain } from './explain.ts';

type Line = readonly [ms: number, event: string, details: JournalDetails, because?: string];

const tell = (...lines: readonly Line[]) => {
  const entries = lines.map(
    ([wallMs, event, details, because]): JournalEntry => ({
      teller: 'pg1',
      wallMs,
      clock: wallMs,
      revision: 1,
      event,
      level: event === 'server.exited' ? 'error' : 'warn',
      rule: undefined,
      because,
      action: undefined,
      details,
    }),
  );
  return explain([{ teller: 'pg1', entries }]).incidents;
};

const textsOf = ([incident]: ReturnType<typeof tell>): readonly string[] =>
  incident?.steps.map(({ text }) => text) ?? [];

const CANCELLED: Line = [
  100,
  'commits.cancelled',
  { count: 1, cancelled: 1, terminated: 0 },
  '1 wait was cancelled while a commit waited for standbys',
];

describe('commits that nobody can promise', () => {
  it('are an incident by themselves, with whoever has them', () => {
    const told = tell(CANCELLED);
    expect(told).toMatchObject([
      {
        kind: 'commits-unpromised',
        title: 'pg1 has commits that nobody can promise',
        cause: 'waits for standbys were cancelled',
        settled: true,
        missing: [],
      },
    ]);
    expect(textsOf(told)).toEqual([
      '1 commit left to the primary alone: ' +
        '1 wait was cancelled while a commit waited for standbys',
    ]);
  });

  it('are a step of a crash that has exposed them', () => {
    const told = tell(
      [0, 'server.exited', { as: 'primary', signal: 'SIGKILL' }],
      [20, 'server.restarting', {}],
      [900, 'primary.accepting', { timeline: 1 }],
      [990, 'commits.exposed', { commits: 3, timeline: 1, from: '0/5000000', to: '0/5000100' }],
    );
    expect(told).toMatchObject([{ kind: 'restart-in-place', settled: true }]);
    expect(textsOf(told)).toContain(
      'up to 3 commits made visible by the restart, which too few standbys are known to have had: ' +
        '0/5000000 to 0/5000100 on timeline 1',
    );
  });

  it('are told of also when they could not be counted', () => {
    const told = tell([0, 'commits.not-counted', { cause: 'nobody knows' }]);
    expect(told).toMatchObject([{ kind: 'commits-unpromised' }]);
    expect(textsOf(told)).toEqual([
      'how many commits the restart has made visible is not known: nobody knows',
    ]);
  });
});
