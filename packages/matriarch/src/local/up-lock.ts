/** One `up` at a time for a cluster; another verb finds it by the same file. */
import { linkSync, rmSync, writeFileSync } from 'node:fs';
import { type UpRecord, readUpRecord } from './up-record.ts';
import { isRunning, startTicksOf } from './process-tree.ts';

/** The `up` that runs, told apart from another process with its old pid. */
export const findRunningUp = (lock: string): UpRecord | undefined => {
  const record = readUpRecord(lock);
  return record !== undefined && isRunning(record) ? record : undefined;
};

/**
 * Undefined when the lock is ours now, else who has it. The file appears with its content at once:
 * an empty one would be taken for that of an `up` that is gone. Throws when it cannot be written.
 */
export const takeLock = (lock: string, file: string): UpRecord | undefined => {
  const record: UpRecord = {
    pid: process.pid,
    startTicks: startTicksOf(process.pid) ?? '',
    file,
    workingDirectory: process.cwd(),
  };
  const draft = `${lock}.${process.pid}`;
  writeFileSync(draft, `${JSON.stringify(record)}\n`, { mode: 0o644 });
  try {
    if (tryLink(draft, lock)) return undefined;
    const running = findRunningUp(lock);
    if (running !== undefined) return running;
    rmSync(lock, { force: true });
    return tryLink(draft, lock) ? undefined : readUpRecord(lock);
  } finally {
    rmSync(draft, { force: true });
  }
};

const tryLink = (draft: string, lock: string): boolean => {
  try {
    linkSync(draft, lock);
    return true;
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'EEXIST') return false;
    throw error;
  }
};

export const releaseLock = (lock: string): void => rmSync(lock, { force: true });
