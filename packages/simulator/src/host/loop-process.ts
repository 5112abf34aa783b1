import {
  type ActionKind,
  type Decision,
  type Dispatch,
  type GuardAnswer,
  type GuardMessage,
  type Input,
  type LoopMessage,
  type MemberState,
  type OperationAnswer,
  type Outcome,
  type PromiseRequest,
  type WallTime,
  createMember,
  step,
} from '@matriarch/core';
import type { SimProcess } from '../kernel/sim-process.ts';
import type { ActionResult } from '../plants/plant.ts';
import type { GuardProcess } from './guard-process.ts';
import { performers } from './perform/table.ts';
import type { Performer } from './perform/performer.ts';
import type { SimHost } from './sim-host.ts';
import { WakeTimer } from './wake-timer.ts';

/** How often a loop tells its guard that it lives. */
const BEAT_MS = 2_500;

type WithoutId<T> = T extends unknown ? Omit<T, 'id'> : never;
/** A message that is answered, before it has its id. */
export type GuardRequest = WithoutId<Exclude<LoopMessage, { kind: 'beat' }>>;

/** Runs the real core: inputs in, dispatches out, a timer. */
export class LoopProcess {
  readonly host: SimHost;
  readonly guard: GuardProcess;
  readonly process: SimProcess;
  readonly incarnation: number;
  #state: MemberState;
  readonly #timer: WakeTimer;
  #nextRequest = 1;
  #isWatching = false;
  /** What the rules said last: what it waits for when nothing happens. */
  lastDecision = 'nothing decided yet';
  readonly #waiting = new Map<number, (answer: GuardAnswer) => void>();
  readonly #requests = new Map<string, (given: OperationAnswer) => void>();

  constructor(host: SimHost, guard: GuardProcess, incarnation: number) {
    this.host = host;
    this.guard = guard;
    this.incarnation = incarnation;
    this.process = host.machine.spawn('loop');
    this.#timer = new WakeTimer(this.process, () => this.take({ kind: 'tick' }));
    const { world } = host;
    this.#state = createMember(host.describeSelf(), world.policy);
    // Until the program has loaded, what it is sent waits.
    this.process.stop();
    const startMs = world.random.between(
      world.hostPace.loopStartMs / 2,
      world.hostPace.loopStartMs,
    );
    world.kernel.after(startMs, () => this.process.continue());
    this.#beat();
  }

  get state(): MemberState {
    return this.#state;
  }

  receive(message: GuardMessage): void {
    switch (message.kind) {
      case 'hello':
        this.#watchStore();
        this.#findPromise();
        return this.take({ ...message, kind: 'guard-hello' });
      case 'server-exited':
        return this.take(message);
      case 'guard-fenced':
        return this.take(message);
      case 'signal':
        if (message.signal === 'SIGTERM')
          this.take({ kind: 'request', request: { kind: 'shut-down' } });
        return;
      default: {
        const answer = this.#waiting.get(message.id);
        this.#waiting.delete(message.id);
        answer?.(message);
      }
    }
  }

  /** Asks the guard; `answer` gets undefined when the guard did not answer in time. */
  ask(
    request: GuardRequest,
    limitMs: number,
    answer: (message: GuardAnswer | undefined) => void,
  ): void {
    const id = this.#nextRequest;
    this.#nextRequest += 1;
    this.#waiting.set(id, answer);
    this.guard.receive(this.incarnation, { ...request, id });
    this.process.after(limitMs, () => {
      if (this.#waiting.delete(id)) answer(undefined);
    });
  }

  take(input: Input): void {
    if (!this.process.isAlive) return;
    const { machine, name, world } = this.host;
    const wallClock = this.#readWallClock();
    const result = step(this.#state, { ...input, now: machine.read(), wallClock });
    this.#state = result.state;
    this.#seeTimes(result.decisions);
    this.#answerRequests();
    const { journal } = world;
    const last = result.decisions.at(-1);
    if (last !== undefined) this.lastDecision = `${last.rule}: ${last.because}`;
    for (const { rule } of result.decisions) world.coverage.rule(rule);
    for (const event of result.events)
      journal.note(name, event.name, () => JSON.stringify(event.details));
    for (const dispatch of result.dispatches) this.#narrate(dispatch, result.decisions);
    this.#send(result.dispatches);
    this.#timer.set(result.wakeAt);
  }

  #readWallClock(): WallTime {
    const { machine, world } = this.host;
    const shown = machine.wallClock.read();
    return world.plant?.alterWallClock?.(shown, this.host) ?? shown;
  }

  /** What was asked for at a time begins. */
  #seeTimes(decisions: readonly Decision[]): void {
    for (const { rule, event } of decisions) {
      if (rule !== 'begin-scheduled-restart' && rule !== 'begin-scheduled-switchover') continue;
      const { host } = this;
      const startedAt = host.postgres.running?.startedAt;
      const text = String(event?.details['for']);
      host.world.see({ kind: 'time-has-come', host: host.name, rule, text, startedAt });
    }
  }

  /** SIGKILL. */
  kill(): void {
    this.#end(null);
  }

  /** Ends by itself. */
  exit(status: number): void {
    this.#end(status);
  }

  #end(status: number | null): void {
    if (!this.process.isAlive) return;
    this.process.kill();
    const { kernel, random } = this.host.machine;
    const { incarnation } = this;
    kernel.after(random.between(0.5, 3), () =>
      this.guard.tell({ kind: 'loop-exited', incarnation, status }),
    );
  }

  #narrate({ action, rule }: Dispatch, decisions: readonly Decision[]): void {
    const { world, name } = this.host;
    if (rule === undefined) return world.journal.noteRoutine(name, action.kind);
    const decision = decisions.find((candidate) => candidate.rule === rule);
    const tell = (): string => `${rule} (${decision?.because ?? ''})`;
    if (action.kind === 'ask-peers' || action.kind === 'inspect-upstream')
      world.journal.noteRoutine(name, action.kind, tell);
    else world.journal.note(name, action.kind, tell);
  }

  /** A process can be stopped between deciding and acting: faults may ask for just that. */
  #send(dispatches: readonly Dispatch[]): void {
    if (dispatches.length === 0) return;
    if (this.host.stallBeforeActing(dispatches))
      this.process.deliver(() => this.#performAll(dispatches));
    else this.#performAll(dispatches);
  }

  #performAll(dispatches: readonly Dispatch[]): void {
    for (const dispatch of dispatches) this.#perform(dispatch);
  }

  #perform({ id, action: planned, rule }: Dispatch): void {
    const { host } = this;
    const { plant, coverage } = host.world;
    coverage.action(planned.kind);
    const altered = plant?.alterAction?.(planned, host, rule ?? '') ?? planned;
    const answer = (result: ActionResult): void => this.#answer(id, planned.kind, result);
    if ('pretend' in altered) return this.process.after(1, () => answer(altered.pretend));
    host.world.see({ kind: 'dispatched', host: host.name, action: altered });
    const perform = performers[altered.kind] as Performer<ActionKind>;
    perform({ loop: this, host, world: host.world }, altered, answer);
  }

  #answer(id: number, kind: ActionKind, honest: ActionResult): void {
    const { plant, journal } = this.host.world;
    const result = plant?.alterResult?.(kind, honest, this.host) ?? honest;
    if (result.kind !== 'done')
      journal.noteRoutine(this.host.name, `${kind} ${result.kind}`, () => result.cause);
    // Kind and result belong together: the performer of this kind has made the result.
    this.take({ kind: 'outcome', outcome: { id, kind, result } as Outcome });
  }

  /** A request of the API, which waits for what the loop makes of it. */
  request(request: PromiseRequest, answer: (given: OperationAnswer) => void): void {
    const pretended = this.host.world.plant?.alterRequest?.(request, this.host);
    if (pretended !== undefined) return answer(pretended);
    this.#requests.set(request.id, answer);
    this.take({ kind: 'request', request });
  }

  #answerRequests(): void {
    if (this.#requests.size === 0) return;
    for (const given of this.#state.operating.answers) {
      const answer = this.#requests.get(given.id);
      this.#requests.delete(given.id);
      answer?.(given);
    }
  }

  #findPromise(): void {
    const { disk } = this.host.postgres;
    if (disk.promise === undefined) return;
    const { boot, until, ...promise } = disk.promise;
    const isOfThisBoot = boot === this.host.machine.boots;
    this.take({
      kind: 'promise-found',
      promise: isOfThisBoot ? { ...promise, until } : promise,
    });
  }

  #watchStore(): void {
    if (this.#isWatching) return;
    this.#isWatching = true;
    this.host.world.store.watch(this.process, () => this.take({ kind: 'store-changed' }));
  }

  #beat(): void {
    this.process.after(BEAT_MS, () => {
      this.guard.receive(this.incarnation, { kind: 'beat' });
      this.#beat();
    });
  }
}
