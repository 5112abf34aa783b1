/** Tables as patronictl prints them: a title in the upper border, aligned columns. */

export interface Column {
  readonly header: string;
  readonly align: 'left' | 'right';
}

export interface TableInput {
  /** Stands in the upper border; empty for none. */
  readonly title: string;
  readonly columns: readonly Column[];
  readonly rows: readonly (readonly string[])[];
}

export const formatTable = ({ title, columns, rows }: TableInput): string => {
  const widths = columns.map(({ header }, index) =>
    Math.max(header.length, ...rows.map((row) => (row[index] ?? '').length)),
  );
  const border = `+${widths.map((width) => '-'.repeat(width + 2)).join('+')}+`;
  const line = (cells: readonly string[]): string =>
    `|${columns
      .map(({ align }, index) => {
        const width = widths[index] ?? 0;
        const cell = cells[index] ?? '';
        return ` ${align === 'right' ? cell.padStart(width) : cell.padEnd(width)} `;
      })
      .join('|')}|`;
  return [
    withTitle(border, title),
    line(columns.map(({ header }) => header)),
    border,
    ...rows.map(line),
    border,
  ].join('\n');
};

const withTitle = (border: string, title: string): string => {
  if (title === '') return border;
  const text = `+ ${title} `;
  return text.length < border.length ? text + border.slice(text.length) : text;
};
