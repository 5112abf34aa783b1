/** One `up` at a time for a cluster; another verb finds it by the same file. */
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { type UpRecord, readUpRecord } from './open-cluster.ts';

/** Field 22 of /proc/<pid>/stat: when the process began, in clock ticks since boot. */
const START_TICKS_FIELD = 19;

/** Undefined when there is no such process. */
export const startTicksOf = (pid: number): string | undefined => {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[START_TICKS_FIELD];
  } catch {
    return undefined;
  }
};

/** The `up` that runs, told apart from another process with its old pid. */
export const findRunningUp = (lock: string): UpRecord | undefined => {
  const record = readUpRecord(lock);
  return record !== undefined && startTicksOf(record.pid) === record.startTicks
    ? record
    : undefined;
};

export const takeLock = (lock: string, file: string): void => {
  const record: UpRecord = {
    pid: process.pid,
    startTicks: startTicksOf(process.pid) ?? '',
    file,
    workingDirectory: process.cwd(),
  };
  writeFileSync(lock, `${JSON.stringify(record)}\n`, { mode: 0o644 });
};

export const releaseLock = (lock: string): void => rmSync(lock, { force: true });
