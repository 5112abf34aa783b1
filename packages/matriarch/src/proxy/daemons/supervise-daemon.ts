import type { DaemonSpec } from '../ports/daemon.ts';
import type { Log } from '../ports/log.ts';
import {
  type LaunchOutcome,
  type RunningDaemon,
  launchDaemon,
  startDaemon,
  stopProcess,
} from './launch-daemon.ts';

/** The first restart comes soon: most deaths are accidents. Then ever later, up to a limit. */
const FIRST_BACKOFF_MS = 100;
const BACKOFF_MAX_MS = 5_000;
/** Who has served so long has not died of its start: the next restart comes soon again. */
const SETTLED_MS = 30_000;

export interface SupervisionHooks {
  /** Called before each start, not before an adoption: the daemon will know nothing. */
  readonly beforeStart: () => Promise<void>;
  /** Called each time it serves again after it had died. */
  readonly onRestarted: () => void;
}

/** Keeps one daemon running from `begin` to `stop` or `release`. */
export class DaemonSupervisor {
  readonly #spec: DaemonSpec;
  readonly #log: Log;
  readonly #hooks: SupervisionHooks;
  #running: RunningDaemon | undefined;
  #isWanted = false;
  #backoffMs = FIRST_BACKOFF_MS;
  #timer: NodeJS.Timeout | undefined;

  constructor(spec: DaemonSpec, log: Log, hooks: SupervisionHooks) {
    this.#spec = spec;
    this.#log = log;
    this.#hooks = hooks;
  }

  /** Of the process that serves now; undefined while there is none. */
  get pid(): number | undefined {
    return this.#running?.process.pid;
  }

  /** Adopts or starts it. Only after `adopted` or `started` it is kept running. */
  async begin(): Promise<LaunchOutcome> {
    const outcome = await launchDaemon(this.#spec, this.#hooks.beforeStart);
    if (outcome.kind === 'adopted' || outcome.kind === 'started') {
      this.#isWanted = true;
      this.#keep(outcome.daemon);
    }
    return outcome;
  }

  /** Ends the process and starts another with the present files. */
  async restart(): Promise<LaunchOutcome> {
    await this.stop();
    this.#isWanted = true;
    const outcome = await this.#start();
    if (outcome.kind !== 'started') this.#scheduleStart();
    return outcome;
  }

  /** Ends it and keeps it ended. */
  async stop(): Promise<void> {
    const daemon = this.#running;
    this.release();
    if (daemon !== undefined) await stopProcess(daemon.process);
  }

  /** Leaves it running, unwatched. */
  release(): void {
    this.#isWanted = false;
    clearTimeout(this.#timer);
    this.#running = undefined;
  }

  #keep(daemon: RunningDaemon): void {
    this.#running = daemon;
    const since = performance.now();
    const react = (how: string): void => {
      if (this.#running !== daemon) return;
      this.#running = undefined;
      const { pid } = daemon.process;
      this.#log.error({ daemon: this.#spec.name, pid, how }, 'daemon ended by itself');
      if (performance.now() - since > SETTLED_MS) this.#backoffMs = FIRST_BACKOFF_MS;
      this.#scheduleStart();
    };
    daemon.ended.then(react, (error: unknown) => react(String(error)));
  }

  #scheduleStart(): void {
    const delayMs = this.#backoffMs;
    this.#backoffMs = Math.min(delayMs * 2, BACKOFF_MAX_MS);
    this.#timer = setTimeout(() => {
      this.#tryAgain().catch((error: unknown) => this.#complain({ cause: String(error) }));
    }, delayMs);
  }

  #complain(why: object): void {
    if (!this.#isWanted) return;
    this.#log.error({ daemon: this.#spec.name, ...why }, 'daemon could not be started again');
    this.#scheduleStart();
  }

  async #tryAgain(): Promise<void> {
    if (!this.#isWanted) return;
    const outcome = await this.#start();
    if (outcome.kind !== 'started') {
      this.#complain(outcome);
      return;
    }
    const { pid } = outcome.daemon.process;
    this.#log.info({ daemon: this.#spec.name, pid }, 'daemon started again');
    this.#hooks.onRestarted();
  }

  async #start(): Promise<LaunchOutcome> {
    await this.#hooks.beforeStart();
    const outcome = await startDaemon(this.#spec);
    if (outcome.kind !== 'started') return outcome;
    if (this.#isWanted) this.#keep(outcome.daemon);
    // It was stopped or released while it started.
    else await stopProcess(outcome.daemon.process);
    return outcome;
  }
}
