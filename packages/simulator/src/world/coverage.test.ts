/** What was reached is added up, and what was not is told by its name. */
import { rules } from '@matriarch/core';
import { expect, it } from 'vitest';
import { performers } from '../host/perform/table.ts';
import { addCoverage, formatCoverage, neverReached, noCoverage } from './coverage.ts';

const everything = {
  rules: Object.fromEntries(rules.map(({ id }) => [id, 2])),
  actions: Object.fromEntries(Object.keys(performers).map((kind) => [kind, 3])),
};

it('adds up', () => {
  const sum = addCoverage({ rules: { hold: 1 }, actions: {} }, { rules: { hold: 2 }, actions: {} });
  expect(sum.rules).toEqual({ hold: 3 });
  expect(addCoverage(noCoverage, everything)).toEqual(everything);
});

it('names what was never reached', () => {
  const { hold: _hold, ...others } = everything.rules;
  const { promote: _promote, ...actions } = everything.actions;
  expect(neverReached(everything)).toEqual([]);
  expect(neverReached({ rules: others, actions })).toEqual(['rule hold', 'action promote']);
  expect(formatCoverage({ rules: others, actions }).at(-1)).toBe(
    'never reached: rule hold, action promote',
  );
  expect(formatCoverage(everything).join('\n')).not.toContain('never');
});
