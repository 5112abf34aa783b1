import { type ActionKind, rules } from '@matriarch/core';
import { performers } from '../host/perform/table.ts';

/** How often each rule answered, and each kind of action was sent on its way. */
export interface Coverage {
  readonly rules: Readonly<Record<string, number>>;
  readonly actions: Readonly<Record<string, number>>;
}

export const noCoverage: Coverage = { rules: {}, actions: {} };

/** Counts while a schedule is played. */
export class CoverageCount {
  readonly #rules = new Map<string, number>();
  readonly #actions = new Map<string, number>();

  rule(id: string): void {
    this.#rules.set(id, (this.#rules.get(id) ?? 0) + 1);
  }

  action(kind: ActionKind): void {
    this.#actions.set(kind, (this.#actions.get(kind) ?? 0) + 1);
  }

  get coverage(): Coverage {
    return { rules: Object.fromEntries(this.#rules), actions: Object.fromEntries(this.#actions) };
  }
}

const addCounts = (one: Coverage['rules'], other: Coverage['rules']): Coverage['rules'] => {
  const sum = { ...one };
  for (const [name, count] of Object.entries(other)) sum[name] = (sum[name] ?? 0) + count;
  return sum;
};

export const addCoverage = (one: Coverage, other: Coverage): Coverage => ({
  rules: addCounts(one.rules, other.rules),
  actions: addCounts(one.actions, other.actions),
});

/** Rules that never answered and actions that were never sent, in the order of their tables. */
export const neverReached = ({ rules: answered, actions }: Coverage): readonly string[] => [
  ...rules.filter(({ id }) => answered[id] === undefined).map(({ id }) => `rule ${id}`),
  ...Object.keys(performers)
    .filter((kind) => actions[kind] === undefined)
    .map((kind) => `action ${kind}`),
];

/** What was reached least, for people. */
export const formatCoverage = (coverage: Coverage): readonly string[] => {
  const ruleCount = rules.length;
  const actionCount = Object.keys(performers).length;
  const reached = (counts: Coverage['rules']): number => Object.keys(counts).length;
  const rarest = Object.entries({ ...coverage.rules, ...coverage.actions })
    .sort(([, a], [, b]) => a - b)
    .slice(0, RAREST)
    .map(([name, count]) => `${name} ${count}`);
  const never = neverReached(coverage);
  return [
    `coverage: ${reached(coverage.rules)} of ${ruleCount} rules, ` +
      `${reached(coverage.actions)} of ${actionCount} kinds of action`,
    ...(rarest.length === 0 ? [] : [`rarest: ${rarest.join(', ')}`]),
    ...(never.length === 0 ? [] : [`never reached: ${never.join(', ')}`]),
  ];
};

const RAREST = 5;
