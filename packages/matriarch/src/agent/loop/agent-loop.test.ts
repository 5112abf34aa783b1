/**
 * The shell around core's `step`: the real step, with performers that do what a test tells them, and
 * time that goes on only when a test lets it.
 */
import {
  type Action,
  type ActionKind,
  type Input,
  type Instant,
  type StepResult,
  createMember,
  defaultPolicy,
  defaultTags,
  memberName,
} from '@matriarch/core';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { PerformerResult, Performers } from '../act/performers.ts';
import { type AgentLoop, createAgentLoop } from './agent-loop.ts';

type Answer = PerformerResult<ActionKind> | undefined;

interface Bench {
  readonly loop: AgentLoop;
  /** Every step, with what it was told. */
  readonly steps: { readonly result: StepResult; readonly input: Input }[];
  /** Every action that was sent, and when. */
  readonly sent: { readonly action: Action; readonly at: number }[];
  readonly defects: unknown[];
}

const hello: Input = {
  kind: 'guard-hello',
  incarnation: 1,
  process: { kind: 'none', silent: true },
  leaseId: undefined,
  deadline: undefined,
};

const START = 1_000_000;
const now = (): Instant => Date.now() as Instant;
/** A thousand seconds ahead. */
const wallClockMs = (): number => Date.now() + 1_000_000;

/** `answer` undefined: the performer is still at it. */
const open = (
  answer: (action: Action) => Answer,
  onStep: (loop: AgentLoop, input: Input) => void = () => undefined,
): Bench => {
  const steps: Bench['steps'] = [];
  const sent: Bench['sent'] = [];
  const defects: unknown[] = [];
  const perform = (action: Action): Promise<PerformerResult<ActionKind>> => {
    sent.push({ action, at: now() });
    const given = answer(action);
    return given === undefined ? Promise.race([]) : Promise.resolve(given);
  };
  const loop: AgentLoop = createAgentLoop({
    initial: createMember(
      {
        name: memberName('pg1'),
        address: '127.0.0.1:5432',
        connUrl: 'postgres://127.0.0.1:5432/postgres',
        apiUrl: 'http://127.0.0.1:8008/patroni',
        tags: defaultTags,
        life: { host: 'host', run: 'run' },
        bootstrapConfig: {},
        mayTakeOverData: false,
      },
      defaultPolicy,
    ),
    now,
    wallClockMs,
    performers: new Proxy({}, { get: () => perform }) as Performers,
    onStep: (result, input) => {
      steps.push({ result, input });
      onStep(loop, input);
    },
    onDefect: (error) => defects.push(error),
  });
  return { loop, steps, sent, defects };
};

const nothing = (): Answer => undefined;
const kinds = ({ sent }: Bench): ActionKind[] => sent.map(({ action }) => action.kind);
const inputs = ({ steps }: Bench): Input['kind'][] => steps.map(({ input }) => input.kind);

beforeEach(() => {
  vi.useFakeTimers({ now: START });
});
afterEach(() => {
  vi.useRealTimers();
});

describe('an input', () => {
  it('is one step, stamped with the time, and its state is kept', () => {
    const bench = open(nothing);
    vi.setSystemTime(START + 17);
    bench.loop.feed(hello);
    expect(inputs(bench)).toEqual(['guard-hello']);
    expect(bench.loop.state()).toBe(bench.steps[0]?.result.state);
    expect(bench.loop.state()).toMatchObject({
      now: START + 17,
      startedAt: START + 17,
      schedules: { clock: { value: START + 1_000_017, at: START + 17 } },
    });
  });

  it('sends all of its actions, each to the performer of its kind', () => {
    const bench = open(nothing);
    bench.loop.feed(hello);
    const dispatched = bench.steps[0]?.result.dispatches.map(({ action }) => action);
    expect(bench.sent.map(({ action }) => action)).toEqual(dispatched);
    expect(kinds(bench)).toEqual(
      expect.arrayContaining(['grant-lease', 'read-store', 'inspect-disk']),
    );
  });

  it('that comes in the middle of a step waits for its end', () => {
    const order: string[] = [];
    const bench = open(nothing, (loop, { kind }) => {
      order.push(`begin ${kind}`);
      if (kind === 'guard-hello') {
        loop.feed({ kind: 'store-changed' });
        loop.feed({ kind: 'server-changed' });
      }
      order.push(`end ${kind}`);
    });
    bench.loop.feed(hello);
    expect(order).toEqual(
      ['guard-hello', 'store-changed', 'server-changed'].flatMap((kind) => [
        `begin ${kind}`,
        `end ${kind}`,
      ]),
    );
    // The actions of a step are sent before the next step is taken.
    expect(kinds(bench)[0]).toBe(bench.steps[0]?.result.dispatches[0]?.action.kind);
  });

  it('that a performer feeds while it is called waits, too', () => {
    const bench = open((action) => {
      if (action.kind === 'inspect-disk')
        bench.loop.feed({ kind: 'job-progress', progress: { kind: 'clone', doneBytes: 7 } });
      return undefined;
    });
    bench.loop.feed(hello);
    expect(inputs(bench)).toEqual(['guard-hello', 'job-progress']);
    expect(bench.loop.state().job).toEqual({ kind: 'clone', doneBytes: 7 });
  });
});

describe('an outcome', () => {
  it('comes back as an input, and the state has it', async () => {
    const bench = open(({ kind }) =>
      kind === 'grant-lease'
        ? ({ kind: 'done', leaseId: '77', ttlMs: 30_000 } as Answer)
        : undefined,
    );
    bench.loop.feed(hello);
    await vi.advanceTimersByTimeAsync(0);
    const dispatch = bench.steps[0]?.result.dispatches.find(
      ({ action }) => action.kind === 'grant-lease',
    );
    expect(bench.steps[1]?.input).toEqual({
      kind: 'outcome',
      outcome: {
        id: dispatch?.id,
        kind: 'grant-lease',
        result: { kind: 'done', leaseId: '77', ttlMs: 30_000 },
      },
    });
    expect(bench.loop.state().lease).toMatchObject({ id: '77', ttlMs: 30_000 });
    expect(bench.loop.state().lanes.lease).toBeUndefined();
  });

  it('of each action finds its own action, in whatever order they come', async () => {
    const answers: (() => void)[] = [];
    const bench = open(nothing);
    const { loop } = bench;
    loop.stop();
    const late = createAgentLoop({
      initial: loop.state(),
      now,
      wallClockMs,
      performers: new Proxy(
        {},
        {
          get: () => (action: Action) =>
            new Promise((resolve) => {
              answers.push(() => resolve({ kind: 'failed', cause: action.kind }));
            }),
        },
      ) as Performers,
      onStep: (result, input) => bench.steps.push({ result, input }),
      onDefect: (error) => bench.defects.push(error),
    });
    late.feed(hello);
    const dispatches = bench.steps[0]?.result.dispatches ?? [];
    await vi.advanceTimersByTimeAsync(0);
    for (const answer of answers.toReversed()) answer();
    await vi.advanceTimersByTimeAsync(0);
    late.stop();
    const outcomes = bench.steps.flatMap(({ input }) =>
      input.kind === 'outcome' ? [input.outcome] : [],
    );
    expect(outcomes.map(({ id, kind }) => ({ id, kind }))).toEqual(
      dispatches.map(({ id, action }) => ({ id, kind: action.kind })).toReversed(),
    );
    for (const { kind, result } of outcomes)
      expect(result).toEqual({ kind: 'failed', cause: kind });
  });

  it('that failed is followed by another try, when the step says', async () => {
    const bench = open(({ kind }) =>
      kind === 'read-store' ? { kind: 'failed', cause: 'away' } : undefined,
    );
    bench.loop.feed(hello);
    await vi.advanceTimersByTimeAsync(0);
    const reads = (): number[] =>
      bench.sent.filter(({ action }) => action.kind === 'read-store').map(({ at }) => at - START);
    expect(reads()).toEqual([0]);
    await vi.advanceTimersByTimeAsync(450);
    expect(reads()).toEqual([0, 200, 400]);
  });
});

describe('the timer', () => {
  it('wakes the loop every second at least', async () => {
    const bench = open(nothing);
    bench.loop.feed({ kind: 'tick' });
    expect(bench.steps[0]?.result.wakeAt).toBeUndefined();
    await vi.advanceTimersByTimeAsync(999);
    expect(bench.steps).toHaveLength(1);
    await vi.advanceTimersByTimeAsync(1);
    expect(inputs(bench)).toEqual(['tick', 'tick']);
    await vi.advanceTimersByTimeAsync(1_000);
    expect(bench.steps).toHaveLength(3);
  });

  it('starts anew with every step', async () => {
    const bench = open(nothing);
    bench.loop.feed({ kind: 'tick' });
    await vi.advanceTimersByTimeAsync(900);
    bench.loop.feed({ kind: 'server-changed' });
    await vi.advanceTimersByTimeAsync(900);
    expect(inputs(bench)).toEqual(['tick', 'server-changed']);
  });

  it('that is due already does not spin', async () => {
    const bench = open(({ kind }) =>
      kind === 'read-store' ? { kind: 'failed', cause: 'away' } : undefined,
    );
    bench.loop.feed(hello);
    await vi.advanceTimersByTimeAsync(5_000);
    // A try each 200 ms and its outcome, and now and then a tick: not thousands.
    expect(bench.steps.length).toBeLessThan(100);
  });
});

describe('a performer that breaks its promise', () => {
  it('by rejecting is a defect', async () => {
    const bench = open(nothing);
    const failing = createAgentLoop({
      initial: bench.loop.state(),
      now,
      wallClockMs,
      performers: new Proxy(
        {},
        { get: () => () => Promise.reject(new Error('broken')) },
      ) as Performers,
      onStep: () => undefined,
      onDefect: (error) => bench.defects.push(error),
    });
    failing.feed(hello);
    await vi.advanceTimersByTimeAsync(0);
    failing.stop();
    expect(bench.defects[0]).toEqual(new Error('broken'));
  });

  it('by throwing is a defect, and the other actions of the step are sent', async () => {
    const bench = open(({ kind }) => {
      if (kind === 'grant-lease') throw new Error('broken');
      return undefined;
    });
    bench.loop.feed(hello);
    await vi.advanceTimersByTimeAsync(0);
    expect(bench.defects).toEqual([new Error('broken')]);
    expect(kinds(bench)).toContain('read-store');
  });
});

describe('a loop that was stopped', () => {
  it('takes no step any more, whatever comes', async () => {
    const bench = open(({ kind }) =>
      kind === 'grant-lease'
        ? ({ kind: 'done', leaseId: '77', ttlMs: 30_000 } as Answer)
        : undefined,
    );
    bench.loop.feed(hello);
    bench.loop.stop();
    bench.loop.feed({ kind: 'tick' });
    await vi.advanceTimersByTimeAsync(10_000);
    expect(inputs(bench)).toEqual(['guard-hello']);
  });

  it('in the middle of a step leaves no timer behind, and drops what waits', () => {
    const bench = open(nothing, (loop) => {
      loop.feed({ kind: 'store-changed' });
      loop.stop();
    });
    bench.loop.feed({ kind: 'tick' });
    expect(inputs(bench)).toEqual(['tick']);
    expect(vi.getTimerCount()).toBe(0);
  });
});
