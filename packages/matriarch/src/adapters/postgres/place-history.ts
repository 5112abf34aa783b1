import type { Timeline } from '@matriarch/core';
import { join } from 'node:path';
import { type Answer, attempt, done, type Nothing } from './answer.ts';
import { exists } from './atomic-file.ts';
import type { PostgresContext } from './context.ts';
import { readControlData } from './control-data.ts';
import { lineageOnDisk, placeHistories } from './history-files.ts';

/**
 * Reserves timeline numbers before a promotion (rule S5): works on a running standby, which sees
 * the files when it is promoted.
 */
export const placeHistory = (
  context: PostgresContext,
  timelines: readonly Timeline[],
): Promise<Answer<Nothing>> =>
  attempt('place history files', async () => {
    const { dataDirectory } = context.config.postgresql;
    const answer = await readControlData(context, dataDirectory);
    if (answer.kind !== 'done') return answer;
    const walDirectory = join(dataDirectory, 'pg_wal');
    const standby = await exists(join(dataDirectory, 'standby.signal'));
    const lineage = await lineageOnDisk({ walDirectory, control: answer.control, standby });
    await placeHistories({ walDirectory, lineage, owner: context.owner }, timelines);
    return done;
  });
