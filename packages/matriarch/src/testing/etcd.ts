import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { promisify } from 'node:util';
import {
  type EtcdMemberOptions,
  etcdEnvironment,
  renderEtcdArguments,
} from '../adapters/etcd/member-arguments.ts';

/**
 * A real etcd for tests: one or three members on free loopback ports, with a temporary directory.
 * Members die with the process that started them, however that ends.
 */
export interface EtcdCluster {
  readonly directory: string;
  readonly members: readonly EtcdMember[];
  readonly endpoints: readonly string[];
  /** The member that leads, among those that are neither frozen nor dead. */
  leader(): Promise<EtcdMember>;
  /** Runs etcdctl (API 3) against the first member and answers what it printed. */
  etcdctl(...args: readonly string[]): Promise<string>;
  /** Ends all members, whatever their state, and removes the directory. */
  stop(): Promise<void>;
}

export interface EtcdMember {
  readonly name: string;
  readonly endpoint: string;
  readonly pid: number;
  /** SIGSTOP, and waits until it stands still. */
  freeze(): Promise<void>;
  thaw(): void;
  kill(): Promise<void>;
  /** Kills it if it runs, and starts it again with its data. */
  restart(): Promise<void>;
}

export interface EtcdClusterOptions {
  readonly members?: 1 | 3 | undefined;
  /** Makes the certificates in the cluster's directory; clients must show one, too. */
  readonly tls?: ((directory: string) => NonNullable<EtcdMemberOptions['tls']>) | undefined;
}

const START_LIMIT_MS = 30_000;
const STOP_LIMIT_MS = 10_000;
const COMMAND_LIMIT_MS = 10_000;
const LOOK_INTERVAL_MS = 20;
/** Somebody else may take a port between our look and etcd's start. */
const STARTS_MAX = 3;

const run = promisify(execFile);

/** Asks until the answer is yes, at most `limitMs`. */
export const until = async (
  what: string,
  limitMs: number,
  isSo: () => boolean | Promise<boolean>,
): Promise<void> => {
  const end = performance.now() + limitMs;
  while (!(await isSo())) {
    if (performance.now() > end) throw new Error(`not within ${limitMs} ms: ${what}`);
    await pause(LOOK_INTERVAL_MS);
  }
};

/** Ports that were free a moment ago, all different. */
export const findFreePorts = async (count: number): Promise<readonly number[]> => {
  const servers = Array.from({ length: count }, () => createServer().listen(0, '127.0.0.1'));
  await Promise.all(servers.map(async (server) => once(server, 'listening')));
  const ports = servers.map((server) => {
    const address = server.address();
    return typeof address === 'object' && address !== null ? address.port : 0;
  });
  await Promise.all(servers.map(async (server) => once(server.close(), 'close')));
  return ports;
};

const isStopped = (pid: number): boolean => {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  return stat.slice(stat.lastIndexOf(')') + 2).startsWith('T');
};

class Member implements EtcdMember {
  readonly name: string;
  readonly endpoint: string;
  readonly #metricsUrl: string;
  readonly #args: readonly string[];
  readonly #logFile: string;
  #process: ChildProcess | undefined;
  #frozen = false;

  constructor(options: EtcdMemberOptions & { metricsUrl: string; logFile: string }) {
    this.name = options.name;
    this.endpoint = options.clientUrl;
    this.#metricsUrl = options.metricsUrl;
    this.#args = renderEtcdArguments(options);
    this.#logFile = options.logFile;
  }

  get pid(): number {
    const pid = this.#process?.pid;
    if (pid === undefined) throw new Error(`etcd member ${this.name} does not run`);
    return pid;
  }

  get isFit(): boolean {
    return this.#runs && !this.#frozen;
  }

  get #runs(): boolean {
    const child = this.#process;
    return child !== undefined && child.exitCode === null && child.signalCode === null;
  }

  launch(): void {
    const log = openSync(this.#logFile, 'a');
    // With its parent's death the kernel kills it, also when a test run is killed hard.
    const args = ['--pdeathsig=KILL', '--', 'etcd', ...this.#args];
    const env = { PATH: process.env['PATH'] ?? '', ...etcdEnvironment(process.arch) };
    this.#process = spawn('setpriv', args, { env, stdio: ['ignore', log, log] });
    this.#process.on('error', () => {});
    closeSync(log);
    this.#frozen = false;
  }

  /** Healthy means: it takes part in a cluster that has a leader. */
  async waitUntilHealthy(): Promise<void> {
    await until(`etcd member ${this.name} healthy`, START_LIMIT_MS, async () => {
      if (!this.#runs) {
        throw new Error(`etcd member ${this.name} ended:\n${readFileSync(this.#logFile, 'utf8')}`);
      }
      return (await this.#fetch('/health')).includes('"health":"true"');
    });
  }

  async isLeader(): Promise<boolean> {
    return /^etcd_server_is_leader 1$/mu.test(await this.#fetch('/metrics'));
  }

  async freeze(): Promise<void> {
    process.kill(this.pid, 'SIGSTOP');
    this.#frozen = true;
    await until(`etcd member ${this.name} frozen`, STOP_LIMIT_MS, () => isStopped(this.pid));
  }

  thaw(): void {
    process.kill(this.pid, 'SIGCONT');
    this.#frozen = false;
  }

  async kill(): Promise<void> {
    const child = this.#process;
    if (child === undefined || !this.#runs) return;
    const gone = once(child, 'exit', { signal: AbortSignal.timeout(STOP_LIMIT_MS) });
    child.kill('SIGKILL');
    await gone;
  }

  killNow(): void {
    this.#process?.kill('SIGKILL');
  }

  async restart(): Promise<void> {
    await this.kill();
    this.launch();
    await this.waitUntilHealthy();
  }

  async #fetch(path: string): Promise<string> {
    const signal = AbortSignal.timeout(COMMAND_LIMIT_MS);
    const response = await fetch(`${this.#metricsUrl}${path}`, { signal }).catch(() => undefined);
    return (await response?.text()) ?? '';
  }
}

const planMembers = async (
  directory: string,
  { members: count = 1, tls }: EtcdClusterOptions,
): Promise<readonly Member[]> => {
  const ports = await findFreePorts(count * 3);
  const certificates = tls?.(directory);
  const plans = Array.from({ length: count }, (_, index) => {
    const [client, peer, metrics] = ports.slice(index * 3);
    return {
      name: `etcd${index + 1}`,
      clientUrl: `${tls === undefined ? 'http' : 'https'}://127.0.0.1:${client}`,
      peerUrl: `http://127.0.0.1:${peer}`,
      metricsUrl: `http://127.0.0.1:${metrics}`,
    };
  });
  return plans.map(
    (plan) =>
      new Member({
        ...plan,
        dataDirectory: join(directory, plan.name),
        logFile: join(directory, `${plan.name}.log`),
        cluster: plans,
        clusterToken: directory,
        tls: certificates,
      }),
  );
};

const startOnce = async (options: EtcdClusterOptions): Promise<EtcdCluster> => {
  const directory = mkdtempSync(join(tmpdir(), 'matriarch-etcd-'));
  let members: readonly Member[] = [];
  const clean = (): void => {
    for (const member of members) member.killNow();
    rmSync(directory, { recursive: true, force: true });
  };
  const stop = async (): Promise<void> => {
    await Promise.all(members.map(async (member) => member.kill()));
    process.removeListener('exit', clean);
    clean();
  };
  process.once('exit', clean);
  try {
    members = await planMembers(directory, options);
    for (const member of members) member.launch();
    await Promise.all(members.map(async (member) => member.waitUntilHealthy()));
  } catch (error) {
    await stop();
    throw error;
  }
  const endpoints = members.map(({ endpoint }) => endpoint);
  return {
    directory,
    members,
    endpoints,
    stop,
    leader: async () => {
      let leader: Member | undefined;
      await until('an etcd member leads', START_LIMIT_MS, async () => {
        const fit = members.filter(({ isFit }) => isFit);
        const leads = await Promise.all(fit.map(async (member) => member.isLeader()));
        leader = fit[leads.indexOf(true)];
        return leader !== undefined;
      });
      if (leader === undefined) throw new Error('no etcd member leads');
      return leader;
    },
    etcdctl: async (...args) => {
      const env = { PATH: process.env['PATH'] ?? '', ETCDCTL_API: '3' };
      const target = `--endpoints=${endpoints[0] ?? ''}`;
      const { stdout } = await run('etcdctl', [target, ...args], {
        env,
        timeout: COMMAND_LIMIT_MS,
      });
      return stdout;
    },
  };
};

export const startEtcd = async (options: EtcdClusterOptions = {}): Promise<EtcdCluster> => {
  for (let starts = 1; ; starts += 1) {
    try {
      return await startOnce(options);
    } catch (error) {
      const portTaken = String(error).includes('address already in use');
      if (!portTaken || starts >= STARTS_MAX) throw error;
    }
  }
};
