/** From a cluster.yaml, or from the directory somebody stands in, to the cluster as it runs. */
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { type ClusterConfig, formatMistakes, parseClusterConfig } from '@matriarch/protocol';
import { type LocalPaths, localPaths, stateDirectoryOf } from './directories.ts';
import { applyPlan, readPlan } from './plan.ts';
import { isRunning } from './process-tree.ts';
import { type UpRecord, readUpRecord } from './up-record.ts';

export const DEFAULT_FILE = 'cluster.yaml';

export type ReadCluster =
  | {
      readonly kind: 'read';
      readonly file: string;
      readonly config: ClusterConfig;
      readonly warnings: readonly string[];
    }
  | { readonly kind: 'wrong'; readonly message: string };

export const readClusterFile = (file: string): ReadCluster => {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    const cause = error instanceof Error ? error.message : String(error);
    return {
      kind: 'wrong',
      message:
        `${file}: cannot be read (${cause}); ` +
        'name a cluster.yaml, for example examples/minimal.yaml',
    };
  }
  const parsed = parseClusterConfig({ text, file, environment: process.env });
  if (parsed.config === undefined)
    return { kind: 'wrong', message: formatMistakes([...parsed.mistakes, ...parsed.warnings]) };
  return {
    kind: 'read',
    file: resolve(file),
    config: parsed.config,
    warnings: parsed.warnings.map((warning) => formatMistakes([warning])),
  };
};

/**
 * Where a local cluster is kept: below the directory somebody stands in, or, when it has begun
 * there, below that of its file. Nobody gets a second, empty one for standing elsewhere.
 */
export const findPaths = (cluster: string, file: string): LocalPaths => {
  const here = localPaths(stateDirectoryOf(cluster, process.cwd()));
  if (existsSync(here.plan)) return here;
  const beside = localPaths(stateDirectoryOf(cluster, dirname(file)));
  return existsSync(beside.plan) ? beside : here;
};

export interface OpenCluster {
  readonly kind: 'open';
  readonly file: string;
  /** With the ports, directories and endpoints that are in use. */
  readonly config: ClusterConfig;
  /** Undefined for a cluster of several machines. */
  readonly paths: LocalPaths | undefined;
}

/** The cluster a verb is about: `-c FILE`, else the one of this directory. */
export const openCluster = (
  file: string | undefined,
): OpenCluster | { readonly kind: 'wrong'; readonly message: string } => {
  const found = file ?? findClusterFile(process.cwd());
  if (found === undefined)
    return {
      kind: 'wrong',
      message:
        'there is no cluster here: ' +
        'name one with -c FILE, or begin one with `matriarch up FILE`',
    };
  const read = readClusterFile(found);
  if (read.kind === 'wrong') return read;
  if (!read.config.isLocal)
    return { kind: 'open', file: read.file, config: read.config, paths: undefined };
  const paths = findPaths(read.config.cluster, read.file);
  const plan = readPlan(paths);
  if (plan === undefined)
    return {
      kind: 'wrong',
      message:
        `cluster ${read.config.cluster} was never started here: ` +
        `\`matriarch up ${found}\` does`,
    };
  return { kind: 'open', file: read.file, config: applyPlan(read.config, plan, paths), paths };
};

/** The file of the `up` of this directory, else the cluster.yaml that lies here. */
const findClusterFile = (workingDirectory: string): string | undefined => {
  const records = [join(workingDirectory, '.matriarch'), '/var/lib/matriarch']
    .flatMap(listUpRecords)
    .filter((record) => record.workingDirectory === workingDirectory);
  // One that was killed has left its record; it counts when nothing else does.
  const record = records.find(isRunning) ?? records[0];
  if (record !== undefined) return record.file;
  const here = join(workingDirectory, DEFAULT_FILE);
  return existsSync(here) ? here : undefined;
};

const listUpRecords = (parent: string): UpRecord[] => {
  try {
    return readdirSync(parent).flatMap(
      (name) => readUpRecord(localPaths(join(parent, name)).lock) ?? [],
    );
  } catch {
    return [];
  }
};
