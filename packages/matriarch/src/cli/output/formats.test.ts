/** Rows for programs: JSON, YAML, and columns between tabs. */
import { describe, expect, it } from 'vitest';
import { FORMATS, describeWrongFormat, formatRows, isFormat } from './formats.ts';

const columns = ['Member', 'TL', 'Tags'];
const rows = [
  { Member: 'pg1', TL: 1 },
  { Member: 'a\tb\nc', TL: 12, Tags: { nosync: true } },
];

describe('formatRows', () => {
  it('has every column between tabs, and one line for each row', () => {
    expect(formatRows('tsv', columns, rows)).toBe(
      ['Member\tTL\tTags', 'pg1\t1\t', 'a b c\t12\t{"nosync":true}'].join('\n'),
    );
  });

  it('is an array of objects in JSON and YAML', () => {
    expect(JSON.parse(formatRows('json', columns, rows))).toEqual(rows);
    expect(formatRows('yaml', columns, rows.slice(0, 1))).toBe('- Member: pg1\n  TL: 1');
  });
});

it('knows its formats, and says so', () => {
  expect(FORMATS.every(isFormat)).toBe(true);
  expect(isFormat('yml')).toBe(false);
  expect(describeWrongFormat('yml')).toBe('--format is pretty, tsv, json or yaml, not "yml"');
});
