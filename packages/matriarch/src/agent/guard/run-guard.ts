/**
 * The guard's process: the pure step of core with a clock, child processes and signals around it.
 * It imports no more than this, so that it stays small and nothing in it can fail or wait.
 */
import {
  type GuardEffect,
  type GuardInput,
  type GuardState,
  type GuardStep,
  createGuard,
  guardStep,
  isDeadlineArmed,
} from '@matriarch/core';
import type { GuardHost, LoopProcess } from '../ports/guard-host.ts';
import type { GuardLog } from './guard-log.ts';
import { parseLoopMessage } from './parse-loop-message.ts';

/**
 * While a deadline is armed the clock is looked at this often: timers do not run while the host is
 * suspended, the boot clock does.
 */
export const DEADLINE_LOOK_MS = 100;
/** Timers beyond this would fire at once. */
const TIMER_MAX_MS = 60_000;
/** How long one attempt to fence may take. */
export const FENCE_LIMIT_MS = 2_000;

export interface GuardOptions {
  readonly host: GuardHost;
  readonly log: GuardLog;
}

export interface RunningGuard {
  /** The guard's exit status, when it has ended. */
  readonly ended: Promise<number>;
  readonly tell: (input: GuardInput) => void;
  readonly state: () => GuardState;
}

class GuardProcess implements RunningGuard {
  readonly ended: Promise<number>;
  readonly #host: GuardHost;
  readonly #log: GuardLog;
  readonly #inputs: GuardInput[] = [];
  #end: (status: number) => void = () => undefined;
  #state: GuardState;
  #loop: LoopProcess | undefined;
  #timer: NodeJS.Timeout | undefined;
  #isBusy = false;

  constructor({ host, log }: GuardOptions) {
    this.#host = host;
    this.#log = log;
    this.#state = createGuard(host.readClock());
    this.ended = new Promise((resolve) => {
      this.#end = resolve;
    });
  }

  readonly state = (): GuardState => this.#state;

  /** Effects may bring inputs at once: they wait for their turn, so that steps never nest. */
  readonly tell = (input: GuardInput): void => {
    this.#inputs.push(input);
    if (this.#isBusy) return;
    this.#isBusy = true;
    let wakeAt: GuardStep['wakeAt'];
    for (let next = this.#inputs.shift(); next !== undefined; next = this.#inputs.shift())
      wakeAt = this.#step(next);
    this.#isBusy = false;
    this.#setTimer(wakeAt);
  };

  #step(input: GuardInput): GuardStep['wakeAt'] {
    const now = this.#host.readClock();
    const { state, effects, wakeAt } = guardStep(this.#state, { ...input, now });
    this.#state = state;
    for (const effect of effects) this.#perform(effect);
    return wakeAt;
  }

  #setTimer(wakeAt: GuardStep['wakeAt']): void {
    clearTimeout(this.#timer);
    if (wakeAt === undefined) return;
    const longestMs = isDeadlineArmed(this.#state) ? DEADLINE_LOOK_MS : TIMER_MAX_MS;
    const waitMs = Math.max(0, Math.min(longestMs, wakeAt - this.#host.readClock()));
    this.#timer = setTimeout(() => this.tell({ kind: 'tick' }), waitMs);
  }

  #perform(effect: GuardEffect): void {
    const { servers } = this.#host;
    switch (effect.kind) {
      case 'start-loop':
        return this.#startLoop(effect.incarnation);
      case 'kill-loop':
        this.#log.write('warn', 'loop killed', { incarnation: effect.incarnation });
        return this.#loop?.kill();
      case 'send':
        return this.#loop?.send(effect.message);
      case 'spawn-server':
        return this.#spawn(effect);
      case 'signal-server':
        return servers.signal(effect.pid, effect.signal);
      case 'promote-server':
        return this.#promote(effect);
      case 'watch-process':
        return servers.watch(effect.pid, effect.dataDirectory, (end) =>
          this.tell({ kind: 'server-exited', ...end }),
        );
      case 'fence':
        return this.#fence(effect);
      case 'exit':
        this.#log.write('info', 'guard ended', { status: effect.status });
        return this.#end(effect.status);
    }
  }

  #startLoop(incarnation: number): void {
    const start = this.#host.loops.start({
      incarnation,
      onMessage: (value) => {
        const message = parseLoopMessage(value);
        if (message === undefined) this.#log.write('error', 'loop sent no message', {});
        else this.tell({ kind: 'loop-message', incarnation, message });
      },
      onExit: (status) => {
        const level = status === 0 ? 'info' : 'warn';
        this.#log.write(level, 'loop ended', { incarnation, status });
        this.tell({ kind: 'loop-exited', incarnation, status });
      },
    });
    if (start.kind === 'started') {
      this.#loop = start.loop;
      this.#log.write('info', 'loop started', { incarnation, pid: start.loop.pid });
    } else {
      this.#loop = undefined;
      this.#log.write('error', 'loop not started', { incarnation, cause: start.cause });
      this.tell({ kind: 'loop-exited', incarnation, status: null });
    }
  }

  #spawn({ launch, as }: Extract<GuardEffect, { kind: 'spawn-server' }>): void {
    const spawned = this.#host.servers.spawn({ launch, as }, (end) => {
      const { pid, code, signal } = end;
      this.#log.write(code === 0 ? 'info' : 'warn', 'server ended', { pid, code, signal });
      this.tell({ kind: 'server-exited', ...end });
    });
    if (spawned.kind === 'spawned') {
      const { pid } = spawned;
      this.#log.write('info', 'server started', { pid, as });
      return this.tell({ kind: 'server-spawned', pid });
    }
    const { cause } = spawned;
    this.#log.write('error', 'server not started', { cause });
    this.tell({ kind: 'server-not-spawned', cause });
  }

  #promote({ pid, dataDirectory }: Extract<GuardEffect, { kind: 'promote-server' }>): void {
    const report = (cause: string | undefined): void => {
      if (cause === undefined) this.#log.write('info', 'promotion signalled', { pid });
      else this.#log.write('error', 'promotion not signalled', { pid, cause });
    };
    this.#host.servers.promote(pid, dataDirectory).then(report, crash);
  }

  #fence({ pid, dataDirectory }: Extract<GuardEffect, { kind: 'fence' }>): void {
    const { deadline } = this.#state;
    const now = this.#host.readClock();
    const pastDeadlineMs = deadline === undefined ? undefined : now - deadline;
    const begun = performance.now();
    const fenced = this.#host.servers.fence({ pid, dataDirectory, limitMs: FENCE_LIMIT_MS });
    fenced.then(({ silent, killed }) => {
      const tookMs = Math.round(performance.now() - begun);
      const level = silent ? 'info' : 'error';
      this.#log.write(level, 'server fenced', { pid, silent, killed, tookMs, pastDeadlineMs });
      this.tell({ kind: 'fence-finished', silent });
    }, crash);
  }
}

/** Host calls do not reject: if one does, that is our fault, and the process must not go on. */
const crash = (cause: unknown): void => {
  queueMicrotask(() => {
    throw new Error('a call to the host rejected', { cause });
  });
};

/** Starts the guard; its first deed is to start a loop. */
export const startGuard = (options: GuardOptions): RunningGuard => {
  const guard = new GuardProcess(options);
  guard.tell({ kind: 'tick' });
  return guard;
};
