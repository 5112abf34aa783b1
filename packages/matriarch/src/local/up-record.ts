import { readJsonObject } from './read-json.ts';

/** What `up` says of itself while it runs, and leaves behind when it is killed. */
export interface UpRecord {
  readonly pid: number;
  readonly startTicks: string;
  readonly file: string;
  readonly workingDirectory: string;
}

export const readUpRecord = (lock: string): UpRecord | undefined =>
  readJsonObject(lock) as UpRecord | undefined;
