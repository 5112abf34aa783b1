import { type Door, pgbouncerDatabaseNames } from '@matriarch/core';
import type { PortOutcome } from '../../proxy/ports/outcome.ts';
import type { Pooler } from '../../proxy/ports/pooler.ts';
import { type AdminTarget, askAdmin } from './admin-console.ts';

const quoteName = (name: string): string => `"${name.replace(/"/g, '""')}"`;

/** PgBouncer over its admin console. Where and what for is asked at each call: a reload changes it. */
export const createPgbouncerPooler = (
  target: () => AdminTarget,
  databases: () => readonly string[],
): Pooler => {
  const reconnect = async (name: string): Promise<PortOutcome> =>
    askAdmin(target(), `RECONNECT ${quoteName(name)}`);
  return {
    reconnect: async (doors: readonly Door[]) => {
      const names = databases().flatMap((database) =>
        doors.map((door) => pgbouncerDatabaseNames(database)[door]),
      );
      const outcomes = await Promise.all(names.map(reconnect));
      return outcomes.find(({ kind }) => kind === 'failed') ?? { kind: 'done' };
    },
  };
};
