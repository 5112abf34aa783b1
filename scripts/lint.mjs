/**
 * `npm run lint`: the linter and the formatter's check, both even if the first one fails. With
 * `--fix` the formatter writes, and the linter repairs what it can.
 */
import { runNode } from './run-child.mjs';

const fixes = process.argv.includes('--fix');
/** In a log file: one line for each finding, and no colours. */
const style = process.stdout.isTTY ? [] : ['--format=unix'];

const linter = await runNode(
  'node_modules/oxlint/bin/oxlint',
  '--type-aware',
  ...style,
  ...(fixes ? ['--fix'] : []),
);
const formatter = await runNode(
  'node_modules/@biomejs/biome/bin/biome',
  'format',
  ...(fixes ? ['--write'] : ['--max-diagnostics=50']),
  '.',
);

process.exitCode = linter.status === 0 && formatter.status === 0 ? 0 : 1;
