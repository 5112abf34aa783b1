/**
 * `matriarch up` as a person runs it: the built program, started in a directory of its own, with what
 * it prints. Nothing of it is left when the bench is closed, whatever became of the test.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdtempSync,
  readFileSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import {
  type LocalPaths,
  localPaths,
  socketDirectoryOf,
  stateDirectoryOf,
} from '../../../packages/matriarch/src/local/directories.ts';
import { type LocalPlan, readPlan } from '../../../packages/matriarch/src/local/plan.ts';
import { Keeper } from '../harness/keeper.ts';
import { type ProcessFacts, listProcesses } from '../harness/processes.ts';
import { waitUntil } from '../harness/wait.ts';

const PROGRAM = fileURLToPath(
  new URL('../../../packages/matriarch/bin/matriarch.js', import.meta.url),
);
const COMMAND_LIMIT_MS = 120_000;

export interface Ended {
  readonly status: number | null;
  readonly out: string;
  readonly err: string;
}

export interface Account {
  readonly uid: number;
  readonly gid: number;
}

export interface RunOptions {
  readonly environment?: NodeJS.ProcessEnv | undefined;
  readonly input?: string | undefined;
}

/** A program that has been started, with all that it says. */
export class Running {
  readonly child: ChildProcess;
  readonly ended: Promise<Ended>;
  out = '';
  err = '';

  constructor(child: ChildProcess) {
    this.child = child;
    child.stdout?.setEncoding('utf8').on('data', (text: string) => {
      this.out += text;
    });
    child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.err += text;
    });
    this.ended = new Promise((resolve, reject) => {
      child.once('error', reject);
      child.once('close', (status) => resolve({ status, out: this.out, err: this.err }));
    });
  }

  get pid(): number {
    return this.child.pid ?? 0;
  }

  async until(text: string): Promise<void> {
    let isOver = false;
    const over = (): void => {
      isOver = true;
    };
    this.ended.then(over, over);
    await waitUntil(
      `"${text}" from a program`,
      () => {
        if (isOver && !this.out.includes(text))
          throw new Error(`it ended:\n${this.out}${this.err}`);
        return this.out.includes(text);
      },
      { limitMs: COMMAND_LIMIT_MS, explain: () => this.out + this.err },
    );
  }

  async stop(signal: NodeJS.Signals = 'SIGTERM'): Promise<Ended> {
    this.child.kill(signal);
    return this.ended;
  }
}

export interface BenchOptions {
  /** Who runs it, when that is not us. */
  readonly account?: Account | undefined;
  /** A part of the directory's name. */
  readonly name?: string;
  /** When it has a name already. */
  readonly cluster?: string;
}

let count = 0;

export class UpBench {
  /** Where the person stands. */
  readonly directory: string;
  readonly cluster: string;
  readonly paths: LocalPaths;
  readonly #account: Account | undefined;
  readonly #keeper = new Keeper();
  readonly #running = new Set<Running>();

  constructor({ account, name = 'up', cluster }: BenchOptions = {}) {
    count += 1;
    this.#account = account;
    this.cluster = cluster ?? `e2e-${process.pid}-${count}`;
    this.directory = mkdtempSync(join(tmpdir(), `matriarch-${name}-`));
    this.#keeper.watchDirectory(this.directory);
    chmodSync(this.directory, 0o755);
    if (account !== undefined) chownSync(this.directory, account.uid, account.gid);
    this.paths = this.#asThem(() => {
      const state = stateDirectoryOf(this.cluster, this.directory);
      return { ...localPaths(state), sockets: socketDirectoryOf(state) };
    });
    for (const path of [this.paths.state, this.paths.sockets]) this.#keeper.watchDirectory(path);
  }

  /** Paths are other ones for root than for ordinary users. */
  #asThem<T>(work: () => T): T {
    const { seteuid } = process;
    if (this.#account === undefined || seteuid === undefined) return work();
    seteuid(this.#account.uid);
    try {
      return work();
    } finally {
      seteuid(0);
    }
  }

  write(file: string, text: string): string {
    const path = join(this.directory, file);
    writeFileSync(path, text);
    return path;
  }

  spawn(command: string, args: readonly string[], options: RunOptions = {}): Running {
    const running = new Running(
      spawn(command, args, {
        cwd: this.directory,
        env: { ...process.env, ...options.environment },
        stdio: ['pipe', 'pipe', 'pipe'],
        ...this.#account,
      }),
    );
    running.child.stdin?.on('error', () => undefined);
    running.child.stdin?.end(options.input ?? '');
    this.#running.add(running);
    const forget = (): void => {
      this.#running.delete(running);
    };
    running.ended.then(forget, forget);
    return running;
  }

  /** What Node is given for `matriarch …`, for a shell to start it. */
  commandLine(...args: readonly string[]): readonly string[] {
    return [PROGRAM, ...args];
  }

  /** `matriarch …`, still running. */
  start(...args: readonly string[]): Running {
    return this.spawn(process.execPath, [PROGRAM, ...args]);
  }

  async run(...args: readonly string[]): Promise<Ended> {
    return this.finish(this.start(...args));
  }

  async runWith(environment: NodeJS.ProcessEnv, ...args: readonly string[]): Promise<Ended> {
    return this.finish(this.spawn(process.execPath, [PROGRAM, ...args], { environment }));
  }

  async finish(running: Running): Promise<Ended> {
    const timer = setTimeout(() => running.child.kill('SIGKILL'), COMMAND_LIMIT_MS);
    const ended = await running.ended;
    clearTimeout(timer);
    return ended;
  }

  /** A line that was printed, given to a shell as it is, with SQL behind it. */
  async paste(line: string, sql: string): Promise<string> {
    const shell = this.spawn('sh', ['-c', `${line} -AtX -v ON_ERROR_STOP=1`], { input: sql });
    const { status, out, err } = await this.finish(shell);
    if (status !== 0) throw new Error(`${line}: ${err}`);
    return out.trim();
  }

  plan(): LocalPlan {
    const plan = readPlan(this.paths);
    if (plan === undefined) throw new Error('there is no plan');
    return plan;
  }

  secret(name: string): string {
    return readFileSync(join(this.paths.secrets, name), 'utf8').trim();
  }

  /** Everything that works for this cluster, with us or without us. */
  processes(): readonly ProcessFacts[] {
    const places = [this.paths.state, this.paths.sockets, this.directory];
    return listProcesses().filter(({ commandLine, directory }) =>
      places.some((path) => commandLine.includes(path) || `${directory}/`.startsWith(`${path}/`)),
    );
  }

  /** Of the state directory, the sockets and the processes, what is there. */
  leftovers(): readonly string[] {
    return [
      ...[this.paths.state, this.paths.sockets].filter((path) => existsSync(path)),
      ...this.processes().map(({ pid, commandLine }) => `${pid} ${commandLine}`),
    ];
  }

  async close(): Promise<void> {
    for (const running of this.#running) running.child.kill('SIGKILL');
    await this.#keeper.close();
  }
}
