/**
 * Which parameters go where. What is wanted comes complete and checked from the configuration; here
 * is what depends on the server at hand: what it turned down, and what its data insists on.
 */

/**
 * On the postmaster's command line, as in Patroni: there ALTER SYSTEM cannot override them, and
 * members that differ in them cannot follow each other.
 */
const ON_COMMAND_LINE = [
  'listen_addresses',
  'port',
  'cluster_name',
  'hot_standby',
  'restart_after_crash',
  'wal_level',
  'max_connections',
  'max_wal_senders',
  'max_replication_slots',
  'max_worker_processes',
  'max_prepared_transactions',
  'max_locks_per_transaction',
  'track_commit_timestamp',
  'wal_log_hints',
] as const;

/** Ours whatever is wanted. */
const FIXED: Readonly<Record<string, string>> = {
  hot_standby: 'on',
  // A crashed backend ends the postmaster, so that there is one way back from a crash.
  restart_after_crash: 'off',
};

/** What ALTER SYSTEM must not have set. */
export const ownedParameters: ReadonlySet<string> = new Set([
  ...ON_COMMAND_LINE,
  'wal_keep_size',
  'wal_keep_segments',
]);

export interface ParameterWish {
  readonly wanted: Readonly<Record<string, string>>;
  /** What pg_control says a standby needs at least; empty for a primary. */
  readonly minimums: Readonly<Record<string, number>>;
  /** What this server does not accept, by name. */
  readonly refused: ReadonlySet<string>;
}

export interface ServerParameters {
  /** For our configuration file: all of them. */
  readonly file: Readonly<Record<string, string>>;
  /** For the postmaster's command line. */
  readonly commandLine: Readonly<Record<string, string>>;
  /** What was wanted and is not done, in words for the operator. */
  readonly remarks: readonly string[];
}

export const resolveParameters = ({
  wanted,
  minimums,
  refused,
}: ParameterWish): ServerParameters => {
  const remarks: string[] = [];
  const file: Record<string, string> = {};
  for (const [name, value] of Object.entries({ ...wanted, ...FIXED })) {
    if (refused.has(name)) remarks.push(`the server does not accept ${name} = ${value}`);
    else file[name] = value;
  }
  for (const [name, least] of Object.entries(minimums)) {
    const value = file[name];
    if (value !== undefined && Number(value) >= least) continue;
    if (value !== undefined)
      remarks.push(`${name} = ${value} is raised to ${least}: its primary had that many`);
    file[name] = String(least);
  }
  const commandLine: Record<string, string> = {};
  for (const name of ON_COMMAND_LINE) {
    const value = file[name];
    if (value !== undefined) commandLine[name] = value;
  }
  return { file, commandLine, remarks };
};

/** Sets of parameters that servers have accepted, by executable. */
const acceptances = new Set<string>();

const acceptance = (server: string, file: ServerParameters['file']): string =>
  JSON.stringify([server, file]);

export const rememberAccepted = (server: string, file: ServerParameters['file']): void => {
  acceptances.add(acceptance(server, file));
};

export const wasAccepted = (server: string, file: ServerParameters['file']): boolean =>
  acceptances.has(acceptance(server, file));

/** What servers have turned down, by executable, name and value: they will again. */
const refusals = new Set<string>();

const refusal = (server: string, name: string, value: string | undefined): string =>
  JSON.stringify([server, name, value]);

export const rememberRefusal = (
  server: string,
  name: string,
  wanted: Readonly<Record<string, string>>,
): void => {
  refusals.add(refusal(server, name, wanted[name]));
};

export const refusedOf = (
  server: string,
  wanted: Readonly<Record<string, string>>,
): ReadonlySet<string> =>
  new Set(Object.keys(wanted).filter((name) => refusals.has(refusal(server, name, wanted[name]))));
