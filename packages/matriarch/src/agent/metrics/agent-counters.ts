import type { Input, StepResult } from '@matriarch/core';

/** How often each thing has happened since this loop began. */
export interface CounterReadings {
  readonly steps: number;
  /** By kind of action. */
  readonly actions: ReadonlyMap<string, number>;
  /** Outcomes other than `done`. */
  readonly failures: readonly {
    readonly action: string;
    readonly outcome: 'failed' | 'unknown';
    readonly count: number;
  }[];
  /** Decisions that had an effect, by rule. */
  readonly decisions: ReadonlyMap<string, number>;
}

/** Counts what the loop does. Its label values are kinds and rule ids, so there are few of them. */
export interface AgentCounters {
  /** To be called after every step, with what the step answered and what it was told. */
  countStep(result: StepResult, input: Input): void;
  read(): CounterReadings;
}

const increase = (counts: Map<string, number>, key: string): void => {
  counts.set(key, (counts.get(key) ?? 0) + 1);
};

export const createAgentCounters = (): AgentCounters => {
  let steps = 0;
  const actions = new Map<string, number>();
  const decisions = new Map<string, number>();
  const failed = new Map<string, number>();
  const unknown = new Map<string, number>();
  return {
    countStep: (result, input) => {
      steps += 1;
      for (const { action, rule } of result.dispatches) {
        increase(actions, action.kind);
        if (rule !== undefined) increase(decisions, rule);
      }
      // A decision whose action found its lane busy is made again with the next step.
      for (const { rule, action, remember } of result.decisions)
        if (action === undefined && remember !== undefined) increase(decisions, rule);
      if (input.kind !== 'outcome') return;
      const { kind, result: answer } = input.outcome;
      if (answer.kind === 'failed') increase(failed, kind);
      if (answer.kind === 'unknown') increase(unknown, kind);
    },
    read: () => ({
      steps,
      actions: new Map(actions),
      decisions: new Map(decisions),
      failures: [
        ...Array.from(failed, ([action, count]) => ({ action, outcome: 'failed' as const, count })),
        ...Array.from(unknown, ([action, count]) => ({
          action,
          outcome: 'unknown' as const,
          count,
        })),
      ],
    }),
  };
};
