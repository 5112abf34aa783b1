import { findMissing } from '../prepare/look.mjs';

/** Fails before the first test when a server is missing: such tests never skip. */
export const setup = (): void => {
  const missing = findMissing('test');
  if (missing.length === 0) return;
  const names = missing.map((program) => `${program.name} (Debian package ${program.package})`);
  throw new Error(
    `Missing on this machine: ${names.join(', ')}. ` +
      'Install with: node scripts/prepare.mjs --for test',
  );
};
