import { type Answer, attempt, done, failed, type Nothing, unknown } from './answer.ts';
import type { PostgresContext } from './context.ts';
import { ownServerTarget } from './own-server.ts';
import { querySql } from './sql-session.ts';

const QUERY_CANCELED = '57014';

/** Past the limit the server goes on with the checkpoint; only we stop waiting for it. */
export const checkpoint = (context: PostgresContext, limitMs: number): Promise<Answer<Nothing>> =>
  attempt('checkpoint', async () => {
    const target = await ownServerTarget(context, {
      applicationName: 'matriarch',
      statementLimitMs: limitMs,
    });
    if (target === undefined) return failed('there is no postmaster.pid');
    const answer = await querySql(target, { text: 'checkpoint', limitMs });
    if (answer.kind === 'rows') return done;
    const isLate =
      answer.kind === 'timed-out' || (answer.kind === 'refused' && answer.code === QUERY_CANCELED);
    const cause = `checkpoint: ${answer.message}`;
    return isLate ? unknown(cause) : failed(cause);
  });
