import type { Results } from '@matriarch/core';
import type { Plant } from './plant.ts';

/** Mistakes with promises and with what they are counted on for. */
export const failsafePlants: readonly Plant[] = [
  {
    name: 'promise-is-not-kept',
    says: 'a member accepts, then votes and stands as if it had promised nothing',
    caughtBy: ['s1-writes-need-the-lease', 's4-never-two-primaries'],
    profile: 'failsafe',
    alterRequest: ({ id }) => ({ id, kind: 'done', because: 'Accepted' }),
  },
  {
    name: 'one-promise-is-enough',
    says: 'a primary goes on as soon as anybody has promised',
    caughtBy: ['s1-writes-need-the-lease'],
    profile: 'failsafe',
    from: 25,
    alterResult: (kind, result) => {
      if (kind !== 'ask-promises' || result.kind !== 'done') return result;
      const { given } = result as Results['ask-promises'];
      const promised = Object.values(given).find((answer) => answer.kind === 'promised');
      if (promised === undefined) return result;
      const all = Object.keys(given).map((name) => [name, promised] as const);
      return { kind: 'done', given: Object.fromEntries(all) };
    },
  },
];
