import type { StoreSnapshot } from '@matriarch/core';

/** A primary, and every other member streaming from it. */
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
    )
  );
};
