/** Up to where the server's log was read, as it outlives the loop: nothing is counted twice. */
import { join } from 'node:path';
import { readTextIfThere, writeAtomically } from './atomic-file.ts';
import type { PostgresContext } from './context.ts';
import type { LogPlace } from './follow-log.ts';
import { LOG_FORMATS } from './log-scan.ts';
import { ensureStateDirectory } from './state-files.ts';

const placePath = ({ config }: PostgresContext): string =>
  join(config.matriarch.stateDirectory, 'log-place.json');

/** Undefined for whatever is no place. */
export const parseLogPlace = (text: string): LogPlace | undefined => {
  const read = readObject(text);
  const { file, path, offset, isStopping } = read;
  const format = LOG_FORMATS.find((one) => one === read['format']);
  if (typeof file !== 'string' || typeof path !== 'string' || format === undefined)
    return undefined;
  if (typeof offset !== 'number' || !Number.isSafeInteger(offset) || offset < 0) return undefined;
  return { file, path, format, offset, isStopping: isStopping === true };
};

const readObject = (text: string): Readonly<Record<string, unknown>> => {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? { ...value } : {};
  } catch {
    return {};
  }
};

export const readLogPlace = async (context: PostgresContext): Promise<LogPlace | undefined> =>
  parseLogPlace((await readTextIfThere(placePath(context))) ?? '');

export const writeLogPlace = async (context: PostgresContext, place: LogPlace): Promise<void> => {
  await ensureStateDirectory(context);
  const kind = { mode: 0o600, owner: context.owner };
  await writeAtomically(placePath(context), `${JSON.stringify(place)}\n`, kind);
};
