/** Sentences of what waits for a time name the time, and are no sign that something is wrong. */
import { expect, it } from 'vitest';
import type { PlacedEntry } from './entry.ts';
import { partitionEntries } from './partition.ts';
import { sentenceOf } from './sentences.ts';

const entry = (event: string, details: PlacedEntry['details']): PlacedEntry => ({
  teller: 'pg1',
  wallMs: 0,
  atMs: 0,
  clock: undefined,
  revision: undefined,
  event,
  level: 'info',
  rule: undefined,
  because: undefined,
  action: undefined,
  details,
});

const TIME = '2030-01-01T00:00:00+00:00';

it.each([
  ['switchover.requested', { from: 'pg1', to: 'pg2' }, 'a switchover is asked for from pg1 to pg2'],
  [
    'switchover.requested',
    { from: 'pg1', for: TIME },
    `a switchover is asked for from pg1 for ${TIME}`,
  ],
  ['switchover.due', { for: TIME }, `begin the switchover for ${TIME}`],
  ['switchover.dropped', { for: TIME }, `drop the switchover for ${TIME}`],
  ['restart.scheduled', { for: TIME }, `a restart is planned for ${TIME}`],
  ['restart.cancelled', { for: TIME }, `the restart for ${TIME} is taken back`],
  ['restart.due', { for: TIME }, `begin the restart for ${TIME}`],
  ['restart.dropped', { for: TIME }, `drop the restart for ${TIME}`],
])('%s %j', (event, details, text) => {
  const told = entry(event, details);
  expect(sentenceOf(told)?.text).toBe(text);
  const { episodes } = partitionEntries([told]);
  expect(episodes).toHaveLength('for' in details ? 0 : 1);
});
