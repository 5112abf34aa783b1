import { join } from 'node:path';
import type { StoreSnapshot } from '@matriarch/core';
import type { ClusterConfig } from '@matriarch/protocol';
import { findRunningChildren } from '../local/child-records.ts';
import { type LocalPaths, memberPaths } from '../local/directories.ts';
import type { DrillCluster } from './drill-cluster.ts';
import { hold, letGo } from './processes.ts';

export interface UpParts {
  readonly config: ClusterConfig;
  readonly paths: LocalPaths;
  readonly secrets: ReadonlyMap<string, string>;
  readonly snapshot: () => Promise<StoreSnapshot | undefined>;
}

/** The cluster of an `up`, of this process or of another one: what it runs is on disk. */
export const drillClusterOf = ({ config, paths, secrets, snapshot }: UpParts): DrillCluster => ({
  config,
  secrets,
  snapshot,
  pidOf: ({ kind, name }) =>
    findRunningChildren(paths.children).find((child) => child.kind === kind && child.name === name)
      ?.pid,
  dataDirectory: (member) =>
    config.members.find(({ name }) => name === member)?.dataDirectory ??
    memberPaths(paths.state, member).data,
  journalFile: (member) => join(memberPaths(paths.state, member).stateDirectory, 'journal.jsonl'),
  hold: (member) => hold(paths.held, member),
  letGo: (member) => letGo(paths.held, member),
});
