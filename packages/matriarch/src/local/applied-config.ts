/**
 * What a cluster.yaml said when it was last carried into a cluster that exists. A cluster-wide
 * setting lives in the store from the bootstrap on: what has changed in the file since is written
 * there, and what anybody else has changed there stays.
 */
import { renameSync, writeFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import type { JsonObject, StoreSnapshot } from '@matriarch/core';
import {
  type ClusterConfig,
  describeConfigChange,
  diffConfig,
  mergeConfig,
  renderDynamicConfig,
} from '@matriarch/protocol';
import type { LocalPaths } from './directories.ts';
import { readJsonObject } from './read-json.ts';

export interface AppliedConfig {
  readonly file: string;
  readonly namespace: string;
  readonly etcd: ClusterConfig['etcd']['kind'];
  readonly dynamic: JsonObject;
}

/** Undefined when there is none, or none that this version has written. */
export const readApplied = (path: string): AppliedConfig | undefined => {
  const applied: Partial<AppliedConfig> | undefined = readJsonObject(path);
  const { file, namespace, etcd, dynamic } = applied ?? {};
  return file === undefined || namespace === undefined || etcd === undefined || !dynamic
    ? undefined
    : { file, namespace, etcd, dynamic };
};

export const appliedOf = (config: ClusterConfig, file: string): AppliedConfig => ({
  file,
  namespace: config.namespace,
  etcd: config.etcd.kind,
  dynamic: renderDynamicConfig(config),
});

export const writeApplied = ({ applied }: LocalPaths, config: AppliedConfig): void => {
  writeFileSync(`${applied}.new`, `${JSON.stringify(config, undefined, 2)}\n`, { mode: 0o644 });
  renameSync(`${applied}.new`, applied);
};

export type ConfigDocument = NonNullable<StoreSnapshot['config']>;

export interface ConfigStore {
  /** Undefined: the store does not answer. A missing document is no cluster yet. */
  readonly read: () => Promise<{ readonly config: ConfigDocument | undefined } | undefined>;
  /** Whether it was written; only when the document is still the one that was read. */
  readonly replace: (seen: ConfigDocument, next: JsonObject) => Promise<boolean>;
}

export type ConfigChange =
  | { readonly kind: 'written'; readonly changes: readonly string[] }
  /** The store has it already, or a bootstrap will bring it. */
  | { readonly kind: 'not-needed' }
  | { readonly kind: 'no-answer' };

const LOOK_MS = 200;

/** Writes what has changed from `before` to `after` into the store, and tries until it is there. */
export const changeConfig = async (
  store: ConfigStore,
  { before, after }: { readonly before: JsonObject; readonly after: JsonObject },
  limitMs: number,
): Promise<ConfigChange> => {
  const change = diffConfig(before, after);
  if (Object.keys(change).length === 0) return { kind: 'not-needed' };
  const begun = performance.now();
  /** A write without an answer may have been carried out: then the document says so. */
  let written: readonly string[] | undefined;
  do {
    const found = await store.read();
    if (found !== undefined) {
      const { config } = found;
      const next = config === undefined ? undefined : mergeConfig(config.value, change);
      if (config === undefined || next === undefined || next === config.value)
        return written === undefined
          ? { kind: 'not-needed' }
          : { kind: 'written', changes: written };
      written = describeConfigChange(config.value, next);
      if (await store.replace(config, next)) return { kind: 'written', changes: written };
    }
    await sleep(LOOK_MS);
  } while (performance.now() - begun < limitMs);
  return { kind: 'no-answer' };
};

export interface Carrying {
  readonly paths: LocalPaths;
  /** What cluster.yaml says, and what it said when it was last carried into the cluster. */
  readonly now: AppliedConfig;
  readonly applied: AppliedConfig | undefined;
  readonly print: (line: string) => void;
  readonly printError: (line: string) => void;
}

/** How long `up` waits for etcd before it starts the members with what the cluster knew before. */
const CARRY_LIMIT_MS = 15_000;

/** What has changed in cluster.yaml since the last time is written into the cluster, and said. */
export const carryChanges = async (
  { now, applied, paths, print, printError }: Carrying,
  store: ConfigStore,
  limitMs = CARRY_LIMIT_MS,
): Promise<void> => {
  const before = applied?.dynamic ?? now.dynamic;
  const change = await changeConfig(store, { before, after: now.dynamic }, limitMs);
  if (change.kind === 'no-answer')
    return printError(
      `${now.file} has changed, but etcd does not answer: ` +
        'the next `up` carries it into the cluster',
    );
  if (change.kind === 'written') print(`${now.file} has changed: ${change.changes.join(', ')}`);
  try {
    writeApplied(paths, now);
  } catch (error) {
    // The cluster has begun to start by now: the next time only does it once more.
    printError(`${paths.applied}: cannot be written (${String(error)})`);
  }
};
