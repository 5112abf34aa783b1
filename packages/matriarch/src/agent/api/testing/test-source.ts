import type {
  FailoverDocument,
  Instant,
  JsonObject,
  MemberState,
  OperationRequest,
  PromiseRequest,
  Revision,
  ScheduleRequest,
  ServerProbe,
  StoreSnapshot,
} from '@matriarch/core';
import { createAgentCounters } from '../../metrics/agent-counters.ts';
import type { ApiLog, ApiSource, DocumentsAnswer, FilingAnswer } from '../api-source.ts';
import { type StateWatchers, createStateWatchers } from '../state-watch.ts';
import { NOW } from './build-state.ts';

/** 2026-11-23 08:30:00 UTC */
export const WALL_CLOCK_MS = Date.UTC(2026, 10, 23, 8, 30);

/**
 * What a test plays the loop, the store and PostgreSQL with. Two keys of the store,
 * `failover` and `config`, are written by compare-and-swap as in the real one.
 */
export interface TestSource extends ApiSource {
  current: MemberState;
  time: Instant;
  lastRan: Instant;
  /** What the next looks at the server bring. */
  look: (limitMs: number) => Promise<ServerProbe>;
  /** What the next read of the store brings; undefined: what `current` has. */
  documents: (() => Promise<DocumentsAnswer>) | undefined;
  /** What the next write brings; undefined: it is carried out. */
  filing: (() => Promise<FilingAnswer>) | undefined;
  readonly filed: FailoverDocument[];
  /** What was asked of the loop. */
  readonly asked: (OperationRequest | PromiseRequest | ScheduleRequest)[];
  journal: readonly string[];
  isJournalComplete: boolean;
  readonly counts: { looks: number; reads: number; reloads: number; watching: number };
  /** Takes the next state, as the loop does after a step. */
  become(state: MemberState): void;
  /** The next state with another snapshot of the store. */
  see(snapshot: StoreSnapshot): void;
}

export const createTestSource = (initial: MemberState): TestSource => {
  const counters = createAgentCounters();
  const watchers: StateWatchers = createStateWatchers(() => source.current);
  const source: TestSource = {
    scope: 'demo',
    current: initial,
    time: NOW,
    lastRan: NOW,
    look: () => Promise.resolve(initial.probe?.value ?? { kind: 'none' }),
    documents: undefined,
    filing: undefined,
    filed: [],
    asked: [],
    journal: [],
    isJournalComplete: true,
    counts: { looks: 0, reads: 0, reloads: 0, watching: 0 },
    state: () => source.current,
    loopLastRan: () => source.lastRan,
    now: () => source.time,
    wallClockMs: () => WALL_CLOCK_MS,
    counters: () => counters.read(),
    probe: (limitMs) => {
      source.counts.looks += 1;
      return source.look(limitMs);
    },
    readDocuments: async () => {
      source.counts.reads += 1;
      if (source.documents !== undefined) return source.documents();
      const { snapshot } = source.current;
      return snapshot === undefined
        ? { kind: 'failed', cause: 'nothing there' }
        : { kind: 'done', snapshot: snapshot.value };
    },
    fileFailover: async (document, comparedRevision) => {
      if (source.filing !== undefined) return source.filing();
      return file(source, document, comparedRevision);
    },
    fileConfig: async (document, comparedRevision) => {
      if (source.filing !== undefined) return source.filing();
      return fileConfig(source, document, comparedRevision);
    },
    ask: (request) => {
      source.asked.push(request);
    },
    watchState: async (satisfies, watch) => {
      source.counts.watching += 1;
      try {
        return await watchers.watch(satisfies, watch);
      } finally {
        source.counts.watching -= 1;
      }
    },
    isMember: (_path, authorization) => authorization === 'a member',
    readOfferedWal: async (name) => ({ kind: 'done', bytes: Buffer.from(name, 'latin1') }),
    readJournal: async () => ({ lines: source.journal, complete: source.isJournalComplete }),
    reload: () => {
      source.counts.reloads += 1;
    },
    become: (state) => {
      source.current = state;
      watchers.notify(state);
    },
    see: (snapshot) => {
      const { current, time } = source;
      source.become({ ...current, snapshot: { value: snapshot, at: time } });
    },
  };
  return source;
};

const file = (
  source: TestSource,
  document: FailoverDocument,
  comparedRevision: Revision | 0,
): FilingAnswer => {
  const snapshot = source.current.snapshot?.value;
  if (snapshot === undefined) return { kind: 'failed', cause: 'nothing there' };
  if ((snapshot.failover?.modRevision ?? 0) !== comparedRevision) return { kind: 'changed' };
  const revision = (snapshot.revision + 1) as Revision;
  source.filed.push(document);
  source.see({
    ...snapshot,
    revision,
    failover: { value: document, createRevision: revision, modRevision: revision },
  });
  return { kind: 'filed', revision };
};

const fileConfig = (
  source: TestSource,
  value: JsonObject,
  comparedRevision: Revision,
): FilingAnswer => {
  const snapshot = source.current.snapshot?.value;
  if (snapshot === undefined) return { kind: 'failed', cause: 'nothing there' };
  if (snapshot.config?.modRevision !== comparedRevision) return { kind: 'changed' };
  const revision = (snapshot.revision + 1) as Revision;
  const config = { value, createRevision: revision, modRevision: revision };
  source.see({ ...snapshot, revision, config });
  return { kind: 'filed', revision };
};

/** A log that is kept for looking at. */
export const createTestLog = (): ApiLog & { readonly lines: string[] } => {
  const lines: string[] = [];
  const write =
    (level: string) =>
    (details: object, message: string): void => {
      lines.push(`${level} ${message} ${JSON.stringify(details)}`);
    };
  return { lines, info: write('info'), warn: write('warn'), error: write('error') };
};
