import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';

/** Rest before a program that ended is started again. */
export const RESTART_MS = 1_000;

export interface ChildSpec {
  readonly name: string;
  readonly command: string;
  readonly arguments: readonly string[];
  readonly environment: NodeJS.ProcessEnv;
  /** Standard output and error go to the end of this file. */
  readonly logFile: string;
  /** Whether something wants it to stay down at the moment, for example a drill. */
  readonly isHeld: () => boolean;
  readonly onStart?: ((pid: number) => void) | undefined;
  readonly onExit?: ((status: number | null, signal: string | null) => void) | undefined;
}

/** A program that is started again when it ends, until it is stopped. */
export class SupervisedChild {
  readonly spec: ChildSpec;
  #child: ChildProcess | undefined;
  #timer: NodeJS.Timeout | undefined;
  #stopping = false;
  #ended: Promise<void> = Promise.resolve();

  constructor(spec: ChildSpec) {
    this.spec = spec;
  }

  get pid(): number | undefined {
    return this.#child?.pid;
  }

  start(): void {
    if (this.#stopping || this.#child !== undefined) return;
    if (this.spec.isHeld()) return this.#startLater();
    const { command, environment, logFile, onStart, onExit } = this.spec;
    const log = openLog(logFile);
    // A group of its own: Ctrl-C in the terminal reaches us, and we stop everything in order.
    const child = spawn(command, [...this.spec.arguments], {
      stdio: ['ignore', log, log],
      env: environment,
      detached: true,
    });
    if (log !== 'ignore') closeSync(log);
    this.#child = child;
    this.#ended = new Promise((resolve) => {
      const end = (status: number | null, signal: string | null): void => {
        if (this.#child !== child) return;
        this.#child = undefined;
        resolve();
        onExit?.(status, signal);
        this.#startLater();
      };
      child.once('exit', end);
      child.once('error', () => end(null, null));
    });
    if (child.pid !== undefined) onStart?.(child.pid);
  }

  #startLater(): void {
    if (this.#stopping) return;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.start(), RESTART_MS);
  }

  /** Asks it to end, and kills it when it has not after the limit. */
  async stop(limitMs: number): Promise<void> {
    this.#stopping = true;
    clearTimeout(this.#timer);
    const child = this.#child;
    if (child === undefined) return;
    child.kill('SIGTERM');
    const timer = setTimeout(() => child.kill('SIGKILL'), limitMs);
    await this.#ended;
    clearTimeout(timer);
  }
}

/** A log that cannot be written is no reason to go without the program. */
const openLog = (file: string): number | 'ignore' => {
  try {
    return openSync(file, 'a', 0o600);
  } catch {
    return 'ignore';
  }
};
