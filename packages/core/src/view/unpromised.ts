/** What people are to know of commits that nobody can promise, from the facts before and after. */
import { formatLsn } from '../model/lsn.ts';
import type { MemberState, StepEvent } from '../state.ts';

const told = (count: number, one: string, many: string): readonly string[] =>
  count === 0 ? [] : [`${count} ${count === 1 ? one : many}`];

export const deriveUnpromised = (
  { unpromised: before }: MemberState,
  { unpromised: after }: MemberState,
): readonly StepEvent[] => [
  ...deriveCancelled(before, after),
  ...deriveExposed(before, after),
  ...(after.uncounted !== undefined && after.uncounted !== before.uncounted
    ? [warning('commits.not-counted', { cause: after.uncounted.value })]
    : []),
  ...(after.blind !== undefined && after.blind !== before.blind
    ? [warning('commits.not-seen', { cause: after.blind })]
    : []),
];

type Known = MemberState['unpromised'];

const warning = (name: string, details: StepEvent['details'], because?: string): StepEvent => ({
  name,
  level: 'warn',
  details,
  because,
});

const deriveCancelled = (before: Known, after: Known): readonly StepEvent[] => {
  const cancelled = after.cancelled - before.cancelled;
  const terminated = after.terminated - before.terminated;
  const count = cancelled + terminated;
  if (count === 0) return [];
  const how = [
    ...told(cancelled, 'wait was cancelled', 'waits were cancelled'),
    ...told(terminated, 'session was terminated', 'sessions were terminated'),
  ].join(', ');
  const because = `${how} while a commit waited for standbys`;
  return [warning('commits.cancelled', { count, cancelled, terminated }, because)];
};

const deriveExposed = (before: Known, after: Known): readonly StepEvent[] => {
  const { lastExposed } = after;
  if (lastExposed === undefined || lastExposed === before.lastExposed) return [];
  const { commits, timeline, from, to } = lastExposed;
  const because =
    'they were in the WAL of a server that ended, too few standbys are known to have had them, ' +
    'and the same data is a primary’s again';
  const where = { timeline, from: formatLsn(from), to: formatLsn(to) };
  return [warning('commits.exposed', { commits, ...where }, because)];
};
