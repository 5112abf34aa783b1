import { readFileSync, readlinkSync } from 'node:fs';
import type { Life } from '@matriarch/core';

/** A name for one run of one guard, from the kernel's own random numbers. */
export const createRun = (): string =>
  readFileSync('/proc/sys/kernel/random/uuid', 'latin1').trim();

/**
 * The life of the guard that calls itself `run`. Two members with the same host part see each
 * other's processes: same boot of the same kernel, same process-id namespace.
 */
export const observeLife = (run: string): Life => {
  const bootId = readFileSync('/proc/sys/kernel/random/boot_id', 'latin1').trim();
  const namespace = /\d+/.exec(readlinkSync('/proc/self/ns/pid'))?.[0] ?? 'unknown';
  return { host: `${bootId}:${namespace}`, run };
};
