/**
 * `matriarch proxy`: renders the files of HAProxy and PgBouncer, keeps both running and moves
 * traffic by event. The only file here that knows the adapters.
 *
 * When this process dies, both go on: HAProxy's own checks move traffic then, in a second or two.
 * The next run finds them by their pid files and takes them over as they are, with every session.
 */
import type { ListenAddress } from '@matriarch/core';
import { createHaproxyBalancer } from '../adapters/haproxy/haproxy-balancer.ts';
import {
  checkHaproxyConfig,
  haproxyDaemon,
  reloadHaproxy,
} from '../adapters/haproxy/haproxy-daemon.ts';
import type { AdminTarget } from '../adapters/pgbouncer/admin-console.ts';
import {
  checkPgbouncerConfig,
  pgbouncerDaemon,
  reloadPgbouncer,
  takesRestart,
} from '../adapters/pgbouncer/pgbouncer-daemon.ts';
import { createPgbouncerPooler } from '../adapters/pgbouncer/pgbouncer-pooler.ts';
import { runProgram } from './daemons/programs.ts';
import { candidatePath } from './files.ts';
import type { DaemonTools } from './ports/daemon.ts';
import type { Log } from './ports/log.ts';
import type { RouteSource } from './ports/route-source.ts';
import { type Prepared, type ProxyPlace, prepareProxy } from './prepare.ts';
import type { ProxyProblem } from './problem.ts';
import { Proxy, type ProxyParts, type RunningProxy } from './proxy.ts';
import {
  type CurrentSettings,
  PROXY_ADMIN,
  type ProxySettings,
  haproxyListens,
  pgbouncerListens,
} from './settings.ts';

export interface ProxyOptions extends ProxyPlace {
  readonly settings: ProxySettings;
  readonly routes: RouteSource;
  readonly log: Log;
}

export type ProxyStart =
  | { readonly kind: 'running'; readonly proxy: RunningProxy }
  /** Nothing runs that did not run before. */
  | { readonly kind: 'refused'; readonly problems: readonly ProxyProblem[] };

const haproxyTools = (prepared: Prepared, settings: CurrentSettings): DaemonTools => {
  const { haproxyProgram: program, paths } = prepared;
  const { config, pidFile, logFile, runtimeSocket, masterSocket } = paths.haproxy;
  const sockets = { runtime: runtimeSocket, master: masterSocket };
  return {
    spec: haproxyDaemon({
      program,
      configFile: config,
      pidFile,
      logFile,
      sockets,
      listens: () => haproxyListens(settings.current),
    }),
    check: (file) => checkHaproxyConfig({ program, file, run: runProgram }),
    reload: (pid) => reloadHaproxy(pid, sockets),
    // The master binds new ports itself, before it lets go of the old ones.
    takesRestart: () => false,
  };
};

const pgbouncerTools = (
  prepared: Prepared & { readonly pgbouncerProgram: string },
  settings: CurrentSettings,
): NonNullable<ProxyParts['pgbouncer']> => {
  const { pgbouncerProgram: program, pgbouncerUser, paths, adminSecret } = prepared;
  const { config, pidFile, logFile, userlist, socketDirectory } = paths.pgbouncer;
  const user = pgbouncerUser?.user;
  const admin = (): AdminTarget => ({
    socketDirectory,
    port: settings.current.pgbouncer?.listen.port ?? 0,
    user: PROXY_ADMIN,
    password: adminSecret,
  });
  const listens = (): readonly ListenAddress[] => pgbouncerListens(settings.current);
  const spec = { program, user, configFile: config, pidFile, logFile, listens, admin };
  const tools: DaemonTools = {
    spec: pgbouncerDaemon(spec),
    check: (file) => {
      const check = { program, user, file, userlist: candidatePath(userlist), run: runProgram };
      return checkPgbouncerConfig(check);
    },
    reload: () => reloadPgbouncer(admin()),
    takesRestart,
  };
  const databases = (): readonly string[] => settings.current.pgbouncer?.databases ?? [];
  return { tools, pooler: createPgbouncerPooler(admin, databases) };
};

/**
 * Starts the proxy, or takes over what an earlier run has left serving. Everything is looked at
 * before anything is changed, and everything that stands against it is answered at once.
 *
 * Throws on settings no file can hold, which checked configuration does not contain.
 */
export const runProxy = async (options: ProxyOptions): Promise<ProxyStart> => {
  const { routes, log } = options;
  const settings: CurrentSettings = { current: options.settings };
  const prepared = await prepareProxy(options, options.settings);
  if ('problems' in prepared) return { kind: 'refused', problems: prepared.problems };
  const { runtimeSocket, masterSocket } = prepared.paths.haproxy;
  const { pgbouncerProgram } = prepared;
  const proxy = new Proxy({
    prepared,
    settings,
    routes,
    log,
    balancer: createHaproxyBalancer({ runtime: runtimeSocket, master: masterSocket }),
    haproxy: haproxyTools(prepared, settings),
    pgbouncer:
      pgbouncerProgram === undefined
        ? undefined
        : pgbouncerTools({ ...prepared, pgbouncerProgram }, settings),
  });
  const problems = await proxy.begin();
  return problems.length === 0 ? { kind: 'running', proxy } : { kind: 'refused', problems };
};
