import type { ShownSyncNames } from '@matriarch/core';
import { type Answer, attempt, failed, unknown } from './answer.ts';
import type { PostgresContext } from './context.ts';
import { ownServerTarget } from './own-server.ts';
import { asRows, querySql } from './sql-session.ts';

const LIMIT_MS = 2_000;

const QUERY = `
select current_setting('synchronous_standby_names') as names,
  (select coalesce(json_agg(json_build_object('pid', pid, 'replyTime', reply_time::text)), '[]')
    from pg_stat_replication) as senders`;

/**
 * What a connection made for this question sees (rule S6): it was forked by a postmaster that has
 * read the value, and has signalled all its processes before. A kept connection may have been
 * signalled first of all.
 */
export const showSyncNames = (
  context: PostgresContext,
): Promise<Answer<{ readonly shown: ShownSyncNames }>> =>
  attempt('look at the names commits wait for', async () => {
    const target = await ownServerTarget(context, {
      applicationName: 'matriarch names',
      statementLimitMs: LIMIT_MS,
    });
    if (target === undefined) return failed('there is no postmaster.pid');
    const answer = await querySql(target, { text: QUERY, limitMs: LIMIT_MS });
    if (answer.kind === 'timed-out') return unknown(answer.message);
    if (answer.kind !== 'rows') return failed(answer.message);
    const [row] = answer.rows;
    const names = row?.['names'];
    if (typeof names !== 'string') return failed('it answered with nothing');
    const senders: Record<string, string | undefined> = {};
    for (const { pid, replyTime } of asRows(row?.['senders']))
      senders[String(pid)] = typeof replyTime === 'string' ? replyTime : undefined;
    return { kind: 'done', shown: { names, senders } };
  });
