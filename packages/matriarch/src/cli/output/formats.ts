/** `--format` of what is a table, with patronictl's choice of formats. */
import type { Json } from '@matriarch/core';
import { formatYaml } from '@matriarch/protocol';

export const FORMATS = ['pretty', 'tsv', 'json', 'yaml'] as const;
export type Format = (typeof FORMATS)[number];

export const isFormat = (word: unknown): word is Format =>
  (FORMATS as readonly unknown[]).includes(word);

export const describeWrongFormat = (given: unknown): string =>
  `--format is ${FORMATS.slice(0, -1).join(', ')} or ${FORMATS.at(-1)}, not "${String(given)}"`;

export type Row = Readonly<Record<string, Json>>;

/** For programs. Cells without content are left out, but for `tsv`, which has its columns. */
export const formatRows = (
  format: Exclude<Format, 'pretty'>,
  columns: readonly string[],
  rows: readonly Row[],
): string => {
  switch (format) {
    case 'json':
      return JSON.stringify(rows);
    case 'yaml':
      return formatYaml(rows).trimEnd();
    case 'tsv':
      return [columns, ...rows.map((row) => columns.map((column) => cellOf(row[column])))]
        .map((cells) => cells.join('\t'))
        .join('\n');
  }
};

/** A tab or a new line in a cell would be one more of them. */
const cellOf = (value: Json | undefined): string => {
  const text = typeof value === 'string' ? value : JSON.stringify(value ?? '');
  return value === undefined ? '' : text.replaceAll(/[\t\r\n]+/g, ' ');
};
