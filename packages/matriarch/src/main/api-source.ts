/** What the API may know and ask for, on the loop and the store. */
import type {
  FailoverDocument,
  Instant,
  MemberState,
  Revision,
  ServerProbe,
  StoreTransaction,
} from '@matriarch/core';
import { readDocuments, transact } from '../agent/act/store-documents.ts';
import type { ApiSource, FilingAnswer } from '../agent/api/api-source.ts';
import { createStateWatchers } from '../agent/api/state-watch.ts';
import type { AgentLoop } from '../agent/loop/agent-loop.ts';
import type { AgentCounters } from '../agent/metrics/agent-counters.ts';
import type { KeyValueStore } from '../agent/ports/key-value-store.ts';

export interface ApiSourceParts {
  readonly scope: string;
  readonly loop: AgentLoop;
  readonly store: KeyValueStore;
  readonly prefix: string;
  readonly counters: AgentCounters;
  readonly reload: () => void;
  readonly now: () => Instant;
  readonly probe: (limitMs: number) => Promise<ServerProbe>;
  readonly isMember: ApiSource['isMember'];
  readonly readOfferedWal: ApiSource['readOfferedWal'];
}

export interface LoopApiSource extends ApiSource {
  /** To be told of every new state. */
  notify(state: MemberState): void;
}

export const createApiSource = (parts: ApiSourceParts): LoopApiSource => {
  const { scope, loop, store, prefix, counters, reload, now, probe } = parts;
  const { isMember, readOfferedWal } = parts;
  const watchers = createStateWatchers(loop.state);
  return {
    scope,
    state: loop.state,
    // Every step stamps its state with its time.
    loopLastRan: () => loop.state().now,
    now,
    wallClockMs: () => Date.now(),
    counters: () => counters.read(),
    probe,
    isMember,
    readOfferedWal,
    readDocuments: () => readDocuments(store, prefix),
    fileFailover: (document, revision) => fileFailover(store, prefix, { document, revision }),
    watchState: watchers.watch,
    notify: watchers.notify,
    reload,
  };
};

const fileFailover = async (
  store: KeyValueStore,
  prefix: string,
  request: { readonly document: FailoverDocument; readonly revision: Revision | 0 },
): Promise<FilingAnswer> => {
  const transaction: StoreTransaction = {
    compares: [{ key: 'failover', modRevision: request.revision }],
    writes: [{ key: 'failover', put: request.document }],
  };
  const answer = await transact(store, prefix, transaction);
  if (answer.kind !== 'done') return answer;
  return answer.applied ? { kind: 'filed', revision: answer.revision } : { kind: 'changed' };
};
