/**
 * `npm test`: everything. Makes the machine ready, builds, lints, and runs all tests; what follows
 * `--` goes to vitest (`npm test -- --project unit`). All steps run even if one fails, so that the
 * tests' closing lines are always the last but one. Exit status 0 only when all succeeded.
 */
import { runNode } from './run-child.mjs';

// In a log file colours are noise; in CI the tools would print them all the same.
if (!process.stdout.isTTY && process.env['FORCE_COLOR'] === undefined)
  process.env['NO_COLOR'] = '1';

/** @type {readonly (readonly [string, string, ...string[]])[]} */
const STEPS = [
  ['build', 'scripts/build.mjs'],
  ['lint', 'scripts/lint.mjs'],
  ['tests', 'node_modules/vitest/vitest.mjs', 'run', ...process.argv.slice(2)],
];

/** @returns {Promise<number>} */
const testAll = async () => {
  const prepared = await runNode('scripts/prepare.mjs', '--for', 'test');
  if (prepared.status !== 0) return 1;
  const failed = [];
  for (const [name, path, ...args] of STEPS) {
    console.log(`\n== ${name}`);
    const { status, interrupted } = await runNode(path, ...args);
    if (interrupted) return 1;
    if (status !== 0) failed.push(name);
  }
  if (failed.length > 0) console.error(`npm test failed in: ${failed.join(', ')}`);
  return failed.length > 0 ? 1 : 0;
};

process.exitCode = await testAll();
