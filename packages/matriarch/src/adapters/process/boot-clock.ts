/**
 * The host's boot clock: the time since the kernel started, time asleep included. It never steps,
 * and every process of the host reads the same figure, so the guard and the loop may exchange
 * instants. Source: proc(5), /proc/uptime; the kernel counts it in steps of 10 ms.
 */
import { openSync, readSync } from 'node:fs';
import { type Instant, instant } from '@matriarch/core';

const UPTIME_FILE = '/proc/uptime';
const UPTIME_BYTES_MAX = 64;
const MS_PER_SECOND = 1_000;

let file: number | undefined;
const buffer = Buffer.alloc(UPTIME_BYTES_MAX);

const openUptime = (): number => {
  try {
    return openSync(UPTIME_FILE, 'r');
  } catch (cause) {
    throw new Error(`cannot read ${UPTIME_FILE}: Matriarch's agent runs on Linux only`, { cause });
  }
};

/**
 * Now on the boot clock. The file stays open: one read is a microsecond and needs no descriptor
 * just when descriptors are short. Throws where there is no such clock.
 */
export const readBootClock = (): Instant => {
  file ??= openUptime();
  const length = readSync(file, buffer, 0, UPTIME_BYTES_MAX, 0);
  const seconds = Number.parseFloat(buffer.toString('latin1', 0, length));
  if (!Number.isFinite(seconds)) throw new Error(`${UPTIME_FILE} holds no number of seconds`);
  return instant(Math.round(seconds * MS_PER_SECOND));
};
