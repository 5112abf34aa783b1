import { readFileSync } from 'node:fs';

/** What `up` says of itself while it runs, and leaves behind. */
export interface UpRecord {
  readonly pid: number;
  readonly startTicks: string;
  readonly file: string;
  readonly workingDirectory: string;
}

export const readUpRecord = (lock: string): UpRecord | undefined => {
  try {
    return JSON.parse(readFileSync(lock, 'utf8')) as UpRecord;
  } catch {
    return undefined;
  }
};
