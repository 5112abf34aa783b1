/** The scenarios are whole in themselves: names, harms, and what each needs. */
import { describe, expect, it } from 'vitest';
import { HARMS, needsOf, spanMs } from './scenario.ts';
import { findScenario, scenarios } from './scenarios.ts';

describe('the scenarios', () => {
  it('have names of their own, by which they are found', () => {
    const names = scenarios.map(({ name }) => name);
    expect(new Set(names).size).toBe(names.length);
    for (const scenario of scenarios) expect(findScenario(scenario.name)).toBe(scenario);
    expect(findScenario('no-such')).toBeUndefined();
  });

  it('use every harm there is', () => {
    const used = scenarios.flatMap(({ steps }) => steps.map(({ harm }) => harm));
    expect(HARMS.filter((harm) => !used.includes(harm))).toEqual([]);
  });

  it('say what a cluster must have for them', () => {
    const needing = scenarios.filter((scenario) => needsOf(scenario).length > 0);
    expect(needing.map(({ name }) => name)).toEqual([
      'partition',
      'partition-from-store',
      'partition-from-members',
      'partition-outgoing',
      'partition-incoming',
      'disk-full',
    ]);
  });
});

it('a span counts ttls and milliseconds together', () => {
  expect(spanMs({ ttls: 2, ms: 500 }, 5_000)).toBe(10_500);
  expect(spanMs({}, 5_000)).toBe(0);
});
