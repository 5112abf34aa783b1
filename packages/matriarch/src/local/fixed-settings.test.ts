/**
 * What a cluster.yaml can no longer change: each is told with the way out, and nothing else is in the
 * way.
 */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { parseClusterConfig } from '@matriarch/protocol';
import { describe, expect, it } from 'vitest';
import { type AppliedConfig, appliedOf, writeApplied } from './applied-config.ts';
import { localPaths, memberPaths } from './directories.ts';
import { findFixedSettings } from './fixed-settings.ts';
import type { LocalPlan } from './plan.ts';
import { openTemporaryDirectory } from './testing/temporary-directory.ts';

const FILE = '/etc/herd/cluster.yaml';

const parse = (text: string) => {
  const { config, mistakes } = parseClusterConfig({ text, file: FILE, environment: {} });
  if (config === undefined) throw new Error(JSON.stringify(mistakes));
  return config;
};

const PLAN: LocalPlan = {
  members: {
    pg1: { postgresql: 1, rest: 2 },
    pg2: { postgresql: 3, rest: 4 },
    pg3: { postgresql: 5, rest: 6 },
  },
  etcd: [1, 2, 3].map((number) => ({ client: number, peer: number + 10 })),
  haproxy: { write: 1, read: 2, stats: 3 },
  pgbouncer: 4,
  wanted: {},
};

const BEFORE = 'cluster: demo\nmembers: 3\n';

const find = (
  text: string,
  { plan = PLAN, parent = openTemporaryDirectory() }: { plan?: LocalPlan; parent?: string } = {},
) => {
  const config = parse(text);
  const paths = localPaths(join(parent, config.cluster));
  for (const name of Object.keys(plan.members))
    mkdirSync(memberPaths(paths.state, name).data, { recursive: true });
  const applied: AppliedConfig = appliedOf(parse(BEFORE), FILE);
  return findFixedSettings({ config, file: FILE, paths }, { plan, applied });
};

const nothing = { refused: [], warnings: [] };

describe('a file', () => {
  it.each([
    ['is what it was', BEFORE],
    ['has other settings', `${BEFORE}timing: { ttl: 20 }\nhaproxy: { write_port: 6000 }\n`],
    ['has one member more', 'cluster: demo\nmembers: 4\n'],
  ])('that %s is taken', (_name, text) => {
    expect(find(text)).toEqual(nothing);
  });

  it('that leaves out a member with data is refused', () => {
    const { refused } = find('cluster: demo\nmembers: 2\n');
    expect(refused).toEqual([
      expect.stringMatching(
        /^\/etc\/herd\/cluster\.yaml: members: pg3 is no member any more, but its data is in .*pg3; put it back/,
      ),
    ]);
  });

  it('that leaves out a member whose data was removed is taken', () => {
    const { pg3: _gone, ...members } = PLAN.members;
    expect(find('cluster: demo\nmembers: 2\n', { plan: { ...PLAN, members } })).toEqual(nothing);
  });

  it('that looks for the cluster elsewhere is refused', () => {
    expect(find(`${BEFORE}namespace: other\n`).refused).toEqual([
      expect.stringContaining(
        'namespace: cannot change any more: the cluster is kept under service',
      ),
    ]);
    expect(find(`${BEFORE}etcd: { endpoints: ["e:2379"] }\n`).refused).toEqual([
      expect.stringContaining('remove the endpoints'),
    ]);
  });

  it('that wants another number of etcd members is told that they stay', () => {
    expect(find(`${BEFORE}etcd: { members: 1 }\n`)).toEqual({
      refused: [],
      warnings: [expect.stringContaining('etcd.members: the cluster has 3 etcd members')],
    });
  });
});

describe('a file whose cluster has another name', () => {
  const rename = (plan: LocalPlan | undefined) => {
    const parent = openTemporaryDirectory();
    const old = localPaths(join(parent, 'demo'));
    mkdirSync(old.state);
    writeApplied(old, appliedOf(parse(BEFORE), FILE));
    const config = parse('cluster: other\nmembers: 3\n');
    const paths = localPaths(join(parent, 'other'));
    return findFixedSettings({ config, file: FILE, paths }, { plan, applied: undefined });
  };

  it('begins a new one, and is told where the other one is', () => {
    const { refused, warnings } = rename(undefined);
    expect(refused).toEqual([]);
    expect(warnings).toEqual([expect.stringMatching(/cluster: was demo before, .*demo; a new/)]);
  });

  it('is told once: the other one has begun', () => {
    expect(rename(PLAN)).toEqual(nothing);
  });
});

describe('what nobody knows of', () => {
  it('stands in nobody’s way', () => {
    const paths = localPaths('/no/such/place/demo');
    const now = { config: parse(BEFORE), file: FILE, paths };
    expect(findFixedSettings(now, { plan: undefined, applied: undefined })).toEqual(nothing);
  });
});
