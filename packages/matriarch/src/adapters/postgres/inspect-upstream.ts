import {
  historyFileName,
  type Lsn,
  lsn,
  parseHistory,
  parseLsn,
  type Timeline,
  timeline,
  type Upstream,
  type UpstreamFacts,
} from '@matriarch/core';
import { type Answer, attempt, failed } from './answer.ts';
import type { PostgresContext } from './context.ts';
import { readIdentified } from './probe.ts';
import { createSqlSession, querySql, type SqlRow, type SqlSession, textOf } from './sql-session.ts';
import { upstreamTarget } from './upstream-target.ts';
import { segmentName, segmentStart } from './wal-files.ts';

const LIMIT_MS = 3_000;

const QUERY = `
select
  (select system_identifier::text from pg_control_system()) as system_identifier,
  pg_is_in_recovery() as in_recovery,
  case when pg_is_in_recovery()
    then (select received_tli from pg_stat_wal_receiver)
    else ('x' || substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8))::bit(32)::int
  end as timeline,
  case when pg_is_in_recovery()
    then greatest(pg_last_wal_receive_lsn(), pg_last_wal_replay_lsn())
    else pg_current_wal_lsn()
  end::text as current_lsn,
  (select timeline_id from pg_control_checkpoint()) as control_timeline,
  (select setting::int from pg_settings where name = 'wal_segment_size') as segment_bytes,
  (select array_agg(name) from pg_ls_dir('pg_wal', true, false) as name) as wal_files`;

const HISTORY_QUERY = `
select convert_from(pg_read_binary_file($1, 0, 1048576, true), 'UTF8') as history`;

/** Looks at a server that this member is to follow, to rewind to, or to clone. */
export const inspectUpstream = (
  context: PostgresContext,
  upstream: Upstream,
): Promise<Answer<{ readonly facts: UpstreamFacts }>> =>
  attempt(`look at ${upstream.member}`, async () => {
    const { rewind } = context.config.postgresql;
    const reach = upstreamTarget(context, upstream, { role: rewind, replication: false });
    if (reach.kind !== 'done') return reach;
    const session = createSqlSession(() => Promise.resolve(reach.target));
    try {
      return await look(context, upstream, session);
    } finally {
      session.close();
    }
  });

const look = async (
  context: PostgresContext,
  upstream: Upstream,
  session: SqlSession,
): Promise<Answer<{ readonly facts: UpstreamFacts }>> => {
  const { member } = upstream;
  const answer = await session.query({ text: QUERY, limitMs: LIMIT_MS });
  if (answer.kind !== 'rows') return failed(`${member} cannot be looked at: ${answer.message}`);
  const row = answer.rows[0] ?? {};
  const current = parseLsn(textOf(row['current_lsn']));
  const number = await timelineOf(context, upstream, row);
  if (current === undefined || number === undefined)
    return failed(`${member} does not tell its timeline and position`);
  const history = await session.query({
    text: HISTORY_QUERY,
    values: [`pg_wal/${historyFileName(number)}`],
    limitMs: LIMIT_MS,
  });
  if (history.kind !== 'rows')
    return failed(`the history of ${member} cannot be read: ${history.message}`);
  const lineage = parseHistory(number, textOf(history.rows[0]?.['history']), parseLsn);
  const segmentBytes = Number(row['segment_bytes']);
  const files: unknown = row['wal_files'];
  const facts: UpstreamFacts = {
    member,
    systemIdentifier: textOf(row['system_identifier']),
    inRecovery: row['in_recovery'] === true,
    timeline: number,
    lineage,
    currentLsn: current,
    oldestLsn: oldestLsn({
      names: new Set(Array.isArray(files) ? files.map(String) : []),
      timelines: [number, ...lineage.ancestors.map((ancestor) => ancestor.timeline)],
      current,
      segmentBytes,
    }),
    checkpointed: Number(row['control_timeline']) === number,
  };
  return { kind: 'done', facts };
};

const timelineOf = async (
  context: PostgresContext,
  upstream: Upstream,
  row: SqlRow,
): Promise<Timeline | undefined> => {
  const told = row['timeline'];
  if (told !== null && told !== undefined) return timeline(Number(told));
  const { replication } = context.config.postgresql;
  const reach = upstreamTarget(context, upstream, { role: replication, replication: true });
  if (reach.kind !== 'done') return undefined;
  const answer = await querySql(reach.target, { text: 'IDENTIFY_SYSTEM', limitMs: LIMIT_MS });
  return answer.kind === 'rows' ? readIdentified(answer.rows[0])?.timeline : undefined;
};

/**
 * The start of the oldest segment from which on none is missing. Segments of the timelines it came
 * from count, since those who follow stream through them.
 */
export const oldestLsn = (wal: {
  readonly names: ReadonlySet<string>;
  readonly timelines: readonly Timeline[];
  readonly current: Lsn;
  readonly segmentBytes: number;
}): Lsn => {
  const { names, timelines, current, segmentBytes } = wal;
  const size = BigInt(segmentBytes);
  const isThere = (start: bigint): boolean =>
    timelines.some((number) => names.has(segmentName(number, lsn(start), segmentBytes)));
  let oldest: bigint = segmentStart(current, segmentBytes);
  while (oldest >= size && isThere(oldest - size)) oldest -= size;
  return lsn(oldest);
};
