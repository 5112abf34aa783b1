import type { ServerProbe, StoreSnapshot, SyncDocument } from '@matriarch/core';
import type { ActionResult, Plant } from './plant.ts';

const S6 = 's6-acknowledged-commits-survive';

const alterProbe = (
  result: ActionResult,
  alter: (probe: Extract<ServerProbe, { kind: 'answers' }>) => ServerProbe,
): ActionResult =>
  result.kind === 'done' && 'probe' in result && result.probe.kind === 'answers'
    ? { ...result, probe: alter(result.probe) }
    : result;

/** Any single vote is enough, whoever gives it. */
const withOneVote = (snapshot: StoreSnapshot): StoreSnapshot => {
  const { sync, leader, members } = snapshot;
  if (sync === undefined || leader !== undefined) return snapshot;
  const voters = Object.keys(members) as unknown as SyncDocument['voters'];
  return { ...snapshot, sync: { ...sync, value: { ...sync.value, voters, quorum: 0 } } };
};

/** Mistakes with whom commits wait for and who may be elected. */
export const syncPlants: readonly Plant[] = [
  {
    name: 'one-vote-is-enough',
    says: 'whoever votes for itself is elected',
    caughtBy: [S6],
    profile: 'synchronous',
    alterResult: (_kind, result) =>
      result.kind === 'done' && 'snapshot' in result
        ? { ...result, snapshot: withOneVote(result.snapshot) }
        : result,
  },
];
