/**
 * Whether a server ended in order, as pg_control says: for a postmaster that is not our child there
 * is no exit status. Source: PostgreSQL's pg_control.h; the state is the 32-bit word behind one of
 * 64 bits and two of 32, in all of 13 to 18.
 */
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';

const STATE_OFFSET = 16;
const STATE_BYTES = 4;
/** DB_SHUTDOWNED and DB_SHUTDOWNED_IN_RECOVERY. */
const SHUT_DOWN_STATES: readonly number[] = [1, 2];
const LOOK_LIMIT_MS = 1_000;

const readState = async (dataDirectory: string): Promise<number> => {
  const file = await open(join(dataDirectory, 'global', 'pg_control'), 'r');
  try {
    const word = Buffer.alloc(STATE_BYTES);
    await file.read(word, 0, STATE_BYTES, STATE_OFFSET);
    // The server's byte order is the host's, and every host we run on is little-endian.
    return word.readInt32LE();
  } finally {
    await file.close();
  }
};

/** False also when pg_control cannot be read, or not in time. Never rejects. */
export const isShutDown = async (dataDirectory: string): Promise<boolean> => {
  const late = pause(LOOK_LIMIT_MS, undefined, { ref: false });
  try {
    const state = await Promise.race([readState(dataDirectory), late]);
    return state !== undefined && SHUT_DOWN_STATES.includes(state);
  } catch {
    return false;
  }
};
