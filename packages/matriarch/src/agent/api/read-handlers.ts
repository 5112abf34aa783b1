import type { MemberState, StoreSnapshot } from '@matriarch/core';
import { elapsedMs } from '@matriarch/core';
import { METRICS_CONTENT_TYPE, renderMetrics } from '../metrics/render-metrics.ts';
import { CLUSTER_FRESH_MS } from './api-limits.ts';
import type { ApiSource, DocumentsAnswer } from './api-source.ts';
import type { Handler } from './call.ts';
import { assembleClusterDocument, assembleHistory } from './cluster-document.ts';
import { coalesce } from './coalesce.ts';
import { collectOwnMetrics, collectPatroniMetrics } from './collect-metrics.ts';
import { createFailsafeReader } from './failsafe.ts';
import { createFreshLook } from './fresh-look.ts';
import { isAlive, isReady, meetsCheck } from './health-check.ts';
import { createJournalHandler } from './journal-answer.ts';
import { type MemberFacts, assembleMemberFacts } from './member-facts.ts';
import { type Reply, bareReply, jsonReply, pageReply, refuse } from './reply.ts';
import { assembleStatusDocument } from './status-document.ts';
import { WAL_PATH, createWalHandler } from './wal-handler.ts';

export interface ReadHandlers {
  /** By the first segment of the path. */
  readonly named: ReadonlyMap<string, Handler>;
  /** Every other path is a health check. */
  readonly health: Handler;
}

/** For documents that change seldom, and that the loop itself acts on as it last saw them. */
const ANY_AGE = Infinity;

const statusOf = (good: boolean): number => (good ? 200 : 503);

export const createReadHandlers = (
  source: ApiSource,
  lookAfresh = createFreshLook(source),
): ReadHandlers => {
  const assemble = createFactAssembler(source);
  const facts = (): MemberFacts => assemble(source.state());
  const readDocuments = coalesce(() => source.readDocuments());

  /** The loop's documents if they are young enough, else what the store says now. */
  const documents = async (freshMs: number): Promise<DocumentsAnswer> => {
    const { snapshot } = source.state();
    const isFresh = snapshot !== undefined && elapsedMs(snapshot.at, source.now()) <= freshMs;
    return isFresh ? { kind: 'done', snapshot: snapshot.value } : readDocuments();
  };

  const fromDocuments =
    (freshMs: number, answer: (snapshot: StoreSnapshot) => Reply): Handler =>
    async () => {
      const known = await documents(freshMs);
      if (known.kind === 'done') return answer(known.snapshot);
      return refuse('store-unreachable', `the store did not answer: ${known.cause}`);
    };

  const metrics: Handler = () => {
    const now = facts();
    const families = [...collectPatroniMetrics(now), ...collectOwnMetrics(now, source.counters())];
    return {
      ...bareReply(200),
      body: renderMetrics(families, { scope: source.scope, name: now.view.state.self.name }),
      contentType: METRICS_CONTENT_TYPE,
    };
  };

  return {
    named: new Map<string, Handler>([
      ['liveness', () => bareReply(statusOf(isAlive(facts())))],
      ['readiness', ({ query }) => bareReply(statusOf(isReady(facts(), query)))],
      ['patroni', async () => jsonReply(200, assembleStatusDocument(assemble(await lookAfresh())))],
      [
        'cluster',
        fromDocuments(CLUSTER_FRESH_MS, (snapshot) =>
          jsonReply(200, assembleClusterDocument(snapshot, source.scope)),
        ),
      ],
      [
        'history',
        fromDocuments(ANY_AGE, ({ history }) =>
          jsonReply(200, assembleHistory(history?.value ?? [])),
        ),
      ],
      [
        'config',
        fromDocuments(ANY_AGE, ({ config }) =>
          config === undefined
            ? pageReply(502, 'The cluster has no dynamic configuration')
            : jsonReply(200, config.value),
        ),
      ],
      ['metrics', metrics],
      ['failsafe', createFailsafeReader(source)],
      ['matriarch', createOwnHandler(source)],
    ]),
    health: ({ path, query }) => {
      const now = facts();
      return jsonReply(statusOf(meetsCheck(now, path, query)), assembleStatusDocument(now));
    },
  };
};

/** What only our own members and tools ask for. */
const createOwnHandler = (source: ApiSource): Handler => {
  const journal = createJournalHandler(source);
  const wal = createWalHandler(source);
  return (call) => (call.path.startsWith(WAL_PATH) ? wal(call) : journal(call));
};

/** Assembles facts, and remembers which postmaster was seen out of recovery. */
const createFactAssembler = (source: ApiSource): ((state: MemberState) => MemberFacts) => {
  let primaryPid: number | undefined;
  return (state) => {
    const { process, probe } = state;
    if (process.kind === 'running' && probe?.value.kind === 'answers')
      primaryPid = probe.value.inRecovery ? undefined : process.pid;
    return assembleMemberFacts({
      scope: source.scope,
      state,
      now: source.now(),
      wallClockMs: source.wallClockMs(),
      loopLastRan: source.loopLastRan(),
      primaryPid,
    });
  };
};
