/**
 * `npm run demo [-- --yes --report FILE --keep]`: makes the machine ready, builds, and runs the
 * program's own demo with the same options.
 */
import { runNode } from './run-child.mjs';

const args = process.argv.slice(2);

/** @returns {Promise<number>} */
const demo = async () => {
  const yes = args.includes('--yes') ? ['--yes'] : [];
  /** @type {readonly (readonly [string, ...string[]])[]} */
  const steps = [
    ['scripts/prepare.mjs', '--for', 'demo', ...yes],
    ['scripts/build.mjs'],
    ['packages/matriarch/bin/matriarch.js', 'demo', ...args],
  ];
  for (const [path, ...rest] of steps) {
    const { status } = await runNode(path, ...rest);
    if (status !== 0) return status;
  }
  return 0;
};

process.exitCode = await demo();
