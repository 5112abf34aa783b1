/**
 * From a file, or from the directory somebody stands in, to the cluster. As root everything happens
 * as an ordinary user, so that the state lies below a temporary directory.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { localPaths } from './directories.ts';
import { openCluster, readClusterFile } from './open-cluster.ts';
import type { LocalPlan } from './plan.ts';
import { startTicksOf } from './process-tree.ts';
import { asOrdinaryUser } from './testing/as-ordinary-user.ts';
import { openTemporaryDirectory } from './testing/temporary-directory.ts';

const plan: LocalPlan = {
  members: { pg1: { postgresql: 101, rest: 102 } },
  etcd: [{ client: 103, peer: 104 }],
  haproxy: { write: 105, read: 106, stats: 107 },
  pgbouncer: 108,
  wanted: {},
};

/** A directory of a user, who stands in it until the test ends. */
const standInDirectory = (): string => {
  const directory = openTemporaryDirectory();
  const before = process.cwd();
  process.chdir(directory);
  onTestFinished(() => process.chdir(before));
  return directory;
};

const writeCluster = (file: string, name = 'demo'): string => {
  writeFileSync(file, `cluster: ${name}\nmembers: 1\n`);
  return file;
};

const startedIn = (directory: string, name: string) => {
  const paths = localPaths(join(directory, '.matriarch', name));
  mkdirSync(paths.state, { recursive: true });
  writeFileSync(paths.plan, JSON.stringify(plan));
  return paths;
};

const open = (file?: string) => asOrdinaryUser(() => openCluster(file));

describe('a file', () => {
  it('is read, and its mistakes are said with their places', () => {
    const directory = openTemporaryDirectory();
    const good = writeCluster(join(directory, 'good.yaml'));
    expect(readClusterFile(good)).toMatchObject({ kind: 'read', file: good, warnings: [] });
    const bad = join(directory, 'bad.yaml');
    writeFileSync(bad, 'cluster: demo\nmembrs: 1\nmembers: 0\n');
    const read = readClusterFile(bad);
    expect(read.kind).toBe('wrong');
    const message = read.kind === 'wrong' ? read.message : '';
    expect(message).toContain(`${bad}:3:1: members`);
    // A slip of the hand is told with the rest, not in the next attempt.
    expect(message).toContain(`${bad}:2:1: membrs: is not a known key; did you mean "members"?`);
  });

  it('comes with its warnings', () => {
    const file = join(openTemporaryDirectory(), 'a.yaml');
    writeFileSync(file, 'cluster: demo\nmembers: 1\netcd: { members: 2 }\n');
    const read = readClusterFile(file);
    expect(read.kind === 'read' ? read.warnings : []).toHaveLength(1);
    expect(read.kind === 'read' ? read.warnings[0] : '').toContain(`${file}:3:`);
  });

  it.each(['missing.yaml', '.'])('%s that cannot be read is named', (name) => {
    const file = join(openTemporaryDirectory(), name);
    const read = readClusterFile(file);
    expect(read.kind === 'wrong' ? read.message : '').toContain(`${file}: cannot be read`);
  });
});

describe('a cluster', () => {
  it('is opened by its file, with the ports it really has', () => {
    const directory = standInDirectory();
    const file = writeCluster(join(directory, 'a.yaml'));
    const paths = startedIn(directory, 'demo');
    const opened = open('a.yaml');
    expect(opened).toMatchObject({
      kind: 'open',
      file,
      config: {
        members: [{ name: 'pg1', postgresqlPort: 101, restPort: 102 }],
        etcd: { kind: 'external', endpoints: ['http://127.0.0.1:103'] },
        haproxy: { writePort: 105 },
      },
      paths: { state: paths.state, plan: paths.plan },
    });
  });

  it('that was never started here is refused', () => {
    const directory = standInDirectory();
    writeCluster(join(directory, 'a.yaml'));
    const opened = open('a.yaml');
    expect(opened.kind === 'wrong' ? opened.message : '').toContain(
      'cluster demo was never started here: `matriarch up a.yaml` does',
    );
  });

  it('that has begun beside its file is found from elsewhere', () => {
    const home = openTemporaryDirectory();
    const file = writeCluster(join(home, 'a.yaml'));
    const { state } = startedIn(home, 'demo');
    standInDirectory();
    expect(open(file)).toMatchObject({ kind: 'open', file, paths: { state } });
  });

  it('that has begun where somebody stands comes first', () => {
    const home = openTemporaryDirectory();
    const file = writeCluster(join(home, 'a.yaml'));
    startedIn(home, 'demo');
    const { state } = startedIn(standInDirectory(), 'demo');
    expect(open(file)).toMatchObject({ kind: 'open', paths: { state } });
  });

  it('of several hosts has no state here', () => {
    const directory = standInDirectory();
    const members = [1, 2].map(
      (number) => `  - { name: pg${number}, host: 10.0.0.${number}, data_dir: /srv/data }\n`,
    );
    const secret = (name: string): string => `  ${name}: { environment: SECRET }\n`;
    writeFileSync(
      join(directory, 'a.yaml'),
      `cluster: demo\nmembers:\n${members.join('')}etcd: { endpoints: [10.0.0.1:2379] }\n` +
        `secrets:\n${['superuser', 'replication', 'restapi'].map(secret).join('')}`,
    );
    expect(open('a.yaml')).toMatchObject({ kind: 'open', paths: undefined });
  });

  it('with a wrong file is refused with its mistakes', () => {
    const directory = standInDirectory();
    writeFileSync(join(directory, 'a.yaml'), 'members: 1\n');
    expect(open('a.yaml')).toMatchObject({ kind: 'wrong' });
  });
});

describe('without a file', () => {
  it('it is the cluster.yaml that lies here', () => {
    const directory = standInDirectory();
    const file = writeCluster(join(directory, 'cluster.yaml'));
    startedIn(directory, 'demo');
    expect(open()).toMatchObject({ kind: 'open', file });
  });

  it('it is rather what was started from here, whatever its file is called', () => {
    const directory = standInDirectory();
    writeCluster(join(directory, 'cluster.yaml'));
    const file = writeCluster(join(directory, 'other.yaml'), 'other');
    startedIn(directory, 'demo');
    const { lock } = startedIn(directory, 'other');
    writeFileSync(
      lock,
      JSON.stringify({ pid: 1, startTicks: '1', file, workingDirectory: directory }),
    );
    expect(open()).toMatchObject({ kind: 'open', file, config: { cluster: 'other' } });
  });

  it('one that runs counts before one that was killed', () => {
    const directory = standInDirectory();
    for (const name of ['a', 'b', 'c']) {
      const file = writeCluster(join(directory, `${name}.yaml`), name);
      const startTicks = name === 'b' ? startTicksOf(process.pid) : '1';
      writeFileSync(
        startedIn(directory, name).lock,
        JSON.stringify({ pid: process.pid, startTicks, file, workingDirectory: directory }),
      );
    }
    expect(open()).toMatchObject({ config: { cluster: 'b' } });
  });

  it('one that was started from elsewhere does not count', () => {
    const directory = standInDirectory();
    const file = writeCluster(join(directory, 'other.yaml'), 'other');
    writeFileSync(
      startedIn(directory, 'other').lock,
      JSON.stringify({ pid: 1, startTicks: '1', file, workingDirectory: '/srv/elsewhere' }),
    );
    expect(open()).toMatchObject({ kind: 'wrong' });
  });

  it('and without anything here it says how to begin', () => {
    standInDirectory();
    const opened = open();
    expect(opened.kind === 'wrong' ? opened.message : '').toContain('there is no cluster here');
  });
});
