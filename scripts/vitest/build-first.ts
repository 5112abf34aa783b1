import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const BUILD = fileURLToPath(new URL('../build.mjs', import.meta.url));
const BUILD_LIMIT_MS = 300_000;

/**
 * Brings the built output up to date, which tests start as the program; nothing is done when it is.
 * Type errors do not end the run: `npm test` counts them as a failure of its build.
 */
export const setup = (): void => {
  const { status, error } = spawnSync(process.execPath, [BUILD], {
    stdio: 'inherit',
    timeout: BUILD_LIMIT_MS,
  });
  if (error !== undefined) throw error;
  if (status !== 0) console.error('The build has errors; the tests run on what it emitted.');
};
