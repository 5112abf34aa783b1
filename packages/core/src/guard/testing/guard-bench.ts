/** Plays inputs to the guard's step one after the other and keeps the effects. */
import { type Instant, instant } from '../../model/instant.ts';
import type { StartMode } from '../../model/server.ts';
import type { LeaseId } from '../../model/store.ts';
import { type GuardEffect, type GuardInput, type GuardState, createGuard } from '../guard-state.ts';
import { guardStep } from '../guard-step.ts';
import type { GuardMessage, LaunchSpec, LoopMessage } from '../messages.ts';

export const DATA = '/data/alpha';
export const LEASE = '7587' as LeaseId;
export const OTHER_LEASE = '7588' as LeaseId;

export const launchOf = (dataDirectory: string = DATA): LaunchSpec => ({
  command: 'postgres',
  arguments: ['-D', dataDirectory],
  environment: {},
  dataDirectory,
  logFile: '/data/log',
  user: undefined,
});

export interface GuardBench {
  readonly now: number;
  readonly state: GuardState;
  readonly wakeAt: Instant | undefined;
  /** Moves the clock without an input: the guard is asleep or late. */
  at(milliseconds: number): void;
  /** The effects of this one input. */
  play(input: GuardInput): readonly GuardEffect[];
  /** A message of the newest loop; the effects of this one input. */
  say(message: LoopMessage): readonly GuardEffect[];
}

export const createBench = (): GuardBench => {
  let now = 0;
  let state = createGuard(instant(0));
  let wakeAt: Instant | undefined;
  const play = (input: GuardInput): readonly GuardEffect[] => {
    const step = guardStep(state, { ...input, now: instant(now) });
    state = step.state;
    wakeAt = step.wakeAt;
    return step.effects;
  };
  return {
    get now() {
      return now;
    },
    get state() {
      return state;
    },
    get wakeAt() {
      return wakeAt;
    },
    at: (milliseconds) => {
      now = milliseconds;
    },
    play,
    say: (message) => play({ kind: 'loop-message', incarnation: state.incarnation, message }),
  };
};

export const extension = (id: number, deadline: number, leaseId = LEASE): LoopMessage => ({
  kind: 'extend',
  id,
  deadline: instant(deadline),
  leaseId,
});

export const startOf = (id: number, as: Exclude<StartMode, 'adopted'>): LoopMessage => ({
  kind: 'start',
  id,
  as,
  launch: launchOf(),
});

export const fenceOf = (id: number, dataDirectory: string = DATA): LoopMessage => ({
  kind: 'fence',
  id,
  dataDirectory,
});

/** A bench on which a loop runs. */
export const createBenchWithLoop = (): GuardBench => {
  const bench = createBench();
  bench.play({ kind: 'tick' });
  return bench;
};

/** A bench with a server started as `as`, pid 100, under a deadline at 1000. */
export const createBenchWithServer = (as: Exclude<StartMode, 'adopted'>): GuardBench => {
  const bench = createBenchWithLoop();
  bench.say(extension(1, 1_000));
  bench.say(startOf(2, as));
  bench.play({ kind: 'server-spawned', pid: 100 });
  return bench;
};

export const sentBy = (effects: readonly GuardEffect[]): readonly GuardMessage[] =>
  effects.flatMap((effect) => (effect.kind === 'send' ? [effect.message] : []));

export const kindsOf = (effects: readonly GuardEffect[]): readonly string[] =>
  effects.map((effect) => effect.kind);
