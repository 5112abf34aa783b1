import { z } from 'zod';
import { parseExactJson } from '../json/exact-json.ts';

/** Bytes since 0/0; a bigint where a float would lose digits. */
const position = z.union([z.number(), z.bigint()]);

/** A lag in bytes, or that it is not known. */
const lag = z.union([position, z.literal('unknown')]);

const tags = z.record(z.string(), z.union([z.string(), z.number(), z.boolean()]));

/** How far a clone, rewind or bootstrap has come. */
const job = z.looseObject({
  kind: z.string(),
  done_bytes: z.number().optional(),
  total_bytes: z.number().optional(),
});

/** A role or database whose commits are to wait for a standby, and how far it has come. */
const waiter = z.looseObject({
  role: z.string().optional(),
  database: z.string().optional(),
  state: z.string(),
  value: z.string().optional(),
});

/** What only our members say of themselves. */
const ourPart = z.looseObject({
  version: z.string(),
  running: z.boolean().optional(),
  primary: z.boolean().optional(),
  /** False: the server does not know its end of WAL yet, which is not the same as being behind. */
  position_known: z.boolean().optional(),
  /** `[timeline, LSN]` of a server that does not run, where its end of WAL has been measured. */
  position: z.tuple([z.number(), position]).optional(),
  /** `[timeline, LSN]` of every ancestor, oldest first, with where it was left. */
  lineage: z.array(z.tuple([z.number(), position])).optional(),
  electable: z.boolean().optional(),
  job: job.optional(),
  waiting: z.array(waiter).optional(),
});

/**
 * `GET /patroni` and the body of every health check, of our members and of Patroni's. Fields that
 * are not named here are kept.
 */
export const memberStatusAnswer = z.looseObject({
  state: z.string(),
  role: z.string(),
  postmaster_start_time: z.string().nullish(),
  server_version: z.number().optional(),
  /** Absent while PostgreSQL does not answer (rule S12). */
  xlog: z
    .looseObject({
      location: position.nullish(),
      received_location: position.nullish(),
      replayed_location: position.nullish(),
      replayed_timestamp: z.string().nullish(),
      paused: z.boolean().optional(),
    })
    .optional(),
  timeline: z.number().optional(),
  replication_state: z.string().optional(),
  replication: z.array(z.looseObject({ application_name: z.string().nullish() })).optional(),
  /** Unix time in seconds. */
  dcs_last_seen: z.number().optional(),
  tags: tags.optional(),
  pause: z.boolean().optional(),
  cluster_unlocked: z.boolean().optional(),
  pending_restart: z.boolean().optional(),
  database_system_identifier: z.string().optional(),
  patroni: z
    .looseObject({ version: z.string(), scope: z.string(), name: z.string().optional() })
    .optional(),
  matriarch: ourPart.optional(),
});

/** `GET /cluster` */
export const clusterAnswer = z.looseObject({
  scope: z.string().optional(),
  members: z.array(
    z.looseObject({
      name: z.string(),
      role: z.string(),
      state: z.string(),
      api_url: z.string().optional(),
      host: z.string().optional(),
      port: z.number().optional(),
      timeline: z.number().optional(),
      receive_lag: lag.optional(),
      receive_lsn: z.string().optional(),
      replay_lag: lag.optional(),
      replay_lsn: z.string().optional(),
      lag: lag.optional(),
      lsn: z.string().optional(),
      pending_restart: z.boolean().optional(),
      tags: tags.optional(),
    }),
  ),
  pause: z.boolean().optional(),
  scheduled_switchover: z
    .looseObject({ at: z.string(), from: z.string().optional(), to: z.string().optional() })
    .optional(),
});

export type MemberStatusAnswer = z.output<typeof memberStatusAnswer>;
export type ClusterAnswer = z.output<typeof clusterAnswer>;

/** Reads an answer of the REST API; undefined when it is not what the schema says. Never throws. */
export const parseAnswer = <T>(schema: z.ZodType<T>, text: string): T | undefined => {
  const parsed = schema.safeParse(parseExactJson(text));
  return parsed.success ? parsed.data : undefined;
};
