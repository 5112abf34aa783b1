/** What of a step is worth a line in the log, and how often. */
import type { Decision, Dispatch, Input, StepEvent, StepResult } from '@matriarch/core';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { buildState } from '../agent/api/testing/build-state.ts';
import type { Logger } from '../agent/log.ts';
import { createStepLog } from './log-step.ts';

const open = () => {
  const lines: unknown[][] = [];
  const write =
    (level: string) =>
    (details: object, message: string): void => {
      lines.push([level, message, details]);
    };
  const levels = ['debug', 'info', 'warn', 'error'];
  const log = Object.fromEntries(levels.map((level) => [level, write(level)])) as unknown as Logger;
  return { lines, logStep: createStepLog(log) };
};

const tick: Input = { kind: 'tick' };

const stepOf = (happened: Partial<StepResult> = {}): StepResult => ({
  state: buildState(),
  dispatches: [],
  events: [],
  decisions: [],
  wakeAt: undefined,
  ...happened,
});

const failure = (cause: string, kind: 'failed' | 'unknown' = 'failed'): Input => ({
  kind: 'outcome',
  outcome: { id: 1, kind: 'read-store', result: { kind, cause } },
});

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

describe('an event', () => {
  it.each(['debug', 'info', 'warn', 'error'] as const)('of level %s is a line of it', (level) => {
    const { lines, logStep } = open();
    const event: StepEvent = { name: 'server.exited', level, details: { code: 1 } };
    logStep(stepOf({ events: [event] }), tick);
    expect(lines).toEqual([[level, 'server exited', { event: 'server.exited', code: 1 }]]);
  });
});

describe('a decision', () => {
  const action = { kind: 'read-store' } as const;
  const decision: Decision = { rule: 'look', because: 'it is time', action };
  const dispatch: Dispatch = { id: 1, lane: 'read', action, rule: 'look' };

  it('is a line when its action was sent', () => {
    const { lines, logStep } = open();
    logStep(stepOf({ decisions: [decision], dispatches: [dispatch] }), tick);
    expect(lines).toEqual([
      ['debug', 'decided', { rule: 'look', because: 'it is time', action: 'read-store' }],
    ]);
  });

  it('is none while its lane is busy, nor when it only waits', () => {
    const { lines, logStep } = open();
    logStep(stepOf({ decisions: [decision] }), tick);
    const chore = { ...dispatch, rule: undefined };
    logStep(stepOf({ decisions: [decision], dispatches: [chore] }), tick);
    logStep(stepOf({ decisions: [{ rule: 'look', because: 'x' }], dispatches: [dispatch] }), tick);
    expect(lines).toEqual([]);
  });
});

describe('a failure', () => {
  it('is a warning with its cause', () => {
    const { lines, logStep } = open();
    logStep(stepOf(), failure('away', 'unknown'));
    expect(lines).toEqual([
      ['warn', 'action failed', { action: 'read-store', outcome: 'unknown', cause: 'away' }],
    ]);
  });

  it('that repeats itself is said every ten seconds', () => {
    const { lines, logStep } = open();
    for (let count = 0; count < 200; count += 1) {
      logStep(stepOf(), failure('away'));
      vi.advanceTimersByTime(100);
    }
    expect(lines).toHaveLength(2);
  });

  it('of another cause, or of another action, is said at once', () => {
    const { lines, logStep } = open();
    logStep(stepOf(), failure('away'));
    logStep(stepOf(), failure('no quorum'));
    const outcome = { id: 1, kind: 'inspect-disk', result: { kind: 'failed', cause: 'away' } };
    logStep(stepOf(), { kind: 'outcome', outcome } as Input);
    expect(lines).toHaveLength(3);
  });

  it('is none when it was done', () => {
    const { lines, logStep } = open();
    const result = { kind: 'done', ttlMs: 1 } as const;
    logStep(stepOf(), { kind: 'outcome', outcome: { id: 1, kind: 'keep-alive', result } });
    expect(lines).toEqual([]);
  });
});

describe('long work', () => {
  const progress = (doneBytes?: number, totalBytes?: number): Input => ({
    kind: 'job-progress',
    progress: { kind: 'clone', doneBytes, totalBytes },
  });

  it('is a line every five seconds with how far it has come', () => {
    const { lines, logStep } = open();
    for (let done = 0; done <= 100; done += 1) {
      logStep(stepOf(), progress(done * 10, 1_000));
      vi.advanceTimersByTime(100);
    }
    expect(lines).toEqual([
      ['info', 'job progress', { job: 'clone', doneBytes: 0, totalBytes: 1_000, percent: 0 }],
      ['info', 'job progress', { job: 'clone', doneBytes: 500, totalBytes: 1_000, percent: 50 }],
      ['info', 'job progress', { job: 'clone', doneBytes: 1_000, totalBytes: 1_000, percent: 100 }],
    ]);
  });

  it('has no percent while nobody knows how much it is', () => {
    const { lines, logStep } = open();
    logStep(stepOf(), progress());
    logStep(stepOf(), progress(7));
    expect(lines).toEqual([['info', 'job progress', { job: 'clone', doneBytes: 7 }]]);
  });
});
