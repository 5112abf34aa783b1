/**
 * What a cluster.yaml can no longer change, because the cluster was made with it: told before
 * anything is started, with the way out.
 */
import { existsSync, readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { type ClusterConfig, formatMistake } from '@matriarch/protocol';
import { type AppliedConfig, readApplied } from './applied-config.ts';
import { type LocalPaths, localPaths, memberPaths } from './directories.ts';
import type { LocalPlan } from './plan.ts';

export interface FixedSettings {
  readonly refused: readonly string[];
  readonly warnings: readonly string[];
}

interface Before {
  readonly plan: LocalPlan | undefined;
  readonly applied: AppliedConfig | undefined;
}

interface Now {
  readonly config: ClusterConfig;
  /** Where the file is, whatever it was called on the command line. */
  readonly file: string;
  readonly paths: LocalPaths;
}

const ANEW = 'or begin anew with `matriarch destroy --yes`';

export const findFixedSettings = (now: Now, before: Before): FixedSettings => ({
  refused: [...findMovedStore(now, before), ...findMissingMembers(now, before)],
  warnings: [...findOtherEtcd(now, before), ...findOtherName(now, before)],
});

/** Members find their cluster in one place of one store. */
const findMovedStore = ({ config, file }: Now, { applied }: Before): string[] => {
  if (applied === undefined) return [];
  const moved: string[] = [];
  if (applied.namespace !== config.namespace)
    moved.push(
      formatMistake({
        file,
        path: 'namespace',
        message: `cannot change any more: the cluster is kept under ${applied.namespace}`,
        fix: `write namespace: ${applied.namespace}, ${ANEW}`,
      }),
    );
  if (applied.etcd !== config.etcd.kind)
    moved.push(
      formatMistake({
        file,
        path: 'etcd.endpoints',
        message:
          applied.etcd === 'local'
            ? 'the cluster is kept in the etcd that `up` starts, and cannot move to another one'
            : 'the cluster is kept in an etcd of its own, and cannot move to another one',
        fix:
          applied.etcd === 'local'
            ? `remove the endpoints, ${ANEW}`
            : `name its endpoints again, ${ANEW}`,
      }),
    );
  return moved;
};

/** Who is not started cannot be asked what only it has: the last primary may be among them. */
const findMissingMembers = ({ config, file, paths }: Now, { plan }: Before): string[] => {
  const names = new Set<string>(config.members.map(({ name }) => name));
  return Object.keys(plan?.members ?? {}).flatMap((name) => {
    const { data, directory } = memberPaths(paths.state, name);
    if (names.has(name) || !existsSync(data)) return [];
    const message = `${name} is no member any more, but its data is in ${directory}`;
    const fix =
      'put it back; once another member is the primary and the cluster is down, ' +
      'remove that directory to leave it out';
    return [formatMistake({ file, path: 'members', message, fix })];
  });
};

/** Its members know each other by name and number. */
const findOtherEtcd = ({ config, file }: Now, { plan }: Before): string[] => {
  const { etcd } = config;
  const count = plan?.etcd.length ?? 0;
  if (etcd.kind !== 'local' || count === 0 || etcd.members === count) return [];
  const message = `the cluster has ${count} etcd members, and stays with them`;
  return [formatMistake({ file, path: 'etcd.members', message, fix: `write members: ${count}` })];
};

/** Another name is another cluster, which is not what everybody expects who changes it. */
const findOtherName = ({ config, file, paths }: Now, { plan }: Before): string[] => {
  if (plan !== undefined) return [];
  const others = listNames(dirname(paths.state)).filter(
    (name) =>
      name !== config.cluster &&
      readApplied(localPaths(join(dirname(paths.state), name)).applied)?.file === file,
  );
  return others.map((name) =>
    formatMistake({
      file,
      path: 'cluster',
      message: `was ${name} before, whose data stays in ${join(dirname(paths.state), name)}`,
      fix: `a new cluster ${config.cluster} begins; write cluster: ${name} for the other one`,
    }),
  );
};

const listNames = (parent: string): readonly string[] => {
  try {
    return readdirSync(parent);
  } catch {
    return [];
  }
};
