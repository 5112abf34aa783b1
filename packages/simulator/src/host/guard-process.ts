import {
  type GuardEffect,
  type GuardInput,
  type GuardMessage,
  type GuardState,
  type LoopMessage,
  createGuard,
  guardStep,
} from '@matriarch/core';
import type { SimProcess } from '../kernel/sim-process.ts';
import { Channel } from './channel.ts';
import { LoopProcess } from './loop-process.ts';
import type { SimHost } from './sim-host.ts';
import { WakeTimer } from './wake-timer.ts';

/** Runs the real guard: inputs in, effects out, a timer. */
export class GuardProcess {
  readonly host: SimHost;
  readonly process: SimProcess;
  readonly toLoop: Channel;
  readonly fromLoop: Channel;
  loop: LoopProcess | undefined;
  #state: GuardState;
  readonly #timer: WakeTimer;

  constructor(host: SimHost) {
    this.host = host;
    this.process = host.machine.spawn('guard');
    this.#timer = new WakeTimer(this.process, () => this.take({ kind: 'tick' }));
    this.toLoop = new Channel(host.machine);
    this.fromLoop = new Channel(host.machine);
    this.#state = createGuard(host.machine.read());
    this.process.after(5, () => this.take({ kind: 'tick' }));
  }

  /** What the guard believes, for checkers and the story. */
  get state(): GuardState {
    return this.#state;
  }

  /** Gives the guard an input as soon as it runs. */
  tell(input: GuardInput): void {
    this.process.deliver(() => this.take(input));
  }

  receive(incarnation: number, message: LoopMessage): void {
    this.fromLoop.send(this.process, () =>
      this.take({ kind: 'loop-message', incarnation, message }),
    );
  }

  take(input: GuardInput): void {
    const now = this.host.machine.read();
    const { state, effects, wakeAt } = guardStep(this.#state, { ...input, now });
    this.#state = state;
    for (const effect of effects) this.#perform(effect);
    this.#timer.set(wakeAt);
  }

  #perform(planned: GuardEffect): void {
    const { host } = this;
    const { plant, random, journal } = host.world;
    const effect = plant?.alterEffect === undefined ? planned : plant.alterEffect(planned, host);
    if (effect === undefined) return;
    switch (effect.kind) {
      case 'start-loop':
        this.loop = new LoopProcess(host, this, effect.incarnation);
        return;
      case 'kill-loop':
        return this.loop?.kill();
      case 'send':
        return this.#send(effect.message);
      case 'spawn-server':
        return this.process.after(random.between(3, 15), () => this.#spawn(effect.as));
      case 'signal-server':
        return host.postgres.signal(effect.pid, effect.signal);
      case 'promote-server':
        journal.note(host.name, 'promotion signalled');
        host.world.see({ kind: 'promotion-signalled', host: host.name });
        return host.postgres.promote(effect.pid);
      case 'watch-process':
        return;
      case 'fence':
        journal.note(host.name, 'guard fences');
        return host.postgres.fence(this.process, (silent) =>
          this.take({ kind: 'fence-finished', silent }),
        );
      case 'exit':
        return host.guardExited(effect.status);
    }
  }

  #send(message: GuardMessage): void {
    const { loop } = this;
    if (loop !== undefined) this.toLoop.send(loop.process, () => loop.receive(message));
  }

  #spawn(startedAs: 'primary' | 'standby' | 'private'): void {
    const pid = this.host.postgres.spawn(startedAs);
    if (pid === undefined)
      this.take({ kind: 'server-not-spawned', cause: 'there is no data directory' });
    else this.take({ kind: 'server-spawned', pid });
  }
}
