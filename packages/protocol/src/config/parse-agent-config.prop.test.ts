// Shows, for the guide's patroni.yml (G7) with any damage done to it, that reading never throws, that
// there is either a configuration or a mistake, and that no message holds a password.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { formatMistakes } from '../errors/mistake.ts';
import { readGuideFile } from '../testing/guide.ts';
import { parseAgentConfig } from './parse-agent-config.ts';

const GUIDE = readGuideFile('patroni.yml');
const RUNS = 150;

const damage = fc.record({
  at: fc.nat({ max: GUIDE.length }),
  removed: fc.nat({ max: 12 }),
  added: fc.oneof(
    fc.constantFrom(
      '\n',
      '\t',
      ' ',
      ': ',
      '- ',
      '"',
      "'",
      '[',
      '{',
      '*',
      '&a ',
      '<<: ',
      '~',
      '#',
      '|',
    ),
    fc.string({ maxLength: 4 }),
  ),
});

const apply = (
  text: string,
  { at, removed, added }: { at: number; removed: number; added: string },
) => text.slice(0, at) + added + text.slice(at + removed);

describe('a damaged file', () => {
  it('is read or refused with reasons, and keeps its secrets', () => {
    fc.assert(
      fc.property(fc.array(damage, { minLength: 1, maxLength: 4 }), (damages) => {
        const text = damages.reduce(apply, GUIDE);
        const { config, mistakes, warnings } = parseAgentConfig({
          text,
          file: 'f',
          environment: {},
        });
        expect(config === undefined).toBe(mistakes.length > 0);
        const said =
          formatMistakes([...mistakes, ...warnings]) + JSON.stringify([mistakes, warnings]);
        expect(said).not.toMatch(/postgres_passw|replication_passw/);
      }),
      { numRuns: RUNS },
    );
  });
});
