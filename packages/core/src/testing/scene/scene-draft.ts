import type { MemberName } from '../../model/member.ts';
import type { PeerAnswer } from '../../model/peer.ts';
import type {
  DocumentKey,
  LeaseId,
  MemberDocument,
  Revision,
  StoreDocuments,
  Versioned,
} from '../../model/store.ts';
import type { Draft } from '../../state.ts';
import type { LineReader } from './line.ts';

/** A member while the lines of a scene are read. */
export interface SceneDraft {
  readonly state: Draft;
  /** What the store holds, once a line has spoken of it. */
  readonly documents: { [K in DocumentKey]?: Versioned<StoreDocuments[K]> };
  readonly members: Record<string, Versioned<MemberDocument>>;
  readonly answers: Record<string, PeerAnswer>;
  /** The store's key of our own is what we would write, unless the scene says something else. */
  ownKeyTold: boolean;
}

/** Reads one kind of line. */
export interface Fact {
  /** What the name after the subject is; undefined: there is none. */
  readonly of?: 'member' | 'lane' | undefined;
  readonly read: (line: LineReader, scene: SceneDraft) => void;
}

export type Facts = Readonly<Record<string, Fact>>;

/** When servers say that they were started, unless the line says another time. */
export const STARTED = '2026-01-01 00:00:00+00:00';

export const addressOf = (member: string): string => `${member}:5432`;

/** Revisions at which documents were written, unless the line says another one. */
export const REVISIONS: Readonly<Record<DocumentKey, number>> = {
  initialize: 10,
  config: 11,
  sync: 12,
  failsafe: 13,
  history: 14,
  timelines: 15,
  status: 41,
  failover: 42,
  bootstrap: 43,
  leader: 40,
  holder: 40,
  handover: 45,
  quiet: 46,
  suspension: 47,
  journal: 47,
};

export const LEASE_OF_OTHERS = '8' as LeaseId;

export const putDocument = <K extends DocumentKey>(
  scene: SceneDraft,
  line: LineReader,
  document: { readonly key: K; readonly value: StoreDocuments[K]; readonly leaseId?: LeaseId },
): void => {
  const { key, value, leaseId } = document;
  const revision = (line.number('revision') ?? REVISIONS[key]) as Revision;
  const versioned: Versioned<StoreDocuments[K]> = {
    value,
    createRevision: revision,
    modRevision: revision,
    leaseId,
  };
  Object.assign(scene.documents, { [key]: versioned });
};

export const asMember = (name: string): MemberName => name as MemberName;
