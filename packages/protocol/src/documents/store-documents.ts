import type {
  DocumentKey,
  LeaseId,
  MemberDocument,
  Revision,
  StoreCompare,
  StoreDocuments,
  StoreSnapshot,
  StoreWrite,
  Versioned,
} from '@matriarch/core';
import { decodeMember, encodeMember } from './member-codec.ts';
import {
  bootstrapCodec,
  handoverCodec,
  holderCodec,
  quietCodec,
  timelinesCodec,
} from './own-codecs.ts';
import type { Codec } from './patroni-codecs.ts';
import {
  failoverCodec,
  historyCodec,
  jsonObject,
  leaderCodec,
  plainText,
  statusCodec,
  syncCodec,
} from './patroni-codecs.ts';

const codecs: { readonly [K in DocumentKey]: Codec<StoreDocuments[K]> } = {
  initialize: plainText,
  config: jsonObject,
  leader: leaderCodec,
  status: statusCodec,
  failover: failoverCodec,
  history: historyCodec,
  sync: syncCodec,
  failsafe: jsonObject,
  timelines: timelinesCodec,
  holder: holderCodec,
  handover: handoverCodec,
  bootstrap: bootstrapCodec,
  quiet: quietCodec,
};

export const documentKeys = Object.keys(codecs) as readonly DocumentKey[];

/** Documents only we know live apart from Patroni's, which `patronictl` then leaves alone. */
const own: ReadonlySet<DocumentKey> = new Set([
  'timelines',
  'holder',
  'handover',
  'bootstrap',
  'quiet',
]);

/** Where a document lives below the prefix of its cluster. */
export const documentPath = (key: DocumentKey): string => (own.has(key) ? `matriarch/${key}` : key);

const MEMBERS = 'members/';

export const memberPath = (name: string): string => `${MEMBERS}${name}`;

/** `/service/demo/`: all keys of one cluster begin with it. Slashes around names do not count. */
export const clusterPrefix = (namespace: string, scope: string): string => {
  const parts = `${namespace}/${scope}`.split('/').filter((part) => part !== '');
  return `/${parts.join('/')}/`;
};

const keysByPath: ReadonlyMap<string, DocumentKey> = new Map(
  documentKeys.map((key) => [documentPath(key), key]),
);

/** A key and its value as the store has them. */
export interface StoredEntry {
  readonly key: string;
  readonly value: string;
  readonly createRevision: number;
  readonly modRevision: number;
  /** Decimal; undefined when the key has no lease. */
  readonly leaseId: string | undefined;
}

export interface StoredRange {
  readonly revision: number;
  readonly entries: readonly StoredEntry[];
}

const versioned = <T>(entry: StoredEntry, value: T): Versioned<T> => ({
  value,
  createRevision: entry.createRevision as Revision,
  modRevision: entry.modRevision as Revision,
  leaseId: entry.leaseId as LeaseId | undefined,
});

/**
 * Reads all documents of one cluster. Keys we do not know are passed over, and so are documents of
 * our own that are damaged; what Patroni wrote is never an error.
 */
export const assembleSnapshot = (
  range: StoredRange & { readonly prefix: string },
): StoreSnapshot => {
  const members: Record<string, Versioned<MemberDocument>> = {};
  const documents: Partial<Record<DocumentKey, Versioned<StoreDocuments[DocumentKey]>>> = {};
  for (const entry of range.entries) {
    if (!entry.key.startsWith(range.prefix)) continue;
    const path = entry.key.slice(range.prefix.length);
    const key = keysByPath.get(path);
    if (key !== undefined) {
      const value = codecs[key].decode(entry.value);
      if (value !== undefined) documents[key] = versioned(entry, value);
      continue;
    }
    const name = path.startsWith(MEMBERS) ? path.slice(MEMBERS.length) : '';
    if (name !== '' && !name.includes('/'))
      members[name] = versioned(entry, decodeMember(entry.value));
  }
  // Each document was decoded by the codec of its own key, which the compiler cannot follow here.
  return { revision: range.revision as Revision, members, ...documents } as StoreSnapshot;
};

/** A write as the store takes it. */
export type EncodedWrite =
  | { readonly key: string; readonly put: string; readonly leaseId?: string | undefined }
  | { readonly key: string; readonly remove: true };

/** The text of one document. */
export const encodeDocument = <K extends DocumentKey>(
  key: K,
  document: StoreDocuments[K],
): string => codecs[key].encode(document);

export const encodeWrite = (write: StoreWrite, prefix: string): EncodedWrite => {
  if ('member' in write) {
    const key = prefix + memberPath(write.member);
    return { key, put: encodeMember(write.put), leaseId: write.leaseId };
  }
  const key = prefix + documentPath(write.key);
  if ('remove' in write) return { key, remove: true };
  return { key, put: encodeKeyed(write), leaseId: write.leaseId };
};

type Put = Extract<StoreWrite, { readonly key: DocumentKey; readonly put: unknown }>;

/** Pairs each document with the codec of its key. */
const encodeKeyed = (write: Put): string => {
  const { encode }: Pick<Codec<never>, 'encode'> = codecs[write.key];
  return encode(write.put as never);
};

/** A condition as the store takes it; `modRevision` 0 means the key must be absent. */
export const encodeCompare = (
  { key, modRevision }: StoreCompare,
  prefix: string,
): { readonly key: string; readonly modRevision: number } => ({
  key: prefix + documentPath(key),
  modRevision,
});
