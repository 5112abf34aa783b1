/** The text format of metrics, read back by a parser of the format, and the counters of the loop. */
import type { Input, StepResult } from '@matriarch/core';
import { describe, expect, it } from 'vitest';
import { createAgentCounters } from './agent-counters.ts';
import { counter, gauge } from './metric-family.ts';
import { renderMetrics } from './render-metrics.ts';
import { parseMetrics } from './testing/parse-metrics.ts';

describe('the text of metrics', () => {
  it('has a help and a type for each name, and labels on each sample', () => {
    const text = renderMetrics(
      [
        gauge('one', 'Help with \\ and\nline.', true),
        counter('two_total', 'Two.', 9_223_372_036_854_775_807n),
        {
          name: 'three',
          help: 'Three.',
          type: 'gauge',
          samples: [{ labels: { a: 'x"\\\n' }, value: 0.5 }],
        },
      ],
      { scope: 'demo' },
    );
    expect(text).toBe(
      '# HELP one Help with \\\\ and\\nline.\n# TYPE one gauge\none{scope="demo"} 1\n' +
        '# HELP two_total Two.\n# TYPE two_total counter\n' +
        'two_total{scope="demo"} 9223372036854775807\n' +
        '# HELP three Three.\n# TYPE three gauge\nthree{scope="demo",a="x\\"\\\\\\n"} 0.5\n',
    );
    expect(parseMetrics(text).get('three')).toEqual({
      type: 'gauge',
      samples: [{ labels: { scope: 'demo', a: 'x"\\\n' }, value: '0.5' }],
    });
  });

  it('leaves out what is not known', () => {
    expect(renderMetrics([gauge('one', 'One.', undefined)], {})).toBe('\n');
    expect(renderMetrics([gauge('one', 'One.', 1)], {})).toContain('\none 1\n');
  });
});

describe('a parser of the format', () => {
  it.each([
    'one 1\n',
    '# TYPE one gauge\none{a="b} 1\n',
    '# TYPE one gauge\none{a="b"}\n',
    '# TYPE one gauge\none 1\none 1\n',
    '# TYPE one gauge\n# TYPE one gauge\none 1\n',
    '# TYPE one gauge\none 1',
    '# TYPE one gauge\none some\n',
  ])('refuses %j', (text) => {
    expect(() => parseMetrics(text)).toThrow();
  });
});

describe('counters', () => {
  const step = (parts: Partial<StepResult>): StepResult => ({
    ...({} as StepResult),
    dispatches: [],
    decisions: [],
    events: [],
    wakeAt: undefined,
    ...parts,
  });
  const tick: Input = { kind: 'tick' };
  const probe = { kind: 'probe-server' } as const;

  it('count steps, actions, and decisions that had an effect', () => {
    const counters = createAgentCounters();
    counters.countStep(
      step({
        dispatches: [
          { id: 1, lane: 'probe', action: probe, rule: undefined },
          { id: 2, lane: 'server', action: { kind: 'reload-server' }, rule: 'some-rule' },
        ],
        decisions: [
          { rule: 'some-rule', because: '', action: { kind: 'reload-server' } },
          { rule: 'remembers', because: '', remember: {} },
          { rule: 'hold', because: '' },
          { rule: 'lane-is-busy', because: '', action: probe },
        ],
      }),
      tick,
    );
    counters.countStep(step({}), tick);
    const { steps, actions, decisions } = counters.read();
    expect(steps).toBe(2);
    expect([...actions]).toEqual([
      ['probe-server', 1],
      ['reload-server', 1],
    ]);
    expect([...decisions]).toEqual([
      ['some-rule', 1],
      ['remembers', 1],
    ]);
  });

  it('count outcomes that were not reached', () => {
    const counters = createAgentCounters();
    for (const kind of ['failed', 'unknown', 'unknown'] as const)
      counters.countStep(step({}), {
        kind: 'outcome',
        outcome: { id: 1, kind: 'read-store', result: { kind, cause: '' } },
      });
    counters.countStep(step({}), {
      kind: 'outcome',
      outcome: { id: 1, kind: 'checkpoint', result: { kind: 'done' } },
    });
    expect(counters.read().failures).toEqual([
      { action: 'read-store', outcome: 'failed', count: 1 },
      { action: 'read-store', outcome: 'unknown', count: 2 },
    ]);
  });
});
