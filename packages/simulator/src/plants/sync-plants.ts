import type { StoreSnapshot, SyncDocument } from '@matriarch/core';
import type { Plant } from './plant.ts';

const S6 = 's6-acknowledged-commits-survive';

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
