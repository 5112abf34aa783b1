import type {
  FailoverDocument,
  Failure,
  Instant,
  JsonObject,
  MemberState,
  OperationRequest,
  PromiseRequest,
  Revision,
  ScheduleRequest,
  ServerProbe,
  StoreSnapshot,
  WalPosition,
} from '@matriarch/core';
import type { RecentLines } from '../journal/read-journal.ts';
import type { CounterReadings } from '../metrics/agent-counters.ts';

export type DocumentsAnswer = { readonly kind: 'done'; readonly snapshot: StoreSnapshot } | Failure;

export type FilingAnswer =
  /** `revision` is the one the document got; later snapshots show it or what became of it. */
  | { readonly kind: 'filed'; readonly revision: Revision }
  /** The key was no longer what it was compared with. Nothing was written. */
  | { readonly kind: 'changed' }
  | Failure;

export type OfferedWal = { readonly kind: 'done'; readonly bytes: Buffer } | Failure;

export interface StateWatch {
  readonly limitMs: number;
  /** Ends the watch early; whoever asked has gone away. */
  readonly signal: AbortSignal;
}

/**
 * All that the API knows and can have done. It never acts: it reads what the loop knows, takes a
 * fresh look, files a request in the store, and waits for what the loop makes of it. No call throws
 * for a fault of the world around it.
 */
export interface ApiSource {
  readonly scope: string;
  /** What the loop knew after its last step. */
  state(): MemberState;
  /** When the loop last took a step. */
  loopLastRan(): Instant;
  now(): Instant;
  /** Milliseconds since 1970: only for what people and other programs are told. */
  wallClockMs(): number;
  counters(): CounterReadings;
  /** A look at our own server, ended within the limit. The API never asks for two at a time. */
  probe(limitMs: number): Promise<ServerProbe>;
  /** A linearizable read of all documents of the cluster, with a limit of its own. */
  readDocuments(): Promise<DocumentsAnswer>;
  /** Writes `failover` if it is still at `comparedRevision`; 0: if it is absent. */
  fileFailover(document: FailoverDocument, comparedRevision: Revision | 0): Promise<FilingAnswer>;
  /** Writes `config` if it is still at `comparedRevision`. */
  fileConfig(document: JsonObject, comparedRevision: Revision): Promise<FilingAnswer>;
  /** Hands a request to the loop, whose state then has the answer under the request's id. */
  ask(request: OperationRequest | PromiseRequest | ScheduleRequest): void;
  /** The first state that satisfies, the present one included; undefined when none did in time. */
  watchState(
    satisfies: (state: MemberState) => boolean,
    watch: StateWatch,
  ): Promise<MemberState | undefined>;
  /** Whether whoever asks for this path has shown that it is a member of the cluster. */
  isMember(path: string, authorization: string | undefined): boolean;
  /** The used part of a segment of our silent server's WAL, up to its end. */
  readOfferedWal(name: string, end: WalPosition): Promise<OfferedWal>;
  /** The newest lines of the journal, within a limit of its own. */
  readJournal(): Promise<RecentLines>;
  /** Has the local configuration read again. */
  reload(): void;
}

/** The part of a logger that the API needs: constant messages, variable data as attributes. */
export interface ApiLog {
  info(details: object, message: string): void;
  warn(details: object, message: string): void;
  error(details: object, message: string): void;
}
