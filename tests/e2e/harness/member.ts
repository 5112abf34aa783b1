/**
 * One member: its agent started from built output in a session of its own, its files, and what can
 * befall it. Process ids are looked up at the moment they are needed.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import {
  chownSync,
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readFileSync,
  writeFileSync,
} from 'node:fs';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Client } from 'pg';
import type { EtcdMember } from '../../../packages/matriarch/src/testing/etcd.ts';
import type { Account } from './account.ts';
import { type JsonObject, SUPERUSER, renderAgentFile } from './agent-file.ts';
import type { Keeper } from './keeper.ts';
import {
  type ProcessFacts,
  listProcesses,
  observeProcess,
  sharedSegments,
  signal,
  withDescendants,
} from './processes.ts';
import { type RestAnswer, type RestCall, type StatusDocument, callRest } from './rest.ts';
import { waitUntil } from './wait.ts';

const BUILT = fileURLToPath(new URL('../../../packages/matriarch/dist/cli.js', import.meta.url));
/** Tests may be run on another build of the program than the one beside them. */
const PROGRAM = process.env['MATRIARCH_E2E_PROGRAM'] ?? BUILT;

const STOP_LIMIT_MS = 60_000;
const SIGNAL_LIMIT_MS = 10_000;
const CONNECT_LIMIT_MS = 3_000;
const QUERY_LIMIT_MS = 20_000;

export interface MemberParts {
  readonly name: string;
  readonly directory: string;
  readonly apiPort: number;
  readonly postgresPort: number;
  readonly account: Account;
  readonly keeper: Keeper;
  readonly etcdEndpoints: readonly string[];
  /** The etcd member that lives and dies with this host. */
  readonly etcd: EtcdMember | undefined;
  readonly changes: JsonObject;
}

export interface JournalEntry {
  readonly at: string;
  readonly event?: string;
  readonly rule?: string;
  readonly because?: string;
  readonly action?: string;
  readonly [key: string]: unknown;
}

export interface Ending {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

export type Part = 'guard' | 'loop' | 'postmaster' | 'host';

export class Member {
  readonly name: string;
  readonly directory: string;
  readonly dataDirectory: string;
  readonly stateDirectory: string;
  readonly configFile: string;
  readonly logFile: string;
  readonly apiPort: number;
  readonly postgresPort: number;
  readonly etcd: EtcdMember | undefined;
  readonly #parts: MemberParts;
  #changes: readonly JsonObject[] = [];
  #guard: ChildProcess | undefined;
  #ended: Promise<Ending> = Promise.resolve({ code: null, signal: null });

  constructor(parts: MemberParts) {
    const { name, directory, apiPort, postgresPort, account } = parts;
    this.#parts = parts;
    this.name = name;
    this.directory = directory;
    this.apiPort = apiPort;
    this.postgresPort = postgresPort;
    this.etcd = parts.etcd;
    this.dataDirectory = join(directory, 'data');
    this.stateDirectory = `${this.dataDirectory}.matriarch`;
    this.configFile = join(directory, 'patroni.yml');
    this.logFile = join(directory, 'log');
    mkdirSync(join(directory, 'socket'), { recursive: true });
    chownSync(directory, account.uid, account.gid);
    chownSync(join(directory, 'socket'), account.uid, account.gid);
    this.#writeFile();
  }

  /** Changes the file the agent reads at its start, or at SIGHUP. */
  configure(changes: JsonObject): void {
    this.#changes = [...this.#changes, changes];
    this.#writeFile();
  }

  #writeFile(): void {
    const text = renderAgentFile(
      {
        name: this.name,
        apiPort: this.apiPort,
        postgresPort: this.postgresPort,
        dataDirectory: this.dataDirectory,
        socketDirectory: join(this.directory, 'socket'),
        etcdEndpoints: this.#parts.etcdEndpoints,
      },
      [this.#parts.changes, ...this.#changes],
    );
    writeFileSync(this.configFile, text, { mode: 0o600 });
  }

  /** Takes back every change that was made to the file since this member was made. */
  restoreFile(): void {
    if (this.#changes.length === 0) return;
    this.#changes = [];
    this.#writeFile();
    this.reload();
  }

  /** Starts the agent; nothing when it runs. */
  start(): void {
    if (this.runs) return;
    const log = openSync(this.logFile, 'a');
    const guard = spawn(process.execPath, [PROGRAM, 'agent', this.configFile], {
      detached: true,
      cwd: '/',
      env: { PATH: process.env['PATH'] ?? '' },
      stdio: ['ignore', log, log],
    });
    closeSync(log);
    this.#guard = guard;
    this.#ended = new Promise((resolve) => {
      guard.once('exit', (code, name) => resolve({ code, signal: name }));
      guard.once('error', () => resolve({ code: null, signal: null }));
    });
  }

  /** Whether the agent's first process, the guard, is there. */
  get runs(): boolean {
    const guard = this.#guard;
    return guard?.pid !== undefined && guard.exitCode === null && guard.signalCode === null;
  }

  get guardPid(): number | undefined {
    return this.runs ? this.#guard?.pid : undefined;
  }

  /** How the agent ended; waits for it. */
  async ending(limitMs = STOP_LIMIT_MS): Promise<Ending> {
    await waitUntil(`the end of ${this.name}`, () => !this.runs, {
      limitMs,
      explain: () => this.describe(),
    });
    return this.#ended;
  }

  /** All processes of this host but its etcd. */
  processes(all: readonly ProcessFacts[] = listProcesses()): readonly ProcessFacts[] {
    const home = `${this.directory}/`;
    return withDescendants(
      all,
      ({ pid, directory, commandLine }) =>
        pid !== process.pid &&
        (pid === this.guardPid || directory.startsWith(home) || commandLine.includes(home)),
    ).filter(({ pid }) => pid !== process.pid);
  }

  /** PostgreSQL's processes in the data directory, whoever their parent is. */
  serverProcesses(): readonly ProcessFacts[] {
    return listProcesses().filter(({ directory }) => directory === this.dataDirectory);
  }

  get loopPid(): number | undefined {
    return listProcesses().find(
      ({ parentPid, commandLine }) =>
        parentPid === this.guardPid && /\bmain\.js /u.test(commandLine),
    )?.pid;
  }

  get postmasterPid(): number | undefined {
    return this.serverProcesses().find(({ parentPid }) => parentPid === this.guardPid)?.pid;
  }

  /** A process of the running server by its title, for example `walsender`. */
  serverProcess(title: string): readonly number[] {
    return this.serverProcesses()
      .filter(({ commandLine }) => commandLine.includes(title))
      .map(({ pid }) => pid);
  }

  #pidsOf(part: Part): readonly number[] {
    const etcd = part === 'host' && this.etcd !== undefined ? etcdPid(this.etcd) : [];
    if (part === 'host') return [...this.processes().map(({ pid }) => pid), ...etcd];
    const pid = { guard: this.guardPid, loop: this.loopPid, postmaster: this.postmasterPid }[part];
    if (pid === undefined) throw new Error(`${this.name} has no ${part} to be harmed`);
    return [pid];
  }

  /**
   * SIGKILL, and waits until they are gone. All processes of a host get it at once, as when its power
   * is cut.
   */
  async kill(part: Part): Promise<void> {
    const pids = this.#pidsOf(part);
    for (const pid of pids)
      for (const id of sharedSegments(pid)) this.#parts.keeper.watchSegment(id);
    for (const pid of pids) signal(pid, 'SIGKILL');
    // Who was being born while we looked.
    if (part === 'host') for (const pid of this.#pidsOf(part)) signal(pid, 'SIGKILL');
    const endsHere = pids.includes(this.guardPid ?? 0);
    const isGone = (): boolean =>
      pids.every((pid) => observeProcess(pid) === undefined) && !(endsHere && this.runs);
    await waitUntil(`${part} of ${this.name} to be gone`, isGone, {
      limitMs: SIGNAL_LIMIT_MS,
      intervalMs: 1,
    });
  }

  /** SIGSTOP, until all of it stands still. Returns what was stopped. */
  async freeze(part: Part): Promise<readonly number[]> {
    const pids = this.#pidsOf(part);
    for (const pid of pids) signal(pid, 'SIGSTOP');
    const stands = (pid: number): boolean => ['T', undefined].includes(observeProcess(pid)?.state);
    await waitUntil(`${part} of ${this.name} to stand still`, () => pids.every(stands), {
      limitMs: SIGNAL_LIMIT_MS,
    });
    return pids;
  }

  /** From now on no standby receives anything, and applications do not notice. */
  holdBackWal(): void {
    const senders = this.serverProcess('walsender');
    if (senders.length === 0) throw new Error(`nobody receives WAL from ${this.name}`);
    for (const pid of senders) signal(pid, 'SIGSTOP');
  }

  /** SIGCONT to everything of the host that was stopped. */
  thaw(): void {
    for (const pid of this.#pidsOf('host')) signal(pid, 'SIGCONT');
  }

  /** SIGTERM to the agent, and how it ended. */
  async stop(): Promise<Ending> {
    if (this.#guard?.pid !== undefined && this.runs) signal(this.#guard.pid, 'SIGTERM');
    return this.ending();
  }

  reload(): void {
    if (this.guardPid !== undefined) signal(this.guardPid, 'SIGHUP');
  }

  get log(): string {
    return existsSync(this.logFile) ? readFileSync(this.logFile, 'utf8') : '';
  }

  get serverLog(): string {
    const file = join(this.stateDirectory, 'postgresql.log');
    return existsSync(file) ? readFileSync(file, 'utf8') : '';
  }

  get journal(): readonly JournalEntry[] {
    const file = join(this.stateDirectory, 'journal.jsonl');
    if (!existsSync(file)) return [];
    return readFileSync(file, 'utf8')
      .split('\n')
      .filter((line) => line.endsWith('}'))
      .map((line) => JSON.parse(line) as JournalEntry);
  }

  /** Journal entries of one event, at or after `since` (milliseconds since 1970). */
  events(name: string, since = 0): readonly JournalEntry[] {
    return this.journal.filter(({ event, at }) => event === name && Date.parse(at) >= since);
  }

  rest(
    path: string,
    more: Partial<Pick<RestCall, 'method' | 'body' | 'limitMs' | 'headers'>> = {},
  ): Promise<RestAnswer | undefined> {
    return callRest({ port: this.apiPort, path, ...more });
  }

  async status(): Promise<StatusDocument | undefined> {
    const answer = await this.rest('/patroni');
    return answer === undefined ? undefined : (JSON.parse(answer.body) as StatusDocument);
  }

  /** Rows of one statement on a fresh connection, as superuser unless said otherwise. */
  async query<Row extends object>(
    sql: string,
    as: { user?: string; password?: string; ssl?: object } = {},
  ): Promise<readonly Row[]> {
    const client = new Client({
      host: '127.0.0.1',
      port: this.postgresPort,
      user: as.user ?? SUPERUSER.username,
      password: as.password ?? SUPERUSER.password,
      database: 'postgres',
      connectionTimeoutMillis: CONNECT_LIMIT_MS,
      query_timeout: QUERY_LIMIT_MS,
      ...(as.ssl === undefined ? {} : { ssl: as.ssl }),
    });
    client.on('error', () => undefined);
    try {
      await client.connect();
      return (await client.query<Row>(sql)).rows;
    } finally {
      await client.end().catch(() => undefined);
    }
  }

  /** What is wrong on this host, in a few lines for a failed test. */
  describe(): string {
    const processes = this.processes().map(
      ({ pid, parentPid, state, commandLine }) =>
        `  ${pid} (of ${parentPid}) ${state} ${commandLine.slice(0, 100)}`,
    );
    const tail = (text: string, lines: number): string =>
      text.trimEnd().split('\n').slice(-lines).join('\n');
    return [
      `── ${this.name}: ${this.runs ? 'runs' : 'does not run'}, ${basename(this.directory)}`,
      ...processes,
      `  log:\n${tail(this.log, 40)}`,
      `  journal:\n${this.journal
        .slice(-20)
        .map((entry) => JSON.stringify(entry))
        .join('\n')}`,
      `  PostgreSQL:\n${tail(this.serverLog, 10)}`,
    ].join('\n');
  }
}

const etcdPid = (etcd: EtcdMember): readonly number[] =>
  observeProcess(etcd.pid) === undefined ? [] : [etcd.pid];
