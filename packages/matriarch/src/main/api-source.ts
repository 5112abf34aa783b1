/** What the API may know and ask for, on the loop and the store. */
import type { Instant, MemberState, ServerProbe } from '@matriarch/core';
import type { PerformerResult } from '../agent/act/performers.ts';
import { readDocuments, transact, writeConfig } from '../agent/act/store-documents.ts';
import type { ApiSource, FilingAnswer } from '../agent/api/api-source.ts';
import { createStateWatchers } from '../agent/api/state-watch.ts';
import { readJournal } from '../agent/journal/read-journal.ts';
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
  readonly journalFile: string;
}

export interface LoopApiSource extends ApiSource {
  /** To be told of every new state. */
  notify(state: MemberState): void;
}

export const createApiSource = (parts: ApiSourceParts): LoopApiSource => {
  const { scope, loop, store, prefix, counters, reload, now, probe } = parts;
  const { isMember, readOfferedWal, journalFile } = parts;
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
    fileFailover: async (put, modRevision) =>
      toFiling(
        await transact(store, prefix, {
          compares: [{ key: 'failover', modRevision }],
          writes: [{ key: 'failover', put }],
        }),
      ),
    fileConfig: async (document, seen) =>
      toFiling(await writeConfig(store, prefix, { document, seen })),
    ask: (request) => loop.feed({ kind: 'request', request }),
    readJournal: () => readJournal(journalFile),
    watchState: watchers.watch,
    notify: watchers.notify,
    reload,
  };
};

/** Nothing was written when the document was another one than it was decided on. */
const toFiling = (answer: PerformerResult<'transact'>): FilingAnswer => {
  if (answer.kind !== 'done') return answer;
  return answer.applied ? { kind: 'filed', revision: answer.revision } : { kind: 'changed' };
};
