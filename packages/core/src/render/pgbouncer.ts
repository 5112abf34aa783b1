/**
 * The text of pgbouncer.ini and of its list of users (guide G19). Grammar: PgBouncer, "config.md".
 * Tests hold both against the real program.
 */
import { type ListenAddress, mustBeOneLine } from './haproxy-words.ts';

export interface PgbouncerLimits {
  readonly poolMode: 'transaction' | 'session' | 'statement';
  readonly maxClientConnections: number;
  readonly defaultPoolSize: number;
  readonly minPoolSize: number;
  readonly reservePoolSize: number;
}

export const defaultPgbouncerLimits: PgbouncerLimits = {
  poolMode: 'transaction',
  maxClientConnections: 1_000,
  defaultPoolSize: 25,
  minPoolSize: 5,
  reservePoolSize: 5,
};

export interface PgbouncerInput {
  /** Each of them is offered as `<name>_write` and `<name>_read`. */
  readonly databases: readonly string[];
  /** HAProxy's two doors, as PgBouncer reaches them. */
  readonly write: ListenAddress;
  readonly read: ListenAddress;
  readonly listen: ListenAddress;
  readonly paths: {
    readonly userlist: string;
    readonly socketDirectory: string;
    readonly pidFile: string;
    /** Undefined: it logs to standard error, for whoever has started it to keep. */
    readonly logFile?: string | undefined;
  };
  /** May use the admin console. They stand in the list of users like everybody. */
  readonly adminUsers: readonly string[];
  readonly limits: PgbouncerLimits;
}

const DATABASE_NAME = /^[A-Za-z0-9_.-]+$/;

/** Whether PgBouncer can offer a database of this name: its file knows no quotes around names. */
export const isPgbouncerDatabaseName = (name: string): boolean => DATABASE_NAME.test(name);

export const pgbouncerDatabaseNames = (
  database: string,
): { readonly write: string; readonly read: string } => ({
  write: `${database}_write`,
  read: `${database}_read`,
});

/** A value in a connection string. */
const quote = (what: string, value: string): string =>
  `'${mustBeOneLine(what, value).replace(/'/g, "''")}'`;

const renderDatabase =
  (input: PgbouncerInput) =>
  (database: string): readonly string[] => {
    if (!isPgbouncerDatabaseName(database)) {
      throw new Error(
        `PgBouncer cannot offer a database named ${JSON.stringify(database)}: ` +
          'letters, digits, "_", "." and "-" are allowed',
      );
    }
    const names = pgbouncerDatabaseNames(database);
    const line = (name: string, { host, port }: ListenAddress): string =>
      `${name} = host=${quote('a host', host)} port=${port} dbname=${quote('a name', database)}`;
    return [line(names.write, input.write), line(names.read, input.read)];
  };

const isListable = (name: string): boolean => /^[^\s,]+$/u.test(name);

/** A list knows no quotes: a name with a comma would be two. */
const renderNames = (names: readonly string[]): string => {
  const odd = names.find((name) => !isListable(name));
  if (odd !== undefined) throw new Error(`not a user that can be listed: ${JSON.stringify(odd)}`);
  return names.join(', ');
};

const renderListening = ({ listen, paths, adminUsers }: PgbouncerInput): readonly string[] => [
  `listen_addr = ${mustBeOneLine('an address', listen.host)}`,
  `listen_port = ${listen.port}`,
  `unix_socket_dir = ${mustBeOneLine('a path', paths.socketDirectory)}`,
  'auth_type = scram-sha-256',
  `auth_file = ${mustBeOneLine('a path', paths.userlist)}`,
  `admin_users = ${renderNames(adminUsers)}`,
  `pidfile = ${mustBeOneLine('a path', paths.pidFile)}`,
  ...(paths.logFile === undefined ? [] : [`logfile = ${mustBeOneLine('a path', paths.logFile)}`]),
  '; Failures are logged, but not every connection: the log grows by what is worth reading.',
  'log_connections = 0',
  'log_disconnections = 0',
  'log_stats = 0',
];

const renderPooling = ({ limits }: PgbouncerInput): readonly string[] => [
  `pool_mode = ${limits.poolMode}`,
  `max_client_conn = ${limits.maxClientConnections}`,
  `default_pool_size = ${limits.defaultPoolSize}`,
  `min_pool_size = ${limits.minPoolSize}`,
  `reserve_pool_size = ${limits.reservePoolSize}`,
  // In transaction mode a session has no state to reset, and PgBouncer would not run the query.
  ...(limits.poolMode === 'session'
    ? ['server_reset_query = DISCARD ALL']
    : ['; No server_reset_query: it is run in session mode only.']),
  'ignore_startup_parameters = extra_float_digits',
];

/** The default is 15: longer than any failover. */
export const PGBOUNCER_LOGIN_RETRY_SECONDS = 1;

const renderServerSide = (): readonly string[] => [
  `server_login_retry = ${PGBOUNCER_LOGIN_RETRY_SECONDS}`,
  'server_check_query = select 1',
  'server_check_delay = 30',
  '; Longer than HAProxy lets a new connection wait for the next primary.',
  'server_connect_timeout = 15',
  '; Shorter than the half hour of HAProxy, which must not cut a connection of the pool.',
  'server_idle_timeout = 600',
  'server_lifetime = 3600',
  'server_tls_sslmode = prefer',
  'tcp_keepalive = 1',
  'tcp_keepidle = 30',
  'tcp_keepintvl = 10',
  'tcp_keepcnt = 3',
];

/** Throws on what the file cannot express: values on several lines, database names with blanks. */
export const renderPgbouncerConfig = (input: PgbouncerInput): string =>
  [
    '; Written by Matriarch. Changes are overwritten.',
    '[databases]',
    ...input.databases.flatMap(renderDatabase(input)),
    '',
    '[pgbouncer]',
    ...renderListening(input),
    '',
    ...renderPooling(input),
    '',
    ...renderServerSide(),
    '',
  ].join('\n');

/**
 * A user of PgBouncer. It needs the secret twice: to check a client, and to log in to PostgreSQL as
 * that user.
 *
 * A SCRAM verifier (`SCRAM-SHA-256$…`) does for both only when it is the very text of
 * `pg_authid.rolpassword`, salt and all: then PgBouncer passes on what the client has proved. It
 * must be read from the primary, and again after each change of the password. A plain password
 * always does, and is the only thing for users in whose name PgBouncer connects without a client.
 */
export interface PgbouncerUser {
  readonly name: string;
  /** A plain password, or a verifier as it stands in `pg_authid.rolpassword`. */
  readonly secret: string;
}

const quoteInList = (what: string, value: string): string =>
  `"${mustBeOneLine(what, value).replace(/"/g, '""')}"`;

/** One line for each user. The file holds secrets: nobody but PgBouncer's user may read it. */
export const renderUserlist = (users: readonly PgbouncerUser[]): string =>
  users
    .map(
      ({ name, secret }) =>
        `${quoteInList('a user name', name)} ${quoteInList('a password', secret)}\n`,
    )
    .join('');
