/**
 * A whole cluster on one machine, as children of this process: for each member a "host" of agent,
 * guard, PostgreSQL and one etcd, and beside them the proxy with HAProxy and PgBouncer. What ends is
 * started again after a second, unless a drill holds it down.
 */
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type ClusterConfig, clusterRoles, renderAgentConfig } from '@matriarch/protocol';
import { type LocalPaths, memberPaths } from './directories.ts';
import type { LocalPlan } from './plan.ts';
import { type Account, giveTo, writePassFile } from './secrets.ts';
import { SupervisedChild } from './supervised-child.ts';

const entry = fileURLToPath(new URL('../cli.js', import.meta.url));

/** A primary hands over before it goes; the members before it have gone by then. */
const AGENT_STOP_LIMIT_MS = 30_000;
const ETCD_STOP_LIMIT_MS = 5_000;
const PROXY_STOP_LIMIT_MS = 10_000;

export interface LocalClusterParts {
  /** As it is on this machine (`applyPlan`). */
  readonly config: ClusterConfig;
  readonly plan: LocalPlan;
  readonly paths: LocalPaths;
  /** The cluster.yaml the proxy reads. */
  readonly file: string;
  readonly secrets: ReadonlyMap<string, string>;
  /** The user PostgreSQL runs as when we are root. */
  readonly owner: Account | undefined;
  /** Command line of the etcd member with this index. */
  readonly etcdArguments: (index: number) => readonly string[];
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
    this.#etcd = parts.plan.etcd.map((_, index) =>
      this.#child(`etcd${index + 1}`, {
        command: 'etcd',
        arguments: parts.etcdArguments(index),
        host: config.members[index]?.name,
      }),
    );
    this.#agents = new Map(
      config.members.map(({ name }) => [
        name,
        this.#child(name, {
          command: process.execPath,
          arguments: [entry, 'agent', memberPaths(paths.state, name).config],
          host: name,
        }),
      ]),
    );
    this.#proxy = this.#child('proxy', {
      command: process.execPath,
      arguments: [entry, 'proxy', parts.file],
      host: undefined,
    });
  }

  #child(
    name: string,
    program: { command: string; arguments: readonly string[]; host: string | undefined },
  ): SupervisedChild {
    const { paths, onEnd } = this.#parts;
    return new SupervisedChild({
      name,
      command: program.command,
      arguments: program.arguments,
      environment: process.env,
      logFile: join(paths.logs, `${name}.log`),
      isHeld: () => program.host !== undefined && existsSync(join(paths.held, program.host)),
      onExit: (status, signal) => onEnd(name, status, signal),
    });
  }

  /** Directories and files; nothing is started. */
  prepare(): void {
    const { config, paths, secrets, owner } = this.#parts;
    for (const directory of [paths.state, paths.logs, paths.held, paths.proxy, paths.sockets])
      mkdirSync(directory, { recursive: true, mode: 0o755 });
    mkdirSync(join(paths.state, 'members'), { recursive: true, mode: 0o755 });
    for (const member of config.members) {
      const place = memberPaths(paths.state, member.name);
      mkdirSync(place.directory, { recursive: true, mode: 0o700 });
      giveTo(place.directory, owner);
      const sockets = join(paths.sockets, member.name);
      mkdirSync(sockets, { recursive: true, mode: 0o755 });
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
    await this.#proxy.stop(PROXY_STOP_LIMIT_MS);
    const replicas = [...this.#agents].filter(([name]) => name !== primary);
    await Promise.all(replicas.map(([, child]) => child.stop(AGENT_STOP_LIMIT_MS)));
    if (primary !== undefined) await this.#agents.get(primary)?.stop(AGENT_STOP_LIMIT_MS);
    await Promise.all(this.#etcd.map((child) => child.stop(ETCD_STOP_LIMIT_MS)));
  }
}
