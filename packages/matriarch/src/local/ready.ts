import { type StoreSnapshot, mayBeSynchronous, mayFailOver } from '@matriarch/core';
import { readClusterSettings } from '@matriarch/protocol';

/** A primary, every other member streaming from it, and commits protected as the mode says. */
export const isReady = (snapshot: StoreSnapshot, memberCount: number): boolean => {
  const leader = snapshot.leader?.value;
  const documents = Object.entries(snapshot.members);
  return (
    leader !== undefined &&
    documents.length === memberCount &&
    documents.every(([name, { value }]) =>
      name === leader
        ? value.role === 'primary' && value.state === 'running'
        : value.replicationState === 'streaming',
    ) &&
    isProtected(snapshot, leader)
  );
};

/** Whoever should be waited for is in the electorate (rule S6). */
const isProtected = ({ sync, config, members }: StoreSnapshot, leader: string): boolean => {
  const { synchronousMode } = readClusterSettings(config?.value);
  // One that was switched off is still waited for until the store names nobody.
  if (synchronousMode === 'off') return (sync?.value.voters ?? []).length === 0;
  if (sync?.value.leader !== leader) return false;
  const eligible = Object.entries(members).filter(
    ([name, { value }]) =>
      name !== leader && mayBeSynchronous(value.tags) && mayFailOver(value.tags),
  );
  const { voters } = sync.value;
  if (synchronousMode === 'priority') return voters.length > 0 || eligible.length === 0;
  return eligible.every(([name]) => voters.some((voter) => voter === name));
};
