import type { GuardNotice } from '@matriarch/core';
import type { PostgresContext } from '../adapters/postgres/context.ts';
import { readLastComplaints } from '../adapters/postgres/last-words.ts';
import { serverLogPath } from '../adapters/postgres/state-files.ts';
import type { Logger } from '../agent/log.ts';

/** Why a server ended stands in its own log: its last complaints belong into ours as well. */
export const reportEnd = (notice: GuardNotice, context: PostgresContext, log: Logger): void => {
  if (notice.kind !== 'server-exited' || notice.exit.code === 0) return;
  const file = serverLogPath(context);
  readLastComplaints(file).then(
    (complaints) => {
      if (complaints.length > 0) log.warn({ complaints, file }, 'server complained');
    },
    (error: unknown) => log.warn({ file, error: String(error) }, 'server log cannot be read'),
  );
};
