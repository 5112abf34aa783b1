/** Tables drawn with the borders and the title of patronictl, compared as text. */
import { describe, expect, it } from 'vitest';
import { formatTable } from './table.ts';

const columns = [
  { header: 'Member', align: 'left' },
  { header: 'TL', align: 'right' },
] as const;

describe('formatTable', () => {
  it('is as wide as its widest cell, left or right', () => {
    expect(
      formatTable({
        title: '',
        columns,
        rows: [
          ['pg1', '7'],
          ['long-name', '10000'],
        ],
      }),
    ).toBe(
      [
        '+-----------+-------+',
        '| Member    |    TL |',
        '+-----------+-------+',
        '| pg1       |     7 |',
        '| long-name | 10000 |',
        '+-----------+-------+',
      ].join('\n'),
    );
  });

  it('has its title in the upper border', () => {
    const [first] = formatTable({ title: 'demo', columns, rows: [] }).split('\n');
    expect(first).toBe('+ demo --+----+');
  });

  it('shows a title that is longer than the table in full', () => {
    const title = 'Cluster: demo (7711278875043525676)';
    const [first] = formatTable({ title, columns, rows: [] }).split('\n');
    expect(first).toBe(`+ ${title} `);
  });

  it('has nothing in cells that are missing', () => {
    expect(formatTable({ title: '', columns, rows: [['pg1']] }).split('\n')[3]).toBe(
      '| pg1    |    |',
    );
  });
});
