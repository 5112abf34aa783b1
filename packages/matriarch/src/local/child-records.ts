/**
 * Which processes `up` has started, on disk: an `up` that is killed leaves them running, and the
 * next one, or `down`, has to find them.
 */
import { readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type KnownProcess, identify, isRunning } from './process-tree.ts';
import { readJsonObject } from './read-json.ts';

export type ChildKind = 'store' | 'member' | 'proxy';

export interface ChildName {
  readonly kind: ChildKind;
  readonly name: string;
}

export interface ChildRecord extends ChildName, KnownProcess {}

/** A member may be called like an etcd of ours. */
const fileOf = (directory: string, { kind, name }: ChildName): string =>
  join(directory, `${kind}.${name}.json`);

/** On a full disk the child runs unrecorded: better than not at all. */
export const recordChild = (directory: string, child: ChildName, pid: number): void => {
  const known = identify(pid);
  if (known === undefined) return;
  const record: ChildRecord = { ...child, ...known };
  const file = fileOf(directory, child);
  try {
    writeFileSync(`${file}.new`, `${JSON.stringify(record)}\n`, { mode: 0o644 });
    renameSync(`${file}.new`, file);
  } catch {
    rmSync(`${file}.new`, { force: true });
  }
};

export const forgetChild = (directory: string, child: ChildName): void =>
  rmSync(fileOf(directory, child), { force: true });

/** Those that still run, whoever started them. */
export const findRunningChildren = (directory: string): ChildRecord[] =>
  listFiles(directory).flatMap((file) => {
    const record = readJsonObject(join(directory, file)) as ChildRecord | undefined;
    return record !== undefined && isRunning(record) ? [record] : [];
  });

const listFiles = (directory: string): string[] => {
  try {
    return readdirSync(directory).filter((name) => name.endsWith('.json'));
  } catch {
    return [];
  }
};
