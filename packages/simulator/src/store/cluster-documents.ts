import type {
  DocumentKey,
  LeaseId,
  MemberDocument,
  Revision,
  StoreDocuments,
  StoreSnapshot,
  StoreTransaction,
  StoreWrite,
  Versioned,
} from '@matriarch/core';
import type { EntryCompare, EntryWrite, KeyValueCore, StoredEntry } from './key-value-core.ts';

/** Any document of the cluster; which one it is, the key tells. */
export type ClusterDocument = StoreDocuments[DocumentKey] | MemberDocument;

const MEMBER_PREFIX = 'members/';

export const memberKey = (member: string): string => `${MEMBER_PREFIX}${member}`;

const versioned = (entry: StoredEntry<ClusterDocument>): Versioned<ClusterDocument> => ({
  value: entry.value,
  createRevision: entry.createRevision as Revision,
  modRevision: entry.modRevision as Revision,
  leaseId: entry.leaseId as LeaseId | undefined,
});

/** All documents as one snapshot. */
export const assembleSnapshot = (store: KeyValueCore<ClusterDocument>): StoreSnapshot => {
  const members: Record<string, Versioned<ClusterDocument>> = {};
  const documents: Record<string, Versioned<ClusterDocument>> = {};
  for (const entry of store.entries()) {
    if (entry.key.startsWith(MEMBER_PREFIX))
      members[entry.key.slice(MEMBER_PREFIX.length)] = versioned(entry);
    else documents[entry.key] = versioned(entry);
  }
  // The keys were written through `entryWrites`, which keeps each document under its own key.
  return { revision: store.revision as Revision, members, ...documents } as StoreSnapshot;
};

export const entryCompares = ({ compares }: StoreTransaction): readonly EntryCompare[] => compares;

const entryWrite = (write: StoreWrite): EntryWrite<ClusterDocument> => {
  if ('member' in write)
    return { key: memberKey(write.member), put: write.put, leaseId: write.leaseId };
  if ('remove' in write) return { key: write.key, remove: true };
  return { key: write.key, put: write.put, leaseId: write.leaseId };
};

export const entryWrites = ({ writes }: StoreTransaction): readonly EntryWrite<ClusterDocument>[] =>
  writes.map(entryWrite);
