import { formatLsn, type Lsn } from '@matriarch/core';
import { type Answer, attempt, done, failed, type Nothing, unknown } from './answer.ts';
import type { PostgresContext } from './context.ts';
import { ownServerTarget } from './own-server.ts';
import { createSqlSession, type SqlSession } from './sql-session.ts';

export interface SlotChanges {
  readonly create: readonly string[];
  readonly drop: readonly string[];
  readonly advance: Readonly<Record<string, Lsn>>;
}

const LIMIT_MS = 5_000;

/** Each statement leaves alone what is already as wanted: all may be repeated. */
const CREATE = `
select pg_create_physical_replication_slot(name, true) from unnest($1::text[]) as name
where not exists (select from pg_replication_slots where slot_name = name)`;

const DROP = `
select pg_drop_replication_slot(slot_name) from pg_replication_slots
where slot_name = any ($1::text[]) and slot_type = 'physical' and not active`;

const ADVANCE = `
select pg_replication_slot_advance(slot_name, lsn)
from unnest($1::text[], $2::pg_lsn[]) as wanted (name, lsn)
join pg_replication_slots on slot_name = name
where slot_type = 'physical' and not active and restart_lsn < lsn`;

const IN_USE = `
select string_agg(slot_name, ', ') as names from pg_replication_slots
where slot_name = any ($1::text[])`;

/** Keeps the physical slots of our own server, over one connection that is kept. */
export interface SlotKeeper {
  change(changes: SlotChanges): Promise<Answer<Nothing>>;
  close(): void;
}

export const createSlotKeeper = (context: PostgresContext): SlotKeeper => {
  const session = createSqlSession(
    () =>
      ownServerTarget(context, { applicationName: 'matriarch slots', statementLimitMs: LIMIT_MS }),
    'there is no postmaster.pid',
  );
  return {
    change: (changes) => attempt('change slots', () => changeSlots(session, changes)),
    close: () => session.close(),
  };
};

const changeSlots = async (
  session: SqlSession,
  { create, drop, advance }: SlotChanges,
): Promise<Answer<Nothing>> => {
  const positions = Object.values(advance).map(formatLsn);
  const statements = [
    { text: CREATE, values: [create], needed: create.length > 0 },
    { text: DROP, values: [drop], needed: drop.length > 0 },
    { text: ADVANCE, values: [Object.keys(advance), positions], needed: positions.length > 0 },
  ];
  // What one statement cannot do must not keep the next from its part.
  const problems: string[] = [];
  for (const { text, values, needed } of statements) {
    if (!needed) continue;
    const answer = await session.query({ text, values, limitMs: LIMIT_MS });
    if (answer.kind === 'timed-out') return unknown(answer.message);
    if (answer.kind !== 'rows') problems.push(answer.message);
  }
  if (drop.length > 0 && problems.length === 0) {
    const answer = await session.query({ text: IN_USE, values: [drop], limitMs: LIMIT_MS });
    const names = answer.kind === 'rows' ? answer.rows[0]?.['names'] : undefined;
    if (typeof names === 'string') problems.push(`in use, not dropped: ${names}`);
  }
  return problems.length === 0 ? done : failed(problems.join(' | '));
};
