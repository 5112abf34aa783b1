/**
 * Shows what holds of the guard for every sequence of inputs: any message in any order at any time
 * (chaos), and a make-believe host that carries out the effects, late, in any order and with faults
 * (host). Each rule is checked after every single step.
 */
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Instant, instant } from '../model/instant.ts';
import type { LeaseId } from '../model/store.ts';
import { FENCE_RETRY_MS } from './guard-draft.ts';
import {
  type GuardEffect,
  type GuardInput,
  type GuardState,
  createGuard,
  mayHoldWriters,
  mustBeSilent,
} from './guard-state.ts';
import { LOOP_RESTART_MAX_MS, LOOP_SILENCE_LIMIT_MS, guardStep } from './guard-step.ts';
import type { LoopMessage } from './messages.ts';
import { DATA, launchOf } from './testing/guard-bench.ts';

const anyId = fc.integer({ min: 1, max: 5 });
const anyPid = fc.integer({ min: 100, max: 102 });
const anyDirectory = fc.constantFrom(DATA, DATA, '/data/beta');
const anyMode = fc.constantFrom('fast' as const, 'immediate' as const);
const anyAs = fc.constantFrom('primary' as const, 'standby' as const, 'private' as const);

/** Deadlines are given relative to the time of the message, so that many are worth something. */
type Draft<T> = T extends { readonly kind: 'extend' } ? T & { readonly relative: true } : T;

const anyMessage: fc.Arbitrary<Draft<LoopMessage>> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant('extend' as const),
      id: anyId,
      deadline: fc
        .oneof(
          fc.integer({ min: -500, max: 3_000 }),
          fc.constantFrom(Number.NaN, Number.POSITIVE_INFINITY),
        )
        .map(instant),
      leaseId: fc.constantFrom('1' as LeaseId, '1' as LeaseId, '2' as LeaseId),
      relative: fc.constant(true as const),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constant('start' as const),
      id: anyId,
      as: anyAs,
      launch: anyDirectory.map(launchOf),
    }),
  },
  fc.record({
    kind: fc.constant('adopt' as const),
    id: anyId,
    pid: anyPid,
    dataDirectory: anyDirectory,
  }),
  fc.record({
    kind: fc.constant('stop' as const),
    id: anyId,
    mode: anyMode,
    limitMs: fc.oneof(fc.integer({ min: -10, max: 2_000 }), fc.constant(Number.NaN)),
  }),
  fc.record({ kind: fc.constant('fence' as const), id: anyId, dataDirectory: anyDirectory }),
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant('suspend' as const),
      id: anyId,
      on: fc.constantFrom(true, true, false),
      leaseId: fc.constantFrom('1' as LeaseId, '1' as LeaseId, '2' as LeaseId),
    }),
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('promote' as const), id: anyId }) },
  fc.record({ kind: fc.constant('reload' as const), id: anyId }),
  { weight: 2, arbitrary: fc.constant({ kind: 'beat' as const }) },
  fc.record({
    kind: fc.constant('leave' as const),
    id: anyId,
    status: fc.integer({ min: 0, max: 3 }),
  }),
);

const settle = (message: Draft<LoopMessage>, now: Instant): LoopMessage => {
  if (message.kind !== 'extend') return message;
  const { id, leaseId } = message;
  return { kind: 'extend', id, leaseId, deadline: instant(now + message.deadline) };
};

/** Steps a guard and checks every rule after each step. */
class Watched {
  state: GuardState = createGuard(instant(0));
  now: Instant = instant(0);
  wakeAt: Instant | undefined = instant(0);

  step(input: GuardInput): readonly GuardEffect[] {
    const { state: before, now } = this;
    const frozen = JSON.stringify(before);
    const { state, effects, wakeAt } = guardStep(before, { ...input, now });
    expect(JSON.stringify(before)).toBe(frozen);
    this.state = state;
    this.wakeAt = wakeAt;
    this.checkFence();
    this.checkDeadline(before);
    this.checkSuspension(before);
    this.checkEffects(before, effects);
    this.checkDeafness(before, input, effects);
    return effects;
  }

  /** Whatever must be silent is being fenced, or is so again in a moment. */
  checkFence(): void {
    const { state, now, wakeAt } = this;
    if (!mustBeSilent(state, now) || state.ended) return;
    expect(state.fencing).toBeDefined();
    if (state.fencing?.attempt !== undefined) return;
    expect(state.fencing?.retryAt).toBeGreaterThan(now);
    expect(state.fencing?.retryAt).toBeLessThanOrEqual(now + FENCE_RETRY_MS);
    expect(wakeAt).toBeLessThanOrEqual(now + FENCE_RETRY_MS);
  }

  /** Only a server that runs goes on beyond its deadline, and only if that lay ahead at the word. */
  checkSuspension(before: GuardState): void {
    const { state, now } = this;
    if (!state.suspended) return;
    expect(state.process.kind).toBe('running');
    if (before.suspended && before.process === state.process) return;
    expect(mayHoldWriters(state)).toBe(true);
    expect(state.deadline).toBeGreaterThan(now);
  }

  checkDeadline(before: GuardState): void {
    const { state, now } = this;
    const changed = state.deadline !== before.deadline;
    if (changed && state.deadline !== undefined) {
      expect(state.deadline).toBeGreaterThan(now);
      expect(before.fencing).toBeUndefined();
      if (state.leaseId === before.leaseId && before.deadline !== undefined)
        expect(state.deadline).toBeGreaterThan(before.deadline);
      // What had to be silent before this step stays condemned.
      expect(mustBeSilent(before, now)).toBe(false);
    }
    // Only seen silence, or another server's adoption, ends a deadline.
    if (changed && state.deadline === undefined) {
      const { process } = state;
      const silent = process.kind === 'none' && process.silent;
      expect(silent || (process.kind === 'running' && process.startedAs === 'adopted')).toBe(true);
    }
    if (!mayHoldWriters(state) || state.starting !== undefined || state.ended) return;
    if (state.suspended) return;
    if (state.fencing === undefined && state.deadline !== undefined)
      expect(this.wakeAt).toBeLessThanOrEqual(state.deadline);
  }

  checkEffects(before: GuardState, effects: readonly GuardEffect[]): void {
    const { state, now } = this;
    const live = state.deadline !== undefined && now < state.deadline;
    for (const effect of effects) {
      if (effect.kind === 'promote-server') {
        expect(live).toBe(true);
        expect(state.fencing).toBeUndefined();
      }
      if (effect.kind === 'spawn-server') {
        if (effect.as === 'primary') expect(live).toBe(true);
        expect(before.process.kind).toBe('none');
        expect(state.starting).toBeDefined();
        expect(before.fencing).toBeUndefined();
        expect(before.starting).toBeUndefined();
      }
      if (effect.kind === 'fence') expect(effect.dataDirectory).toBe(state.dataDirectory);
      if (effect.kind === 'send') expect(state.loop.kind).toBe('present');
      if (effect.kind === 'exit') {
        expect(state.loop.kind).toBe('absent');
        expect(state.starting).toBeUndefined();
        expect(state.fencing).toBeUndefined();
        expect(mayHoldWriters(state) && state.deadline !== undefined).toBe(false);
      }
    }
    expect(effects.filter(({ kind }) => kind === 'fence').length).toBeLessThanOrEqual(1);
  }

  /** A message of a loop that is not today's does no more than a look at the clock would. */
  checkDeafness(before: GuardState, input: GuardInput, effects: readonly GuardEffect[]): void {
    if (input.kind !== 'loop-message') return;
    if (input.incarnation === before.incarnation && before.loop.kind === 'present') return;
    const tick = guardStep(before, { kind: 'tick', now: this.now });
    expect(effects).toEqual(tick.effects);
    expect(this.state).toEqual(tick.state);
  }
}

const anyInput = fc.oneof(
  fc.constant({ kind: 'tick' as const }),
  {
    weight: 8,
    arbitrary: fc.record({
      kind: fc.constant('loop-message' as const),
      behind: fc.constantFrom(0, 0, 0, 0, 1),
      message: anyMessage,
    }),
  },
  fc.record({
    kind: fc.constant('loop-exited' as const),
    behind: fc.constantFrom(0, 0, 1),
    status: fc.constantFrom(null, 1, 1, 1, 0, 2, 3),
  }),
  {
    weight: 3,
    arbitrary: fc.record({ kind: fc.constant('server-spawned' as const), pid: anyPid }),
  },
  fc.record({ kind: fc.constant('server-not-spawned' as const), cause: fc.constant('no') }),
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant('server-exited' as const),
      pid: anyPid,
      code: fc.constantFrom(null, 0, 1),
      signal: fc.constantFrom(null, 'SIGKILL'),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ kind: fc.constant('fence-finished' as const), silent: fc.boolean() }),
  },
  fc.record({
    kind: fc.constant('signal' as const),
    signal: fc.constantFrom('SIGTERM' as const, 'SIGHUP' as const, 'SIGHUP' as const),
  }),
);

describe('chaos: any input at any time', () => {
  it('never breaks a rule', () => {
    const anyStep = fc.record({ wait: fc.nat({ max: 800 }), input: anyInput });
    fc.assert(
      fc.property(fc.array(anyStep, { maxLength: 60 }), (steps) => {
        const guard = new Watched();
        for (const { wait, input } of steps) {
          guard.now = instant(guard.now + wait);
          const incarnation = guard.state.incarnation - ('behind' in input ? input.behind : 0);
          if (input.kind === 'loop-message')
            guard.step({ ...input, incarnation, message: settle(input.message, guard.now) });
          else if (input.kind === 'loop-exited') guard.step({ ...input, incarnation });
          else guard.step(input);
        }
      }),
      { numRuns: 3_000 },
    );
  });
});

/** What a host does with the effects: each fault may happen at any time, for any length. */
interface Weather {
  /** Every effect that takes time takes up to this long. */
  readonly delays: readonly number[];
  readonly messages: readonly Draft<LoopMessage>[];
  readonly faults: readonly ('none' | 'crash' | 'hang' | 'server-dies' | 'unsilent' | 'no-spawn')[];
}

const anyWeather: fc.Arbitrary<Weather> = fc.record({
  delays: fc.array(fc.nat({ max: 300 }), { minLength: 1, maxLength: 10 }),
  messages: fc.array(anyMessage, { minLength: 1, maxLength: 25 }),
  faults: fc.array(
    fc.constantFrom(
      ...(['none', 'none', 'crash', 'hang', 'server-dies', 'unsilent', 'no-spawn'] as const),
    ),
    { minLength: 1, maxLength: 25 },
  ),
});

/** A make-believe host. Its server is alive from spawn to exit or fence, whatever the guard knows. */
class Host {
  readonly guard = new Watched();
  readonly weather: Weather;
  readonly due: { at: number; input: GuardInput }[] = [];
  serverPid: number | undefined;
  /** What the server really is: primary by its start, or made one by a promotion. */
  writes = false;
  nextPid = 100;
  drawn = 0;
  loopPid: number | undefined;
  hung = false;
  /** From now on the host does what it is told. */
  healed = false;
  starts = 0;
  kills = 0;
  exitStatus: number | undefined;

  constructor(weather: Weather) {
    this.weather = weather;
  }

  draw<T>(from: readonly T[], fallback: T): T {
    this.drawn += 1;
    return from[this.drawn % from.length] ?? fallback;
  }

  drawFault(): Weather['faults'][number] {
    return this.healed ? 'none' : this.draw(this.weather.faults, 'none');
  }

  later(input: GuardInput): void {
    this.due.push({ at: this.guard.now + this.draw(this.weather.delays, 0), input });
  }

  feed(input: GuardInput): void {
    for (const effect of this.guard.step(input)) this.perform(effect);
  }

  dieServer(code: number | null): void {
    if (this.serverPid === undefined) return;
    this.later({ kind: 'server-exited', pid: this.serverPid, code, signal: null });
    this.serverPid = undefined;
  }

  dieLoop(status: number | null): void {
    if (this.loopPid === undefined) return;
    const incarnation = this.loopPid;
    this.loopPid = undefined;
    this.hung = false;
    this.later({ kind: 'loop-exited', incarnation, status });
  }

  perform(effect: GuardEffect): void {
    switch (effect.kind) {
      case 'start-loop':
        expect(this.loopPid).toBeUndefined();
        this.loopPid = effect.incarnation;
        this.starts += 1;
        return;
      case 'kill-loop':
        this.kills += 1;
        return this.dieLoop(null);
      case 'spawn-server':
        // Two servers in one data directory, or one beside another: never.
        expect(this.serverPid).toBeUndefined();
        if (this.drawFault() === 'no-spawn')
          return this.later({ kind: 'server-not-spawned', cause: 'fault' });
        this.serverPid = this.nextPid;
        this.writes = effect.as === 'primary';
        this.nextPid += 1;
        return this.later({ kind: 'server-spawned', pid: this.serverPid });
      case 'signal-server':
        if (effect.signal === 'SIGHUP' || effect.pid !== this.serverPid) return;
        return this.dieServer(effect.signal === 'SIGINT' ? 0 : 2);
      case 'fence': {
        const silent = this.drawFault() !== 'unsilent';
        if (silent && effect.pid === this.serverPid) this.dieServer(null);
        return this.later({ kind: 'fence-finished', silent });
      }
      case 'watch-process':
        return this.later({ kind: 'server-exited', pid: effect.pid, code: null, signal: null });
      case 'exit':
        this.exitStatus = effect.status;
        return;
      case 'promote-server':
        if (effect.pid === this.serverPid) this.writes = true;
        return;
      case 'send':
        return;
    }
  }

  /** Plays until the clock stands at `until`: due inputs, wake-ups, nothing in between. */
  run(until: number): void {
    const limit = 10_000;
    for (let turn = 0; turn < limit; turn += 1) {
      this.due.sort((one, other) => one.at - other.at);
      const first = this.due[0];
      const wakeAt = this.guard.wakeAt ?? Number.POSITIVE_INFINITY;
      const at = Math.max(this.guard.now, Math.min(first?.at ?? Number.POSITIVE_INFINITY, wakeAt));
      if (at > until || this.exitStatus !== undefined) {
        this.guard.now = instant(Math.max(this.guard.now, until));
        return;
      }
      this.guard.now = instant(at);
      if (first !== undefined && first.at <= at) {
        this.due.shift();
        this.feed(first.input);
      } else {
        this.feed({ kind: 'tick' });
      }
    }
    throw new Error(`the guard was woken more than ${limit} times until ${until}`);
  }

  say(message: Draft<LoopMessage>): void {
    if (this.loopPid === undefined || this.hung) return;
    const settled = settle(message, this.guard.now);
    this.feed({ kind: 'loop-message', incarnation: this.loopPid, message: settled });
  }

  suffer(fault: Weather['faults'][number]): void {
    if (fault === 'crash') this.dieLoop(null);
    if (fault === 'hang') this.hung = true;
    if (fault === 'server-dies') this.dieServer(null);
  }
}

const live = (weather: Weather): Host => {
  const host = new Host(weather);
  host.run(0);
  for (const message of weather.messages) {
    host.say(message);
    host.suffer(host.drawFault());
    host.run(host.guard.now + host.draw(weather.delays, 0));
  }
  return host;
};

describe('host: effects carried out late and with faults', () => {
  it('keeps one server at a time, and the guard never spins', () => {
    fc.assert(
      fc.property(anyWeather, (weather) => {
        live(weather).run(60_000);
      }),
      { numRuns: 1_000 },
    );
  });

  it('leaves no server that writes alive when its deadline is not moved any more, nor suspended', () => {
    fc.assert(
      fc.property(anyWeather, (weather) => {
        const host = live(weather);
        host.healed = true;
        host.run(host.guard.now + 10_000);
        const { suspended } = host.guard.state;
        expect(host.serverPid !== undefined && host.writes && !suspended).toBe(false);
        // Whoever was let go on is not any more once a loop that is heard takes that back.
        host.run(host.guard.now + LOOP_SILENCE_LIMIT_MS + LOOP_RESTART_MAX_MS);
        host.say({ kind: 'suspend', id: 1_000, on: false, leaseId: '1' as LeaseId });
        host.run(host.guard.now + 10_000);
        expect(host.serverPid !== undefined && host.writes).toBe(false);
      }),
      { numRuns: 1_000 },
    );
  });

  it('kills a loop that hangs, and always has a loop again', () => {
    fc.assert(
      fc.property(anyWeather, (weather) => {
        const calm = weather.messages.filter(({ kind }) => kind !== 'leave');
        const host = live({ ...weather, messages: calm.length === 0 ? [{ kind: 'beat' }] : calm });
        host.hung = true;
        const { starts, loopPid } = host;
        host.run(host.guard.now + LOOP_SILENCE_LIMIT_MS + LOOP_RESTART_MAX_MS + 1_000);
        expect(host.starts).toBeGreaterThan(starts);
        if (loopPid !== undefined) expect(host.kills).toBeGreaterThan(0);
      }),
      { numRuns: 500 },
    );
  });

  it('ends after SIGTERM and the death of its loop, with nothing of ours left', () => {
    fc.assert(
      fc.property(anyWeather, (weather) => {
        const host = live(weather);
        host.feed({ kind: 'signal', signal: 'SIGTERM' });
        host.dieLoop(1);
        host.run(host.guard.now + 5_000);
        host.healed = true;
        host.run(host.guard.now + 60_000);
        expect(host.exitStatus).toBeDefined();
        expect(host.serverPid).toBeUndefined();
      }),
      { numRuns: 1_000 },
    );
  });

  it('ends with a final exit status of the loop, and with that status', () => {
    fc.assert(
      fc.property(anyWeather, fc.constantFrom(0, 2, 3), (weather, status) => {
        const calm = weather.messages.filter(({ kind }) => kind !== 'leave');
        const host = live({ ...weather, messages: calm.length === 0 ? [{ kind: 'beat' }] : calm });
        host.healed = true;
        // A loop may just be dead: wait for the next one.
        host.run(host.guard.now + LOOP_SILENCE_LIMIT_MS + LOOP_RESTART_MAX_MS + 1_000);
        host.dieLoop(status);
        host.run(host.guard.now + 120_000);
        expect(host.exitStatus).toBe(status);
        expect(host.serverPid).toBeUndefined();
      }),
      { numRuns: 500 },
    );
  });
});
