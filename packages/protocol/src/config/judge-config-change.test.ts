/** What is said of a change before it is written: only what the change itself brings. */
import type { JsonObject } from '@matriarch/core';
import { describe, expect, it } from 'vitest';
import { formatMistakes } from '../errors/mistake.ts';
import { judgeConfigChange } from './judge-config-change.ts';

const judge = (before: JsonObject, after: JsonObject) => {
  const { mistakes, warnings } = judgeConfigChange(before, after);
  const say = (found: typeof mistakes) => found.map((one) => formatMistakes([one]));
  return { mistakes: say(mistakes), warnings: say(warnings) };
};

describe('judgeConfigChange', () => {
  it.each([
    [{ ttl: 'soon' }, 'ttl: "soon" is not'],
    [{ synchronous_mode: 'qourum' }, 'synchronous_mode: "qourum" is not on, off or quorum'],
    [{ postgresql: { parameters: { work_mem: [] } } }, 'postgresql.parameters.work_mem: a list'],
    [{ postgresql: { parameters: 5 } }, 'postgresql.parameters: is a value, not a section'],
    [{ postgresql: { pg_hba: 'local all' } }, 'postgresql.pg_hba: is a value, not a list'],
    [{ postgresql: { pg_ident: [{}] } }, 'postgresql.pg_ident[0]: a section is not'],
    [{ postgresql: 5 }, 'postgresql: is a value, not a section'],
  ])('refuses %j, and says it once', (after, message) => {
    const { mistakes } = judge({}, after);
    expect(mistakes).toHaveLength(1);
    expect(mistakes[0]).toContain(message);
  });

  it('warns of what has no effect', () => {
    const after = { synchronous_mod: 'on', postgresql: { parameters: { port: 1 } } };
    expect(judge({}, after)).toEqual({
      mistakes: [],
      warnings: [
        'synchronous_mod: is not a known key; did you mean "synchronous_mode"?',
        'postgresql.parameters.port: is set by each agent itself; it has no effect here',
      ],
    });
  });

  it('leaves alone what was wrong before', () => {
    const before = { ttl: 'soon', synchronous_mod: 'on' };
    const nothing = { mistakes: [], warnings: [] };
    expect(judge(before, { ...before, loop_wait: 5 })).toEqual(nothing);
    expect(judge(before, {})).toEqual(nothing);
  });
});
