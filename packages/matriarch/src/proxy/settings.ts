import { join } from 'node:path';
import {
  type HaproxyChecks,
  type HaproxyInput,
  type HaproxyMember,
  type ListenAddress,
  type PgbouncerInput,
  type PgbouncerLimits,
  type PgbouncerUser,
  defaultPgbouncerLimits,
  haproxyDefaults,
} from '@matriarch/core';

export interface HaproxySettings {
  /** A name that is looked for, or a path. Default `haproxy`. */
  readonly program?: string | undefined;
  readonly write: ListenAddress;
  readonly read: ListenAddress;
  readonly statistics: ListenAddress;
  /** Started as root, HAProxy becomes this user. Default: it stays what it is. */
  readonly runAs?: { readonly user: string; readonly group: string } | undefined;
  readonly restTls?: { readonly caFile?: string | undefined } | undefined;
  readonly maxConnections?: number | undefined;
  readonly idleTimeoutMs?: number | undefined;
  /** How long a new connection waits for a primary while there is none. 0: refused at once. */
  readonly waitLimitMs?: number | undefined;
  readonly readsFallBack?: boolean | undefined;
  readonly checks?: HaproxyChecks | undefined;
}

export interface PgbouncerSettings {
  /** A name that is looked for, or a path. Default `pgbouncer`. */
  readonly program?: string | undefined;
  readonly listen: ListenAddress;
  /** Started as root, PgBouncer becomes this user. It does not run as root. */
  readonly user?: string | undefined;
  readonly databases: readonly string[];
  readonly users: readonly PgbouncerUser[];
  /** Users that may use the admin console, besides the proxy itself. */
  readonly adminUsers?: readonly string[] | undefined;
  readonly limits?: PgbouncerLimits | undefined;
}

export interface ProxySettings {
  readonly members: readonly HaproxyMember[];
  readonly haproxy: HaproxySettings;
  /** Undefined: no PgBouncer. */
  readonly pgbouncer?: PgbouncerSettings | undefined;
}

/** What each of the two programs binds. */
export const haproxyListens = ({ haproxy }: ProxySettings): readonly ListenAddress[] => [
  haproxy.write,
  haproxy.read,
  haproxy.statistics,
];

export const pgbouncerListens = ({ pgbouncer }: ProxySettings): readonly ListenAddress[] =>
  pgbouncer === undefined ? [] : [pgbouncer.listen];

/** Where everything of one proxy lies. */
export interface ProxyPaths {
  readonly haproxy: {
    readonly directory: string;
    readonly config: string;
    /** What the running process has read: to know whether it must read again. */
    readonly loadedConfig: string;
    readonly waitingScript: string;
    readonly stateFile: string;
    readonly pidFile: string;
    readonly logFile: string;
    readonly runtimeSocket: string;
    readonly masterSocket: string;
    readonly waitingSocket: string;
    readonly gateSocket: string;
  };
  readonly pgbouncer: {
    readonly directory: string;
    readonly config: string;
    /** What the running process has read: to know whether it must read again. */
    readonly loadedConfig: string;
    readonly userlist: string;
    readonly adminSecret: string;
    readonly pidFile: string;
    readonly logFile: string;
    readonly socketDirectory: string;
  };
}

/** `sockets` is apart because the path of a socket must be short. */
export const layOutProxy = (directory: string, sockets: string): ProxyPaths => {
  const haproxy = join(directory, 'haproxy');
  const pgbouncer = join(directory, 'pgbouncer');
  return {
    haproxy: {
      directory: haproxy,
      config: join(haproxy, 'haproxy.cfg'),
      loadedConfig: join(haproxy, 'haproxy.cfg.loaded'),
      waitingScript: join(haproxy, 'waiting.lua'),
      stateFile: join(haproxy, 'servers.state'),
      pidFile: join(haproxy, 'haproxy.pid'),
      logFile: join(haproxy, 'haproxy.log'),
      runtimeSocket: join(sockets, 'haproxy.sock'),
      masterSocket: join(sockets, 'master.sock'),
      waitingSocket: join(sockets, 'waiting.sock'),
      gateSocket: join(sockets, 'gate.sock'),
    },
    pgbouncer: {
      directory: pgbouncer,
      config: join(pgbouncer, 'pgbouncer.ini'),
      loadedConfig: join(pgbouncer, 'pgbouncer.ini.loaded'),
      userlist: join(pgbouncer, 'userlist.txt'),
      adminSecret: join(pgbouncer, 'admin.secret'),
      pidFile: join(pgbouncer, 'pgbouncer.pid'),
      logFile: join(pgbouncer, 'pgbouncer.log'),
      socketDirectory: join(sockets, 'pgbouncer'),
    },
  };
};

/** HAProxy binds under a longer name first and renames: less than the 107 bytes of a socket. */
const SOCKET_PATH_BYTES_MAX = 90;

/** Undefined when the sockets fit. */
export const findSocketProblem = (sockets: string): string | undefined => {
  const longest = join(sockets, 'pgbouncer', '.s.PGSQL.65535');
  const size = Buffer.byteLength(longest);
  if (size > SOCKET_PATH_BYTES_MAX) {
    return (
      `the directory for sockets is too long: ${longest} has ${size} bytes, ` +
      `at most ${SOCKET_PATH_BYTES_MAX}; choose a shorter one, as /run/matriarch`
    );
  }
  return sockets.includes(',')
    ? `the directory for sockets has a comma, which HAProxy takes for an end: ${sockets}`
    : undefined;
};

/** The proxy's own user of PgBouncer's admin console. */
export const PROXY_ADMIN = 'matriarch-proxy';

export const haproxyInput = (settings: ProxySettings, paths: ProxyPaths): HaproxyInput => {
  const { members, haproxy } = settings;
  return {
    members,
    write: haproxy.write,
    read: haproxy.read,
    statistics: haproxy.statistics,
    paths: paths.haproxy,
    runAs: haproxy.runAs,
    restTls: haproxy.restTls,
    maxConnections: haproxy.maxConnections ?? haproxyDefaults.maxConnections,
    idleTimeoutMs: haproxy.idleTimeoutMs ?? haproxyDefaults.idleTimeoutMs,
    waitLimitMs: haproxy.waitLimitMs ?? haproxyDefaults.waitLimitMs,
    readsFallBack: haproxy.readsFallBack ?? haproxyDefaults.readsFallBack,
    checks: haproxy.checks ?? haproxyDefaults.checks,
  };
};

const LOOPBACK: Readonly<Record<string, string>> = {
  '*': '127.0.0.1',
  '0.0.0.0': '127.0.0.1',
  '::': '::1',
};

/** How an address that is listened on is reached from the same machine. */
const reach = ({ host, port }: ListenAddress): ListenAddress => ({
  host: LOOPBACK[host] ?? host,
  port,
});

export const pgbouncerInput = (
  settings: ProxySettings,
  pgbouncer: PgbouncerSettings,
  paths: ProxyPaths,
): PgbouncerInput => {
  const { userlist, socketDirectory, pidFile } = paths.pgbouncer;
  return {
    databases: pgbouncer.databases,
    write: reach(settings.haproxy.write),
    read: reach(settings.haproxy.read),
    listen: pgbouncer.listen,
    paths: { userlist, socketDirectory, pidFile },
    adminUsers: [PROXY_ADMIN, ...(pgbouncer.adminUsers ?? [])],
    limits: pgbouncer.limits ?? defaultPgbouncerLimits,
  };
};

/** PgBouncer takes the last line of a name: nobody becomes the proxy by choosing its name. */
export const pgbouncerUsers = (
  pgbouncer: PgbouncerSettings,
  adminSecret: string,
): readonly PgbouncerUser[] => [
  ...pgbouncer.users.filter(({ name }) => name !== PROXY_ADMIN),
  { name: PROXY_ADMIN, secret: adminSecret },
];

/** The settings in force; those of a reload take the place of the first ones. */
export interface CurrentSettings {
  current: ProxySettings;
}
