/** What a change of the configuration does to its text: a unified diff, as patronictl shows it. */
import { structuredPatch } from 'diff';
import type { Paint } from './paint.ts';

const CONTEXT_LINES = 3;

export const formatConfigDiff = (before: string, after: string, paint: Paint): string => {
  const { hunks } = structuredPatch('', '', before, after, '', '', { context: CONTEXT_LINES });
  const lines = hunks.flatMap(({ oldStart, oldLines, newStart, newLines, lines: shown }) => [
    paint.cyan(`@@ -${oldStart},${oldLines} +${newStart},${newLines} @@`),
    ...shown.map((line) => paintLine(line, paint)),
  ]);
  return ['---', '+++', ...lines].join('\n');
};

const paintLine = (line: string, { green, red }: Paint): string => {
  if (line.startsWith('+')) return green(line);
  return line.startsWith('-') ? red(line) : line;
};
