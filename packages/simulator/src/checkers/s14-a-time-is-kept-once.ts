import type { MakeChecker } from './checker.ts';

/**
 * S14: what was asked for at a time begins when the wall clock of its host has shown that time, and
 * a restart that has happened is not begun again.
 */
export const s14ATimeIsKeptOnce: MakeChecker = ({ world, report }) => {
  /** By their words, of which each has its own: when it was asked for, and what for. */
  const asked = new Map<string, { readonly since: number; readonly at: number | undefined }>();
  /** With which server a restart has begun. */
  const begunWith = new Map<string, number | undefined>();
  return {
    name: 's14-a-time-is-kept-once',
    see: (sighting) => {
      if (sighting.kind === 'time-asked-for') {
        const { text, at } = sighting.schedule;
        asked.set(text, { since: world.kernel.now, at });
      }
      if (sighting.kind !== 'time-has-come') return;
      const { host, rule, text, startedAt } = sighting;
      const { since = 0, at } = asked.get(text) ?? {};
      const latest = world.hosts.get(host)?.machine.wallClock.latestSince(since);
      if (at === undefined || latest === undefined)
        return report(host, `begins what nobody has asked for: ${text}`);
      if (latest < at) report(host, `begins ${at - latest} ms too early what was ${text}`);
      if (rule !== 'begin-scheduled-restart') return;
      const isAgain = begunWith.has(text) && begunWith.get(text) !== startedAt;
      if (isAgain) report(host, `begins again what has happened: ${text}`);
      if (!begunWith.has(text)) begunWith.set(text, startedAt);
    },
  };
};
