/** The cluster.yaml of a private cluster is one as people write it: read without a mistake. */
import { parseClusterConfig } from '@matriarch/protocol';
import { expect, it } from 'vitest';
import { localPaths } from '../../local/directories.ts';
import { memberNames, renderClusterFile } from './cluster-file.ts';
import { planEnds } from './network-plan.ts';

it('names every host with its address, and every etcd', () => {
  const text = renderClusterFile('quorum', planEnds(memberNames(3)), localPaths('/state'));
  const parsed = parseClusterConfig({ text, file: 'cluster.yaml', environment: {} });
  expect([...parsed.mistakes, ...parsed.warnings]).toEqual([]);
  const { config } = parsed;
  expect(config).toMatchObject({
    isLocal: false,
    replication: { mode: 'quorum' },
    timing: { fastLease: true, ttlMs: 5_000 },
    drills: { allowed: true },
    etcd: {
      endpoints: ['http://10.77.1.11:2379', 'http://10.77.1.12:2379', 'http://10.77.1.13:2379'],
    },
    secrets: { superuser: { kind: 'file', path: '/state/secrets/superuser' } },
  });
  expect(
    config?.members.map(({ name, host, dataDirectory }) => [name, host, dataDirectory]),
  ).toEqual([
    ['pg1', '10.77.0.11', '/state/members/pg1/data'],
    ['pg2', '10.77.0.12', '/state/members/pg2/data'],
    ['pg3', '10.77.0.13', '/state/members/pg3/data'],
  ]);
});
