import type { MakeChecker } from './checker.ts';

const WINDOW_MS = 10_000;
/** Far above what any situation asks for: a loop beyond it is going round in a circle. */
const ACTIONS_MAX = 1_500;

/** A member never does the same things over and over as fast as it can. */
export const noStorm: MakeChecker = ({ world, report }) => {
  const counts = new Map<string, { since: number; actions: Map<string, number>; total: number }>();
  return {
    name: 'no-storm',
    see: (sighting) => {
      if (sighting.kind !== 'dispatched') return;
      const { host, action } = sighting;
      const { now } = world.kernel;
      let count = counts.get(host);
      if (count === undefined || now - count.since > WINDOW_MS) {
        count = { since: now, actions: new Map(), total: 0 };
        counts.set(host, count);
      }
      count.total += 1;
      count.actions.set(action.kind, (count.actions.get(action.kind) ?? 0) + 1);
      if (count.total !== ACTIONS_MAX) return;
      const [most] = [...count.actions].sort(([, a], [, b]) => b - a);
      report(host, `${count.total} actions in 10 s, most of them ${most?.join(': ') ?? ''}`);
    },
  };
};
