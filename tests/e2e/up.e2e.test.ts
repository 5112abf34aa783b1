/**
 * `matriarch up` as a newcomer meets it: a file of five lines, one command, and what it prints is
 * typed in again. Then all that can happen to it: ports that are taken, a second one, Ctrl-C, a
 * closed terminal, kill -9, wrong files, missing programs. The scenes build on each other: it is one
 * cluster, whose data has to be there in the end.
 */
import { once } from 'node:events';
import {
  chmodSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { Client } from 'pg';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { findServerAccount } from './harness/account.ts';
import { signal } from './harness/processes.ts';
import { waitFor, waitUntil } from './harness/wait.ts';
import { type Running, UpBench } from './local/up-bench.ts';

const isRoot = process.geteuid?.() === 0;

interface ListedMember {
  readonly Member: string;
  readonly Role: string;
  readonly State: string;
  readonly Host: string;
}

const list = async (bench: UpBench): Promise<readonly ListedMember[]> => {
  const { status, out, err } = await bench.run('list', '--format', 'json');
  if (status !== 0) throw new Error(err);
  return JSON.parse(out) as readonly ListedMember[];
};

const leaderOf = async (bench: UpBench): Promise<string> => {
  const leader = (await list(bench)).find(({ Role }) => Role === 'Leader');
  if (leader === undefined) throw new Error('there is no leader');
  return leader.Member;
};

/** The command line behind `write:` or `read:`. */
const printed = ({ out }: Running, word: string): string => {
  const line = out.split('\n').find((one) => one.startsWith(`${word}:`));
  if (line === undefined) throw new Error(`no line "${word}:" in\n${out}`);
  return line.slice(word.length + 1).trim();
};

/** Everything as a person sees it who waits for the end of the output. */
const READY = 'Ctrl-C stops it; the data stays.';

describe('up', () => {
  let bench: UpBench;
  let up: Running;
  const taken = createServer();

  const start = async (): Promise<Running> => {
    up = bench.start('up');
    await up.until(READY);
    return up;
  };

  /** Undefined: it is down right now. A record goes with its process and comes with the next one. */
  const findChild = (record: string): number | undefined => {
    try {
      const text = readFileSync(join(bench.paths.children, `${record}.json`), 'utf8');
      return (JSON.parse(text) as { readonly pid: number }).pid;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
      throw error;
    }
  };

  const childPid = (record: string): number => {
    const pid = findChild(record);
    if (pid === undefined) throw new Error(`${record} does not run`);
    return pid;
  };

  const untilReplaced = (record: string, old: number): Promise<void> =>
    waitUntil(`another ${record}`, () => ![undefined, old].includes(findChild(record)));

  const countAgents = (): number =>
    bench.processes().filter(({ commandLine }) => commandLine.includes(' agent ')).length;

  beforeAll(async () => {
    // Somebody's PostgreSQL is on this machine already.
    taken.on('error', () => undefined);
    taken.listen(5432, '127.0.0.1');
    await Promise.race([once(taken, 'listening'), once(taken, 'error')]);
    bench = new UpBench();
    bench.write(
      'cluster.yaml',
      [
        `cluster: ${bench.cluster}`,
        'members: 3',
        'postgresql:',
        '  parameters:',
        '    work_mem: 5MB',
        '',
      ].join('\n'),
    );
  });
  afterAll(async () => {
    taken.close();
    await bench.close();
  });
  afterEach(({ task }) => {
    if ((task.result?.errors ?? []).length > 0) console.error(`${up.out}\n${up.err}`);
  });

  it('that is ended while it begins is gone soon, and is no harm to the next one', async () => {
    up = bench.start('up');
    await up.until('waiting for');
    expect(await up.stop()).toMatchObject({ status: 0 });
    expect(up.out).toContain('stopped');
    expect(bench.processes()).toEqual([]);
  });

  it('tells how it comes along, who is what, and how to get in', async () => {
    await start();
    expect(up.out).toMatch(/\d\.\d s {2}.*primary/);
    expect(up.out).toMatch(/^\+ Cluster: /m);
    expect(up.out.match(/\| +streaming +\|/g)).toHaveLength(2);
    expect(up.err).toBe('');
  });

  it('takes the next free port where somebody listens', () => {
    const { haproxy } = bench.plan();
    expect(haproxy.write).toBeGreaterThan(5432);
    expect(printed(up, 'write')).toContain(`port=${haproxy.write} `);
    expect(printed(up, 'read')).toContain(`port=${haproxy.read} `);
  });

  it('prints lines for psql that work as they are', async () => {
    const write = printed(up, 'write');
    expect(await bench.paste(write, 'select pg_is_in_recovery()')).toBe('f');
    expect(await bench.paste(write, 'show work_mem')).toBe('5MB');
    await bench.paste(write, "create table notes (text text); insert into notes values ('first')");
    const read = printed(up, 'read');
    expect(await bench.paste(read, 'select pg_is_in_recovery()')).toBe('t');
    await waitUntil('the row on a replica', async () => {
      const seen = await bench.paste(read, 'select text from notes').catch(() => '');
      return seen === 'first';
    });
  });

  it('offers the database twice at PgBouncer', async () => {
    const recovery = async (database: string): Promise<unknown> => {
      const client = new Client({
        host: '127.0.0.1',
        port: bench.plan().pgbouncer,
        user: 'postgres',
        password: bench.secret('superuser'),
        database,
      });
      await client.connect();
      try {
        const { rows } = await client.query('select pg_is_in_recovery() as is_replica');
        return (rows as { is_replica: unknown }[])[0]?.is_replica;
      } finally {
        await client.end();
      }
    };
    expect(await recovery('postgres_write')).toBe(false);
    expect(await recovery('postgres_read')).toBe(true);
  });

  it('keeps its secrets to itself', () => {
    const secrets = readdirSync(bench.paths.secrets).map((name) => bench.secret(name));
    expect(secrets.length).toBeGreaterThanOrEqual(3);
    for (const { commandLine } of bench.processes())
      for (const secret of secrets) expect(commandLine).not.toContain(secret);
    for (const secret of secrets) expect(up.out).not.toContain(secret);
  });

  it('is found by list, which has patronictl’s columns', async () => {
    const { status, out } = await bench.run('list');
    expect(status).toBe(0);
    expect(
      out
        .split('\n')[1]
        ?.split('|')
        .map((cell) => cell.trim()),
    ).toEqual('|Member|Host|Role|State|TL|Receive LSN|Lag|Replay LSN|Lag|'.split('|'));
    const members = await list(bench);
    expect(members.map(({ Member }) => Member)).toEqual(['pg1', 'pg2', 'pg3']);
    expect(members.map(({ State }) => State).sort()).toEqual(['running', 'streaming', 'streaming']);
    const named = await bench.run('list', '-c', 'cluster.yaml', '--format', 'json');
    expect(JSON.parse(named.out)).toHaveLength(3);
    const { out: lines } = await bench.run('list', '--format', 'tsv');
    expect(lines).toMatch(/^Cluster\tMember\tHost\tRole\tState\tTL\tReceive LSN\tReceive Lag\t/);
    expect(lines.trimEnd().split('\n')).toHaveLength(4);
  });

  it('refuses a second one, and the first goes on', async () => {
    const second = await bench.run('up');
    expect(second.status).toBe(3);
    expect(second.err).toContain(`is already up (process ${up.pid})`);
    expect(await bench.paste(printed(up, 'write'), 'select 1')).toBe('1');
  });

  it('refuses a second proxy, which would end the doors of the first', async () => {
    const second = await bench.run('proxy');
    expect(second.status).toBe(3);
    expect(second.err).toContain(`a proxy of cluster ${bench.cluster} runs already`);
    expect(await bench.paste(printed(up, 'write'), 'select 1')).toBe('1');
  });

  it('refuses a switchover that cannot be', async () => {
    const leader = await leaderOf(bench);
    const replica = (await list(bench)).find(({ Role }) => Role === 'Replica')?.Member ?? '';
    const tries = [
      [2, `${replica} is not the primary, ${leader} is`, 'switchover', '--leader', replica],
      [2, 'a failover needs --candidate NAME', 'failover', '--force'],
      [3, 'switchover refused', 'switchover', '--candidate', 'pg9', '--force'],
      [1, 'nothing was changed', 'switchover'],
    ] as const;
    for (const [status, message, ...args] of tries) {
      const ended = await bench.run(...args);
      expect([ended.status, ended.err.includes(message) ? message : ended.err]).toEqual([
        status,
        message,
      ]);
    }
    expect(await leaderOf(bench)).toBe(leader);
  });

  it('switches over, and history tells of it', async () => {
    const leader = await leaderOf(bench);
    const ended = await bench.run('switchover', '--force');
    expect(ended).toMatchObject({ status: 0 });
    const next = await leaderOf(bench);
    expect(next).not.toBe(leader);
    expect(ended.out).toContain(`Successfully switched over to "${next}"`);
    const rows = await waitFor('a row of the history', async () => {
      const { out } = await bench.run('history', '--format', 'json');
      const read = JSON.parse(out) as { TL: number; 'New Leader': string }[];
      return read.some((row) => row['New Leader'] === next) ? read : undefined;
    });
    expect(rows.at(-1)).toMatchObject({ 'New Leader': next });
    const { out } = await bench.run('history');
    expect(
      out
        .split('\n')[1]
        ?.split('|')
        .map((cell) => cell.trim()),
    ).toEqual('|TL|LSN|Reason|Timestamp|New Leader|'.split('|'));
    const write = printed(up, 'write');
    await bench.paste(write, "insert into notes values ('after the switchover')");
  });

  it('starts again what dies, unless it is held down', async () => {
    const first = childPid('store.etcd3');
    signal(first, 'SIGKILL');
    await untilReplaced('store.etcd3', first);
    expect(up.out).toContain('etcd3 ended (SIGKILL)');
    // Its etcd is of the same host.
    writeFileSync(join(bench.paths.held, 'pg3'), '');
    signal(childPid('store.etcd3'), 'SIGKILL');
    await waitUntil('its end', () => up.out.split('etcd3 ended').length === 3);
    // A second and more: until another one that is not held has come back.
    const other = childPid('store.etcd2');
    signal(other, 'SIGKILL');
    await untilReplaced('store.etcd2', other);
    expect(findChild('store.etcd3')).toBeUndefined();
    rmSync(join(bench.paths.held, 'pg3'));
    await waitUntil('it', () => findChild('store.etcd3') !== undefined);
  });

  it('ends with everything it has started, and leaves the data', async () => {
    expect(await up.stop()).toMatchObject({ status: 0, err: '' });
    expect(up.out.trim().split('\n').slice(-2)).toEqual(['stopping …', 'stopped']);
    expect(bench.processes()).toEqual([]);
    expect(readdirSync(bench.paths.children)).toEqual([]);
    const { status, err } = await bench.run('list');
    expect(status).toBe(1);
    expect(err).toContain('is the cluster up?');
  });

  it('goes on with the same data, at the same ports', async () => {
    const before = bench.plan();
    await start();
    expect(bench.plan()).toEqual(before);
    const seen = await bench.paste(printed(up, 'write'), 'select count(*) from notes');
    expect(seen).toBe('2');
  });

  it('carries what has changed in its file into the cluster', async () => {
    await up.stop();
    const file = join(bench.directory, 'cluster.yaml');
    const text = readFileSync(file, 'utf8');
    writeFileSync(file, text.replace('work_mem: 5MB', 'work_mem: 6MB\n    max_connections: 110'));
    await start();
    expect(up.out).toContain(
      `${file} has changed: postgresql.parameters.work_mem 5MB → 6MB, ` +
        'postgresql.parameters.max_connections not set → 110\n',
    );
    for (const word of ['write', 'read']) {
      expect(await bench.paste(printed(up, word), 'show work_mem')).toBe('6MB');
      expect(await bench.paste(printed(up, word), 'show max_connections')).toBe('110');
    }
  });

  it('refuses a file that leaves out a member with data', async () => {
    await up.stop();
    const file = join(bench.directory, 'cluster.yaml');
    const text = readFileSync(file, 'utf8');
    writeFileSync(file, text.replace('members: 3', 'members: 2'));
    const ended = await bench.run('up');
    writeFileSync(file, text);
    expect(ended.status).toBe(3);
    expect(ended.err).toContain('pg3 is no member any more, but its data is in');
    await start();
  });

  it('leaves a cluster that serves on when it is killed, and the next one takes its place', async () => {
    const write = printed(up, 'write');
    expect(await up.stop('SIGKILL')).toMatchObject({ status: null });
    await bench.paste(write, "insert into notes values ('without up')");
    expect(await list(bench)).toHaveLength(3);
    await start();
    expect(up.out).toMatch(/an earlier `up` was killed and had left proxy, .*etcd3: ended/);
    // Each member has one guard and one loop: nobody works twice.
    expect(countAgents()).toBe(3);
    expect(printed(up, 'write')).toBe(write);
    expect(await bench.paste(write, 'select count(*) from notes')).toBe('3');
  });

  it('is cleared up by down when it was killed, and its proxy, too', async () => {
    const proxy = childPid('proxy.proxy');
    await up.stop('SIGKILL');
    signal(proxy, 'SIGKILL');
    const ended = await bench.run('down');
    expect(ended.status).toBe(0);
    expect(ended.out).toMatch(/its `up` was gone and had left haproxy, pgbouncer, pg/);
    expect(bench.processes()).toEqual([]);
    expect(await bench.run('down')).toMatchObject({
      status: 0,
      out: `cluster ${bench.cluster} is not up\n`,
    });
  });

  it('is ended by down', async () => {
    await start();
    const ended = await bench.run('down');
    expect(ended).toMatchObject({ status: 0, out: `cluster ${bench.cluster} is down\n` });
    expect(await up.ended).toMatchObject({ status: 0 });
    expect(bench.processes()).toEqual([]);
  });

  it('is refused while somebody else has a port that cannot move', async () => {
    const other = createServer().listen(bench.plan().etcd[0]?.peer ?? 0, '127.0.0.1');
    await once(other, 'listening');
    const ended = await bench.run('up');
    other.close();
    expect(ended.status).toBe(1);
    expect(ended.err).toContain(`port ${bench.plan().etcd[0]?.peer ?? 0} is taken`);
    expect(bench.processes()).toEqual([]);
  });

  it('is destroyed only when that is meant, and then nothing is left', async () => {
    await start();
    const asked = await bench.run('destroy');
    expect(asked.status).toBe(2);
    expect(asked.err).toContain('add --yes');
    expect(await bench.paste(printed(up, 'write'), 'select count(*) from notes')).toBe('3');
    expect(await bench.run('destroy', '--yes')).toMatchObject({
      status: 0,
      out: `cluster ${bench.cluster} is gone\n`,
    });
    expect(await up.ended).toMatchObject({ status: 0 });
    expect(bench.leftovers()).toEqual([]);
  });
});

describe('up of an ordinary user, in a directory with a blank', () => {
  let bench: UpBench;

  beforeAll(() => {
    const account = isRoot ? findServerAccount() : undefined;
    bench = new UpBench({ account, name: 'a blank' });
    bench.write(
      'small.yaml',
      `cluster: ${bench.cluster}\nmembers: 1\netcd: { members: 1 }\npgbouncer: off\n`,
    );
  });
  afterAll(async () => bench.close());

  it('works as well, and stops cleanly with its terminal gone', async () => {
    const up = bench.start('up', 'small.yaml');
    await up.until(READY);
    expect(bench.paths.state).toBe(join(bench.directory, '.matriarch', bench.cluster));
    const write = printed(up, 'write');
    expect(await bench.paste(write, 'select pg_is_in_recovery()')).toBe('f');
    // Found by the directory, though its file has another name.
    expect(await list(bench)).toMatchObject([{ Member: 'pg1', Role: 'Leader' }]);
    up.child.stdout?.destroy();
    up.child.stderr?.destroy();
    expect(await up.stop('SIGHUP')).toMatchObject({ status: 0 });
    expect(bench.processes()).toEqual([]);
    expect(await bench.run('destroy', '-c', 'small.yaml', '--yes')).toMatchObject({ status: 0 });
    expect(bench.leftovers()).toEqual([]);
  });
});

describe('what cannot be started', () => {
  let bench: UpBench;

  beforeAll(() => {
    bench = new UpBench();
    bench.write('cluster.yaml', `cluster: ${bench.cluster}\nmembers: 1\n`);
  });
  afterAll(async () => bench.close());
  afterEach(() => {
    expect(bench.leftovers()).toEqual([]);
  });

  it('is a wrong file, whose mistakes are all told with their places', async () => {
    const file = bench.write(
      'wrong.yaml',
      `cluster: ${bench.cluster}\nmembrs: 3\nhaproxy:\n  write_port: 70000\n  read_port: -1\n`,
    );
    const ended = await bench.run('up', file);
    expect(ended.status).toBe(2);
    expect(ended.err).toContain(`${file}:4:`);
    expect(ended.err).toContain(`${file}:5:`);
    expect(ended.err).toContain('70000');
    expect(ended.out).toBe('');
  });

  it('is a file that is not there, or none', async () => {
    expect(await bench.run('up', 'missing.yaml')).toMatchObject({ status: 2 });
    const { status, err } = await bench.run('up', 'a.yaml', 'b.yaml');
    expect(status).toBe(2);
    expect(err).toContain('usage: matriarch up');
  });

  it('is a cluster of several hosts', async () => {
    const member = (number: number): string =>
      `  - { name: pg${number}, host: 10.0.0.${number}, data_dir: /srv/data }\n`;
    bench.write(
      'remote.yaml',
      `cluster: ${bench.cluster}\nmembers:\n${member(1)}${member(2)}` +
        'etcd: { endpoints: [10.0.0.1] }\n' +
        'secrets:\n' +
        ['superuser', 'replication', 'restapi']
          .map((name) => `  ${name}: { environment: SECRET }\n`)
          .join(''),
    );
    const ended = await bench.run('up', 'remote.yaml');
    expect(ended.status).toBe(2);
    expect(ended.err).toContain('`up` is for one machine');
  });

  it('names the package of a program that is missing', async () => {
    const path = join(bench.directory, 'bin');
    mkdirSync(path);
    symlinkSync('/usr/bin/setpriv', join(path, 'setpriv'));
    const ended = await bench.runWith({ PATH: path }, 'up');
    expect(ended.status).toBe(2);
    expect(ended.err).toContain('etcd is not installed: apt-get install etcd-server');
    // Servers are found where the PATH of ordinary users does not lead.
    expect(ended.err).not.toContain('haproxy');
    expect(ended.out).toBe('');
  });

  it('names the package of PostgreSQL', async () => {
    const file = bench.write(
      'nowhere.yaml',
      `cluster: ${bench.cluster}\nmembers: 1\npostgresql: { bin_dir: ${bench.directory} }\n`,
    );
    const ended = await bench.run('up', file);
    expect(ended.status).toBe(2);
    expect(ended.err).toContain(bench.directory);
    expect(ended.err).toContain('install the package postgresql-');
  });

  // An ordinary user runs PostgreSQL as themselves.
  it.runIf(isRoot)('names a user that PostgreSQL cannot run as', async () => {
    const file = bench.write(
      'user.yaml',
      `cluster: ${bench.cluster}\nmembers: 1\npostgresql: { user: nobody-of-that-name }\n`,
    );
    const ended = await bench.run('up', file);
    expect(ended.status).toBe(2);
    expect(ended.err).toContain('there is no user nobody-of-that-name');
  });

  it('says when a secret cannot be had', async () => {
    const file = bench.write(
      'secret.yaml',
      `cluster: ${bench.cluster}\nmembers: 1\n` +
        'secrets: { superuser: { environment: NOT_SET_FOR_THIS_TEST } }\n',
    );
    const ended = await bench.run('up', file);
    expect(ended.status).toBe(2);
    expect(ended.err).toContain('NOT_SET_FOR_THIS_TEST');
    rmSync(bench.paths.state, { recursive: true });
  });

  it('says when its files cannot be kept', async () => {
    const { state } = bench.paths;
    // Root may write anywhere: there a file is in the way.
    if (isRoot) writeFileSync(state, '');
    else chmodSync(bench.directory, 0o555);
    const ended = await bench.run('up');
    if (isRoot) rmSync(state);
    else chmodSync(bench.directory, 0o755);
    expect(ended.status).toBe(2);
    expect(ended.err).toContain(`${state}: the cluster cannot be kept there`);
  });

  it('has nothing to list, to stop or to destroy', async () => {
    for (const args of [['list'], ['history'], ['down'], ['destroy', '--yes']]) {
      const { status, err } = await bench.run(...args);
      expect([status, err]).toEqual([2, expect.stringContaining('was never started here')]);
    }
    rmSync(join(bench.directory, 'cluster.yaml'));
    const { status, err } = await bench.run('list');
    expect([status, err]).toEqual([2, expect.stringContaining('there is no cluster here')]);
  });
});
