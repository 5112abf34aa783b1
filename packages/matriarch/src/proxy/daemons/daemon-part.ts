import { type Owner, acceptCandidate, readIfThere, replaceFile, writeCandidate } from '../files.ts';
import type { DaemonTools } from '../ports/daemon.ts';
import type { Log } from '../ports/log.ts';
import { type DaemonLabel, type ProxyProblem, launchProblem } from '../problem.ts';
import { DaemonSupervisor } from './supervise-daemon.ts';

export interface DaemonPartOptions {
  readonly tools: DaemonTools;
  readonly label: DaemonLabel;
  readonly config: string;
  /** A copy of what the running process has read. */
  readonly loadedConfig: string;
  /** Who must be able to read the configuration; undefined: our own user. */
  readonly owner: Owner | undefined;
  readonly log: Log;
  readonly beforeStart: () => Promise<void>;
  readonly beforeReload: () => Promise<void>;
  /** It has forgotten what it was told at run time: after a restart and after a reload. */
  readonly onForgotten: () => void;
}

const CONFIG_MODE = 0o640;

/** One of the two programs with its configuration: installed, running, and the same of both. */
export class DaemonPart {
  readonly #options: DaemonPartOptions;
  readonly #supervisor: DaemonSupervisor;
  #isOurs = false;

  constructor(options: DaemonPartOptions) {
    this.#options = options;
    this.#supervisor = new DaemonSupervisor(options.tools.spec, options.log, {
      beforeStart: async () => {
        await this.#noteLoaded();
        await options.beforeStart();
      },
      onRestarted: options.onForgotten,
    });
  }

  get pid(): number | undefined {
    return this.#supervisor.pid;
  }

  /** Writes the file beside the one in use and has it checked. A refused one changes nothing. */
  async stage(text: string): Promise<ProxyProblem | undefined> {
    const { tools, label, config, owner } = this.#options;
    const candidate = await writeCandidate({ path: config, text, mode: CONFIG_MODE, owner });
    const verdict = await tools.check(candidate);
    if (verdict.kind === 'accepted') return undefined;
    return {
      code: 'rendered-file-refused',
      message:
        `${label.title} refuses the configuration made for it; the one in use stays. ` +
        `It says:\n${verdict.complaint}`,
    };
  }

  /** Puts the file that was staged last in its place. */
  async accept(): Promise<void> {
    await acceptCandidate(this.#options.config);
  }

  /**
   * Takes over what runs or starts it, and makes sure that it runs with the installed files.
   * `always`: one that is taken over has to read them again in any case.
   */
  async begin(always = false): Promise<ProxyProblem | undefined> {
    const { label, log, tools } = this.#options;
    const outcome = await this.#supervisor.begin();
    const problem = launchProblem(label, outcome);
    if (problem !== undefined) return problem;
    this.#isOurs = outcome.kind === 'started';
    const { pid } = this;
    log.info({ daemon: tools.spec.name, pid, how: outcome.kind }, 'daemon serves');
    return outcome.kind === 'adopted' ? this.apply(always) : undefined;
  }

  /**
   * Makes the running process read the installed file, if it has read another one. `always`: also
   * when only a file it refers to has changed.
   */
  async apply(always = false): Promise<ProxyProblem | undefined> {
    const { tools, config, loadedConfig, label } = this.#options;
    const loaded = (await readIfThere(loadedConfig)) ?? '';
    const wanted = (await readIfThere(config)) ?? '';
    const { pid } = this;
    // One that is being started again reads the new file anyway.
    if (pid === undefined || (loaded === wanted && !always)) return undefined;
    if (tools.takesRestart(loaded, wanted)) {
      const problem = launchProblem(label, await this.#supervisor.restart());
      this.#options.onForgotten();
      return problem;
    }
    return this.#reload(pid, loaded);
  }

  async stop(): Promise<void> {
    await this.#supervisor.stop();
  }

  release(): void {
    this.#supervisor.release();
  }

  /** Back to how it was before `begin`. */
  async abandon(): Promise<void> {
    if (this.#isOurs) await this.stop();
    else this.release();
  }

  async #reload(pid: number, loaded: string): Promise<ProxyProblem | undefined> {
    const { tools, label, config, owner } = this.#options;
    await this.#options.beforeReload();
    const outcome = await tools.reload(pid);
    if (outcome.kind === 'done') {
      await this.#noteLoaded();
      this.#options.onForgotten();
      return undefined;
    }
    // The file that works must be the one the next start reads.
    if (loaded !== '') await replaceFile({ path: config, text: loaded, mode: CONFIG_MODE, owner });
    return {
      code: 'child-process-failed',
      message:
        `${label.title} did not take over its new configuration and goes on with the old one: ` +
        `${outcome.cause}. See ${tools.spec.logFile}.`,
    };
  }

  async #noteLoaded(): Promise<void> {
    const { config, loadedConfig } = this.#options;
    const text = (await readIfThere(config)) ?? '';
    await replaceFile({ path: loadedConfig, text, mode: CONFIG_MODE, owner: undefined });
  }
}
