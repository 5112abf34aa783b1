/**
 * A whole cluster on one machine, as children of this process: for each member a "host" of agent,
 * guard, PostgreSQL and one etcd, and beside them the proxy with HAProxy and PgBouncer. What ends
 * is started again after a second, unless a drill holds it down.
 */
import { existsSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type ClusterConfig, clusterRoles, renderAgentConfig } from '@matriarch/protocol';
import { type ChildKind, type ChildName, forgetChild, recordChild } from './child-records.ts';
import { type LocalPaths, memberPaths } from './directories.ts';
import { makeDirectory, makeOwnDirectory } from './make-directory.ts';
import { type Account, giveTo, writePassFile } from './secrets.ts';
import { STOP_LIMITS_MS } from './stop-limits.ts';
import { SupervisedChild } from './supervised-child.ts';

const entry = fileURLToPath(new URL('../cli.js', import.meta.url));

export interface LocalClusterParts {
  /** As it is on this machine (`applyPlan`). */
  readonly config: ClusterConfig;
  readonly paths: LocalPaths;
  /** The cluster.yaml the proxy reads. */
  readonly file: string;
  readonly secrets: ReadonlyMap<string, string>;
  /** The user PostgreSQL runs as when we are root. */
  readonly owner: Account | undefined;
  /** The command line of each etcd, which stands beside the member with the same number. */
  readonly etcd: readonly (readonly string[])[];
  /**
   * What goes before a command line so that it runs on its host; the host is undefined for the
   * proxy. Absent: there is but one host.
   */
  readonly enterHost?:
    | ((kind: ChildKind, host: string | undefined) => readonly string[])
    | undefined;
  readonly onEnd: (name: string, status: number | null, signal: string | null) => void;
}

export class LocalCluster {
  readonly #parts: LocalClusterParts;
  readonly #etcd: readonly SupervisedChild[];
  readonly #agents: ReadonlyMap<string, SupervisedChild>;
  readonly #proxy: SupervisedChild;

  constructor(parts: LocalClusterParts) {
    this.#parts = parts;
    const { config, paths } = parts;
    this.#etcd = parts.etcd.map((commandLine, index) =>
      this.#child(
        { kind: 'store', name: `etcd${index + 1}` },
        { commandLine, host: config.members[index]?.name },
      ),
    );
    this.#agents = new Map(
      config.members.map(({ name }) => [
        name,
        this.#child(
          { kind: 'member', name },
          {
            commandLine: [process.execPath, entry, 'agent', memberPaths(paths.state, name).config],
            host: name,
          },
        ),
      ]),
    );
    this.#proxy = this.#child(
      { kind: 'proxy', name: 'proxy' },
      { commandLine: [process.execPath, entry, 'proxy', parts.file], host: undefined },
    );
  }

  #child(
    child: ChildName,
    program: { commandLine: readonly string[]; host: string | undefined },
  ): SupervisedChild {
    const { paths, onEnd, enterHost } = this.#parts;
    const { name } = child;
    const [command = '', ...rest] = [
      ...(enterHost?.(child.kind, program.host) ?? []),
      ...program.commandLine,
    ];
    return new SupervisedChild({
      name,
      command,
      arguments: rest,
      environment: process.env,
      logFile: join(paths.logs, `${name}.log`),
      isHeld: () => program.host !== undefined && existsSync(join(paths.held, program.host)),
      onStart: (pid) => recordChild(paths.children, child, pid),
      onExit: (status, signal) => {
        forgetChild(paths.children, child);
        onEnd(name, status, signal);
      },
    });
  }

  /** Directories and files; nothing is started. Throws when something cannot be written. */
  prepare(): void {
    const { config, paths, secrets, owner } = this.#parts;
    // A drill that was killed has let nothing go.
    rmSync(paths.held, { recursive: true, force: true });
    makeOwnDirectory(paths.sockets);
    for (const directory of [paths.state, paths.logs, paths.held, paths.proxy, paths.children])
      makeDirectory(directory);
    makeDirectory(join(paths.state, 'members'));
    for (const member of config.members) {
      const place = memberPaths(paths.state, member.name);
      makeDirectory(place.directory, 0o700);
      giveTo(place.directory, owner);
      const sockets = join(paths.sockets, member.name);
      makeDirectory(sockets);
      giveTo(sockets, owner);
      const text = renderAgentConfig(config, member, {
        secrets: {
          superuser: secrets.get('superuser'),
          replication: secrets.get('replication'),
          rewind: secrets.get('rewind'),
          restapi: secrets.get('restapi'),
          etcd: secrets.get('etcd'),
        },
        dataDirectory: member.dataDirectory,
        stateDirectory: place.stateDirectory,
        socketDirectory: sockets,
      });
      writeFileSync(place.config, text, { mode: 0o600 });
    }
    writePassFile(paths.passFile, {
      user: clusterRoles.superuser,
      password: secrets.get('superuser') ?? '',
    });
  }

  startStore(): void {
    for (const child of this.#etcd) child.start();
  }

  startMembers(): void {
    for (const child of this.#agents.values()) child.start();
  }

  startProxy(): void {
    this.#proxy.start();
  }

  /** Process ids of the children that run now, by name. */
  pids(): ReadonlyMap<string, number> {
    const children = [...this.#etcd, ...this.#agents.values(), this.#proxy];
    return new Map(
      children.flatMap(({ spec, pid }) => (pid === undefined ? [] : [[spec.name, pid]])),
    );
  }

  /** Ends everything in order: sessions, replicas, the primary, the store. */
  async stop(primary: string | undefined): Promise<void> {
    await this.#proxy.stop(STOP_LIMITS_MS.proxy);
    const replicas = [...this.#agents].filter(([name]) => name !== primary);
    await Promise.all(replicas.map(([, child]) => child.stop(STOP_LIMITS_MS.member)));
    if (primary !== undefined) await this.#agents.get(primary)?.stop(STOP_LIMITS_MS.member);
    await Promise.all(this.#etcd.map((child) => child.stop(STOP_LIMITS_MS.store)));
  }
}
