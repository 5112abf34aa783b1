import {
  type KnownPosition,
  knownPosition,
  type Lineage,
  type Lsn,
  maxLsn,
  parseLsn,
  type ServerProbe,
  type Timeline,
  unknownPosition,
} from '@matriarch/core';
import { join } from 'node:path';
import { messageOf } from './answer.ts';
import type { PostgresContext } from './context.ts';
import { readControlData } from './control-data.ts';
import { hasHistoryAbove, lineageOnDisk, readLineage } from './history-files.ts';
import { ownServerTarget } from './own-server.ts';
import { PROBE_QUERY, type ProbeRow, readProbeRow } from './probe-query.ts';
import { createSqlSession, querySql, type SqlAnswer, textOf } from './sql-session.ts';

export interface Probe {
  /**
   * Never rejects; ends within `limitMs`, and within our own limits if those are shorter. Asked
   * again before it has answered, it answers both with one look.
   */
  readonly probe: (limitMs: number) => Promise<ServerProbe>;
  close(): void;
}

/** As in Patroni: longer than this, and the server counts as not answering. */
const STATEMENT_LIMIT_MS = 2_000;
export const PROBE_APPLICATION = 'matriarch probe';

/** A server says this while it starts, recovers, and also while it shuts down. */
const CANNOT_CONNECT_NOW = '57P03';
/** A function for recovery was called out of recovery, or the other way round. */
const NOT_IN_THIS_STATE = '55000';

/** Timeline and position of one standby as PostgreSQL's replication protocol tells them. */
interface Identified {
  readonly timeline: Timeline;
  readonly lsn: Lsn;
}

/** Watches our own server over one connection that is kept. */
export const createProbe = (context: PostgresContext): Probe => {
  const session = createSqlSession(
    () =>
      ownServerTarget(context, {
        applicationName: PROBE_APPLICATION,
        statementLimitMs: STATEMENT_LIMIT_MS,
      }),
    'there is no postmaster.pid',
  );
  const lineages = createLineageCache(context);
  const identify = createIdentifier(context);
  const remembered = createTimelineMemory(context);
  /**
   * The start of the server that has consumed its local WAL. It looks for more again and again, and
   * is not found waiting each time.
   */
  let consumedBy: string | undefined;

  const probe = async (limitMs: number): Promise<ServerProbe> => {
    const startedMs = performance.now();
    const query = { text: PROBE_QUERY, limitMs: Math.min(limitMs, STATEMENT_LIMIT_MS) };
    let answer = await session.query(query);
    // It was promoted while it answered: what it began to say holds no more.
    if (answer.kind === 'refused' && answer.code === NOT_IN_THIS_STATE)
      answer = await session.query(query);
    const first = answer.kind === 'rows' ? answer.rows[0] : undefined;
    if (first === undefined) return withoutRow(answer);
    const row = readProbeRow(first);
    if (row.receivedLsn !== undefined || row.waitsForMoreWal) consumedBy = row.startedAt;
    const leftMs = Math.max(1, limitMs - (performance.now() - startedMs));
    const isConsumed = consumedBy === row.startedAt;
    const known = { ...row, timeline: row.timeline ?? (await remembered.recall(row)) };
    const { timeline, position } = await locate(known, isConsumed, () => identify(row, leftMs));
    remembered.note(row, timeline);
    const lineage =
      timeline === undefined
        ? await newestLineage(context)
        : await lineages.get(row.systemIdentifier, timeline);
    return { ...answered(row), lineage, position };
  };

  let underWay: Promise<ServerProbe> | undefined;
  return {
    probe: (limitMs) => {
      underWay ??= probe(limitMs)
        .catch((error: unknown): ServerProbe => ({ kind: 'no-answer', cause: messageOf(error) }))
        .finally(() => {
          underWay = undefined;
        });
      return underWay;
    },
    close: () => session.close(),
  };
};

const withoutRow = (answer: SqlAnswer): ServerProbe => {
  if (answer.kind === 'rows') return { kind: 'no-answer', cause: 'it answered with nothing' };
  const isStarting =
    answer.kind === 'refused' &&
    answer.code === CANNOT_CONNECT_NOW &&
    !/shutting down/.test(answer.message);
  if (isStarting) return { kind: 'starting' };
  const isAlive = answer.kind === 'refused' && /^(28|3D|42|53)/.test(answer.code);
  return { kind: isAlive ? 'refuses' : 'no-answer', cause: answer.message };
};

type Located = { readonly timeline: Timeline | undefined; readonly position: KnownPosition };

/**
 * Which timeline a server is on and how much of it it holds. A standby knows how much only when it
 * has consumed its local WAL (rule S10): once a walreceiver has run, or when it waits for one.
 */
const locate = async (
  row: ProbeRow,
  isConsumed: boolean,
  identify: () => Promise<Identified | undefined>,
): Promise<Located> => {
  if (!row.inRecovery) {
    const { timeline, flushedLsn } = row;
    return timeline === undefined || flushedLsn === undefined
      ? { timeline, position: unknownPosition }
      : { timeline, position: knownPosition({ timeline, lsn: flushedLsn }) };
  }
  const { receivedLsn, replayedLsn } = row;
  const held = [receivedLsn, replayedLsn].filter((lsn) => lsn !== undefined);
  const [first, ...others] = held;
  const highest = first === undefined ? undefined : maxLsn(first, ...others);
  if (row.timeline !== undefined) {
    const { timeline } = row;
    const known = isConsumed && highest !== undefined;
    const position = known ? knownPosition({ timeline, lsn: highest }) : unknownPosition;
    return { timeline, position };
  }
  const identified = await identify();
  if (identified === undefined) return { timeline: undefined, position: unknownPosition };
  const { timeline, lsn } = identified;
  // It tells of what is replayed; received WAL counts only when it is on the same timeline.
  const isWhole = highest === undefined || lsn >= highest;
  return {
    timeline,
    position: isConsumed && isWhole ? knownPosition({ timeline, lsn }) : unknownPosition,
  };
};

const answered = (row: ProbeRow) => ({
  kind: 'answers' as const,
  systemIdentifier: row.systemIdentifier,
  serverVersion: row.serverVersion,
  inRecovery: row.inRecovery,
  receivedLsn: row.receivedLsn,
  replayedLsn: row.inRecovery ? row.replayedLsn : undefined,
  replayedAt: row.replayedAt,
  replayPaused: row.replayPaused,
  streaming: row.streaming,
  receiving: row.receiving,
  upstream: row.upstream,
  standbys: row.standbys,
  slots: row.slots,
  startedAt: row.startedAt,
  pendingRestart: row.pendingRestart,
});

/**
 * The timeline a standby was last seen on, for when its walreceiver is gone: asking it over the
 * replication protocol takes a new connection, and that at the moment when others wait to be told
 * its position. Before PostgreSQL recovers or receives anything of a later timeline, the history of
 * that one is in pg_wal. Looked for after the row was read, so it is about that row.
 */
const createTimelineMemory = ({ config }: PostgresContext) => {
  const walDirectory = join(config.postgresql.dataDirectory, 'pg_wal');
  let last: { readonly startedAt: string; readonly timeline: Timeline } | undefined;
  return {
    note: ({ startedAt, inRecovery }: ProbeRow, timeline: Timeline | undefined): void => {
      if (timeline !== undefined) last = inRecovery ? { startedAt, timeline } : undefined;
    },
    recall: async ({ startedAt, inRecovery }: ProbeRow): Promise<Timeline | undefined> => {
      if (!inRecovery || last?.startedAt !== startedAt) return undefined;
      return (await hasHistoryAbove(walDirectory, last.timeline)) ? undefined : last.timeline;
    },
  };
};

/**
 * Asks a standby without walreceiver over the replication protocol: SQL has nothing that tells the
 * timeline being replayed. Nothing moved since the last time: the answer is the same.
 */
const createIdentifier = (context: PostgresContext) => {
  let last: { readonly key: string; readonly identified: Identified } | undefined;
  return async (row: ProbeRow, limitMs: number): Promise<Identified | undefined> => {
    const key = [row.startedAt, row.receivedLsn, row.replayedLsn].join(' ');
    if (last?.key === key) return last.identified;
    const target = await ownServerTarget(context, {
      applicationName: PROBE_APPLICATION,
      statementLimitMs: STATEMENT_LIMIT_MS,
      replication: true,
    });
    if (target === undefined) return undefined;
    const answer = await querySql(target, { text: 'IDENTIFY_SYSTEM', limitMs });
    const identified = answer.kind === 'rows' ? readIdentified(answer.rows[0]) : undefined;
    if (identified !== undefined) last = { key, identified };
    return identified;
  };
};

export const readIdentified = (
  row: Readonly<Record<string, unknown>> | undefined,
): Identified | undefined => {
  const lsn = parseLsn(textOf(row?.['xlogpos']));
  const timeline = Number(row?.['timeline']);
  return lsn === undefined || !Number.isInteger(timeline)
    ? undefined
    : { timeline: timeline as Timeline, lsn };
};

/** For a standby that has no free connection for replication: what its files say. */
const newestLineage = async (context: PostgresContext): Promise<Lineage> => {
  const { dataDirectory } = context.config.postgresql;
  const answer = await readControlData(context, dataDirectory);
  if (answer.kind !== 'done') throw new Error(answer.cause);
  return lineageOnDisk({
    walDirectory: join(dataDirectory, 'pg_wal'),
    control: answer.control,
    standby: true,
  });
};

/** A history never changes once it is there; a new cluster in the same place has other ones. */
const createLineageCache = ({ config }: PostgresContext) => {
  const known = new Map<string, Lineage>();
  return {
    get: async (systemIdentifier: string, timeline: Timeline): Promise<Lineage> => {
      const key = `${systemIdentifier} ${timeline}`;
      const cached = known.get(key);
      if (cached !== undefined) return cached;
      const walDirectory = join(config.postgresql.dataDirectory, 'pg_wal');
      const lineage = await readLineage(walDirectory, timeline);
      if (lineage.ancestors.length > 0 || timeline === 1) known.set(key, lineage);
      return lineage;
    },
  };
};
