import {
  type Door,
  type HaproxyUp,
  type MemberName,
  type Routes,
  memberName,
  nobodyUp,
  renderHaproxyConfig,
  renderHaproxyState,
  renderPgbouncerConfig,
  renderUserlist,
  renderWaitingScript,
} from '@matriarch/core';
import { DaemonPart } from './daemons/daemon-part.ts';
import { findTakenAddresses } from './daemons/taken-addresses.ts';
import { acceptCandidate, readIfThere, replaceFile, writeCandidate } from './files.ts';
import { RouteMover } from './move-routes.ts';
import type { Balancer } from './ports/balancer.ts';
import type { DaemonTools } from './ports/daemon.ts';
import type { Log } from './ports/log.ts';
import type { Pooler } from './ports/pooler.ts';
import type { RouteSource } from './ports/route-source.ts';
import type { Prepared } from './prepare.ts';
import { HAPROXY, PGBOUNCER, type ProxyProblem, portTaken } from './problem.ts';
import {
  type CurrentSettings,
  type ProxySettings,
  haproxyInput,
  haproxyListens,
  pgbouncerInput,
  pgbouncerListens,
  pgbouncerUsers,
} from './settings.ts';
import { DoorWatch } from './watch-doors.ts';

export interface RunningProxy {
  /** Where clients are sent; undefined while the store has not been read. */
  routes(): Routes | undefined;
  /** Process ids of HAProxy's master and of PgBouncer; undefined while there is none. */
  pids(): { readonly haproxy: number | undefined; readonly pgbouncer: number | undefined };
  /**
   * Takes over other settings without ending a session where that is possible. Answers what stood
   * against it; what is refused stays as it was. PgBouncer cannot be added or taken away.
   */
  reload(settings: ProxySettings): Promise<readonly ProxyProblem[]>;
  /** Ends HAProxy and PgBouncer, and with them every session. */
  stop(): Promise<void>;
  /** Leaves both serving, for the next run to take over. */
  release(): void;
}

export interface ProxyParts {
  readonly prepared: Prepared;
  readonly settings: CurrentSettings;
  readonly routes: RouteSource;
  readonly log: Log;
  readonly balancer: Balancer;
  readonly haproxy: DaemonTools;
  /** Undefined: no PgBouncer. */
  readonly pgbouncer: { readonly tools: DaemonTools; readonly pooler: Pooler } | undefined;
}

const membersOf = ({ members }: ProxySettings): readonly MemberName[] =>
  members.map(({ name }) => memberName(name));

const nothing = async (): Promise<void> => {};

/** HAProxy, PgBouncer and the routes between them, as one. */
export class Proxy implements RunningProxy {
  readonly #parts: ProxyParts;
  readonly #haproxy: DaemonPart;
  readonly #pgbouncer: DaemonPart | undefined;
  readonly #mover: RouteMover;
  readonly #watch: DoorWatch;
  #usersChanged = false;

  constructor(parts: ProxyParts) {
    const { settings, routes: source, balancer, pgbouncer, log } = parts;
    this.#parts = parts;
    this.#haproxy = this.#makeHaproxy();
    this.#pgbouncer = pgbouncer && this.#makePgbouncer(pgbouncer.tools);
    const members = membersOf(settings.current);
    this.#mover = new RouteMover({ source, balancer, pooler: pgbouncer?.pooler, members, log });
    this.#watch = new DoorWatch({
      balancer,
      members: () =>
        settings.current.members.map(({ name, host }) => ({ name: memberName(name), host })),
      routes: () => this.#mover.routes,
      onMoved: () => this.#mover.startOver(),
      log,
    });
  }

  /** Files first, all of them; only then the programs. */
  async begin(): Promise<readonly ProxyProblem[]> {
    const refused = await this.#install(this.#parts.settings.current);
    if (refused.length > 0) return refused;
    const outcomes = await Promise.all([
      this.#haproxy.begin(),
      this.#pgbouncer?.begin(this.#usersChanged),
    ]);
    const problems = outcomes.filter((problem) => problem !== undefined);
    if (problems.length > 0) {
      await Promise.all([this.#haproxy.abandon(), this.#pgbouncer?.abandon()]);
      return problems;
    }
    this.#mover.open();
    this.#watch.open();
    return [];
  }

  routes(): Routes | undefined {
    return this.#mover.routes;
  }

  pids(): { readonly haproxy: number | undefined; readonly pgbouncer: number | undefined } {
    return { haproxy: this.#haproxy.pid, pgbouncer: this.#pgbouncer?.pid };
  }

  async reload(settings: ProxySettings): Promise<readonly ProxyProblem[]> {
    const taken = await this.#findTaken(settings);
    if (taken.length > 0) return taken;
    const refused = await this.#install(settings);
    if (refused.length > 0) return refused;
    const before = this.#parts.settings.current;
    this.#parts.settings.current = settings;
    const problem = await this.#haproxy.apply();
    if (problem !== undefined) {
      // HAProxy goes on as it was; all the rest must fit to that.
      this.#parts.settings.current = before;
      return [problem, ...(await this.#install(before))];
    }
    // Whether the list of users has changed its configuration does not show.
    const other = await this.#pgbouncer?.apply(this.#usersChanged);
    return other === undefined ? [] : [other];
  }

  async stop(): Promise<void> {
    this.#close();
    await Promise.all([this.#haproxy.stop(), this.#pgbouncer?.stop()]);
  }

  release(): void {
    this.#close();
    this.#haproxy.release();
    this.#pgbouncer?.release();
  }

  #close(): void {
    this.#mover.close();
    this.#watch.close();
  }

  /** Ports that are to be bound and are not ours already. */
  async #findTaken(settings: ProxySettings): Promise<readonly ProxyProblem[]> {
    const { current } = this.#parts.settings;
    const problems: ProxyProblem[] = [];
    for (const { label, listens } of [
      { label: HAPROXY, listens: haproxyListens },
      { label: PGBOUNCER, listens: pgbouncerListens },
    ]) {
      const ours = listens(current).map(({ port }) => port);
      const taken = await findTakenAddresses(
        listens(settings).filter(({ port }) => !ours.includes(port)),
      );
      if (taken.length > 0) problems.push(portTaken(label, taken));
    }
    return problems;
  }

  /** All files are checked before the first one takes its place. */
  async #install(settings: ProxySettings): Promise<readonly ProxyProblem[]> {
    const { paths, runAs } = this.#parts.prepared;
    const { waitingScript, gateSocket } = paths.haproxy;
    await this.#write(waitingScript, renderWaitingScript(gateSocket));
    const haproxy = { ...haproxyInput(settings, paths), runAs };
    const problems = [
      await this.#haproxy.stage(renderHaproxyConfig(haproxy)),
      await this.#stagePgbouncer(settings),
    ].filter((problem) => problem !== undefined);
    if (problems.length > 0) return problems;
    await this.#haproxy.accept();
    if (this.#pgbouncer === undefined) return [];
    const { userlist } = paths.pgbouncer;
    const before = await readIfThere(userlist);
    await acceptCandidate(userlist);
    this.#usersChanged = before !== (await readIfThere(userlist));
    await this.#pgbouncer.accept();
    return [];
  }

  async #stagePgbouncer(settings: ProxySettings): Promise<ProxyProblem | undefined> {
    const { paths, pgbouncerUser, adminSecret } = this.#parts.prepared;
    const { pgbouncer } = settings;
    if (this.#pgbouncer === undefined || pgbouncer === undefined) return undefined;
    await writeCandidate({
      path: paths.pgbouncer.userlist,
      text: renderUserlist(pgbouncerUsers(pgbouncer, adminSecret)),
      mode: 0o600,
      owner: pgbouncerUser?.owner,
    });
    const text = renderPgbouncerConfig(pgbouncerInput(settings, pgbouncer, paths));
    return this.#pgbouncer.stage(text);
  }

  async #write(path: string, text: string): Promise<void> {
    await replaceFile({ path, text, mode: 0o640, owner: undefined });
  }

  /** The servers HAProxy is to begin with. */
  async #writeState(up: HaproxyUp): Promise<void> {
    const { prepared, settings } = this.#parts;
    const { members, checks } = haproxyInput(settings.current, prepared.paths);
    await this.#write(prepared.paths.haproxy.stateFile, renderHaproxyState(members, up, checks));
  }

  /** After a reload HAProxy goes on with the servers that are up now, and with no others. */
  async #keepState(): Promise<void> {
    const seen = await this.#parts.balancer.observe();
    const servers = seen.kind === 'done' ? seen.servers.filter(({ isUp }) => isUp) : [];
    const behind = (wanted: Door): readonly string[] =>
      servers.filter(({ door }) => door === wanted).map(({ member }) => member);
    await this.#writeState({ primary: behind('write'), replicas: behind('read') });
  }

  #makeHaproxy(): DaemonPart {
    const { prepared, settings, haproxy, log } = this.#parts;
    const { config, loadedConfig } = prepared.paths.haproxy;
    return new DaemonPart({
      tools: haproxy,
      label: HAPROXY,
      config,
      loadedConfig,
      owner: undefined,
      log,
      beforeStart: () => this.#writeState(nobodyUp),
      beforeReload: () => this.#keepState(),
      onForgotten: () => this.#mover.startOver(membersOf(settings.current)),
    });
  }

  #makePgbouncer(tools: DaemonTools): DaemonPart {
    const { prepared, log } = this.#parts;
    const { config, loadedConfig } = prepared.paths.pgbouncer;
    return new DaemonPart({
      tools,
      label: PGBOUNCER,
      config,
      loadedConfig,
      owner: prepared.pgbouncerUser?.owner,
      log,
      beforeStart: nothing,
      beforeReload: nothing,
      onForgotten: () => {},
    });
  }
}
