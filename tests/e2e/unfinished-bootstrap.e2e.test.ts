/**
 * The member that makes a new cluster dies in the middle of it, at several points. Whoever comes next
 * begins again from nothing, and in the end there is one cluster, with nothing left of the others.
 */
import { existsSync, readdirSync } from 'node:fs';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { type Cluster, startCluster } from './harness/cluster.ts';
import type { Member } from './harness/member.ts';

let cluster: Cluster;

beforeEach(async () => {
  cluster = await startCluster({ members: 2, idle: true });
});
afterEach(async () => {
  await cluster?.close();
});

/** Looks without rest, for the moment is short, and cuts the power then. */
const killWhen = async (member: Member, what: string, isIt: () => boolean): Promise<void> => {
  member.start();
  await cluster.waitUntil(what, isIt, { intervalMs: 1 });
  await member.kill('host');
};

const isInitialising = (member: Member): boolean =>
  existsSync(`${member.dataDirectory}.new/PG_VERSION`) &&
  member.processes().some(({ commandLine }) => commandLine.includes('/initdb '));

const isPrivate = (member: Member): boolean =>
  member.serverProcesses().some(({ commandLine }) => commandLine.includes('/private'));

const expectOneCluster = async (): Promise<void> => {
  const primary = await cluster.untilWell();
  const load = await cluster.write();
  await load.stop();
  await cluster.untilWell();
  expect(await load.account(primary)).toMatchObject({ lost: [], failed: 0 });
  const identifiers = await Promise.all(
    cluster.members.map(async (member) => (await member.status())?.database_system_identifier),
  );
  expect(new Set(identifiers).size).toBe(1);
  for (const { stateDirectory } of cluster.members) {
    const left = readdirSync(stateDirectory);
    expect(left.filter((name) => /unfinished|new-ready|password/u.test(name))).toEqual([]);
  }
};

it('is begun again by the same member, wherever it was killed', async () => {
  const first = cluster.member(0);
  await killWhen(first, 'initdb', () => isInitialising(first));
  await killWhen(first, 'a server that only the agent can reach', () => isPrivate(first));
  first.start();
  await cluster.untilPrimary();
  cluster.member(1).start();
  await expectOneCluster();
  expect(first.events('cluster.initialised')).toHaveLength(1);
});

it('is begun again by another member, and the first one clones from that', async () => {
  const first = cluster.member(0);
  const second = cluster.member(1);
  await killWhen(first, 'a server that only the agent can reach', () => isPrivate(first));
  second.start();
  await cluster.untilPrimary((member) => member === second);
  first.start();
  await expectOneCluster();
  expect(first.events('cluster.initialised')).toHaveLength(0);
  expect(first.events('member.cloning')).toHaveLength(1);
});
