/**
 * The cluster-wide configuration as a person changes it: show-config and edit-config on a running
 * cluster. What they do is seen in PostgreSQL, in the members' list, and by patronictl where that is
 * installed. The scenes build on each other.
 */
import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { waitUntil } from './harness/wait.ts';
import { findPatronictl } from './local/patronictl.ts';
import { type Ended, type Running, UpBench } from './local/up-bench.ts';

const READY = 'Ctrl-C stops it; the data stays.';

describe('the configuration of a running cluster', () => {
  const bench = new UpBench({ name: 'config' });
  let up: Running;

  const edit = (...words: readonly string[]): Promise<Ended> => bench.run('edit-config', ...words);

  const editIn = (editor: string, ...words: readonly string[]): Promise<Ended> =>
    bench.runWith({ EDITOR: editor, TMPDIR: bench.directory }, 'edit-config', ...words);

  const show = async (): Promise<Record<string, unknown>> => {
    const { status, out, err } = await bench.run('show-config', '--format', 'json');
    if (status !== 0) throw new Error(err);
    return JSON.parse(out) as Record<string, unknown>;
  };

  const ask = async (sql: string): Promise<string> => {
    const line = up.out.split('\n').find((one) => one.startsWith('write:')) ?? '';
    return bench.paste(line.slice('write:'.length).trim(), sql);
  };

  const roles = async (): Promise<readonly string[]> => {
    const { out } = await bench.run('list', '--format', 'json');
    return (JSON.parse(out) as { readonly Role: string }[]).map(({ Role }) => Role).sort();
  };

  beforeAll(async () => {
    bench.write('cluster.yaml', `cluster: ${bench.cluster}\nmembers: 3\n`);
    up = bench.start('up');
    await up.until(READY);
  });
  afterAll(async () => {
    await bench.close();
  });

  it('has its replication mode changed by one command', async () => {
    expect(await ask('show synchronous_standby_names')).toBe('');
    const { status, out } = await edit('-s', 'synchronous_mode=quorum', '--force');
    expect([status, out]).toEqual([0, expect.stringContaining('+synchronous_mode: quorum\n')]);
    expect(out).toContain('Configuration changed');
    await waitUntil('commits to wait for a quorum', async () =>
      (await ask('show synchronous_standby_names')).startsWith('ANY 1'),
    );
    const expected = ['Leader', 'Quorum Standby', 'Quorum Standby'];
    await waitUntil('the list to say so', async () => {
      return (await roles()).join() === expected.join();
    });
    expect(await edit('-s', 'synchronous_mode=quorum', '--force')).toMatchObject({
      status: 0,
      out: 'Not changed\n',
    });
  });

  it.runIf(findPatronictl() !== undefined)('is what patronictl shows and changes', async () => {
    const patronictl = async (...words: readonly string[]): Promise<string> => {
      const port = bench.plan().etcd[0]?.client ?? 0;
      const file = bench.write('patronictl.yml', `etcd3: {hosts: '127.0.0.1:${port}'}\n`);
      const program = findPatronictl() ?? '';
      const running = bench.spawn(program, ['-c', file, ...words]);
      const { status, out, err } = await bench.finish(running);
      expect(status, err).toBe(0);
      return out;
    };
    const shown = await bench.run('show-config');
    expect((await patronictl('show-config', bench.cluster)).trimEnd()).toBe(shown.out.trimEnd());
    await patronictl('edit-config', bench.cluster, '-s', 'maximum_lag_on_failover=7', '--force');
    expect(await show()).toMatchObject({ maximum_lag_on_failover: 7 });
  });

  it('is not changed by what is wrong, and everything wrong is told', async () => {
    const before = await show();
    bench.write('change.yaml', 'ttl: soon\n');
    const words = ['--apply', 'change.yaml', '-s', 'synchronous_mod=off', '-s', 'pause', '--force'];
    const { status, err } = await edit(...words);
    expect(status).toBe(2);
    expect(err).toContain('ttl: "soon" is not a whole number of seconds');
    expect(err).toContain('did you mean "synchronous_mode"?');
    expect(err).toContain('"pause" is not key=value');
    const missing = await edit('--replace', 'no-such-file.yaml', '--force');
    expect([missing.status, missing.err]).toEqual([2, expect.stringContaining('cannot be read')]);
    const unconfirmed = await edit('-s', 'ttl=6');
    expect([unconfirmed.status, unconfirmed.err]).toEqual([1, expect.stringContaining('--force')]);
    expect((await editIn('')).status).toBe(2);
    expect(await show()).toEqual(before);
  });

  it('reaches PostgreSQL, from words, a text and an editor', async () => {
    expect((await edit('-q', '-p', 'work_mem=6MB', '--force')).out).toBe('Configuration changed\n');
    await waitUntil('6MB', async () => (await ask('show work_mem')) === '6MB');
    const input = 'postgresql: {parameters: {work_mem: 7MB}}';
    const program = ['-c', `echo '${input}' | "$@"`, 'sh'];
    const command = [process.execPath, ...bench.commandLine('edit-config', '--apply', '-')];
    const refused = await bench.finish(bench.spawn('sh', [...program, ...command]));
    expect([refused.status, refused.err]).toEqual([1, expect.stringContaining('--force')]);
    await bench.finish(bench.spawn('sh', [...program, ...command, '--force']));
    await waitUntil('7MB', async () => (await ask('show work_mem')) === '7MB');
    expect((await editIn("sed -i 's/7MB/8MB/'", '--force')).status).toBe(0);
    await waitUntil('8MB', async () => (await ask('show work_mem')) === '8MB');
  });

  it('is not overwritten when somebody else was faster', async () => {
    const before = await show();
    const other = bench.commandLine('edit-config', '-q', '-s', 'loop_wait=2', '--force').join(' ');
    const editor = `"${process.execPath}" ${other}; sed -i 's/8MB/9MB/'`;
    const { status, err } = await editIn(editor, '--force');
    expect(status).toBe(1);
    expect(err).toContain('Config modification aborted due to concurrent changes');
    expect(await show()).toEqual({ ...before, loop_wait: 2 });
  });

  it('is as it was after a replacement by what was shown', async () => {
    const { out } = await bench.run('show-config');
    bench.write('saved.yaml', out);
    expect((await edit('-s', 'synchronous_mode=', '-q', '--force')).status).toBe(0);
    await waitUntil('nobody to be waited for', async () => {
      return (await ask('show synchronous_standby_names')) === '';
    });
    expect((await edit('--replace', 'saved.yaml', '--force')).status).toBe(0);
    expect((await bench.run('show-config')).out).toBe(out);
  });

  it('is replaced by whoever may use the API of a member', async () => {
    const before = await show();
    const { rest } = Object.values(bench.plan().members)[0] ?? {};
    const put = async (config: object, password: string) =>
      fetch(`http://127.0.0.1:${rest}/config`, {
        method: 'PUT',
        body: JSON.stringify(config),
        headers: { authorization: `Basic ${btoa(`matriarch:${password}`)}` },
      });
    expect((await put({ ttl: 20 }, 'wrong')).status).toBe(401);
    const password = bench.secret('restapi');
    expect((await put({ ttl: 'soon' }, password)).status).toBe(400);
    expect(await show()).toEqual(before);
    const { maximum_lag_on_failover: _gone, ...others } = before;
    const answer = await put(others, password);
    expect([answer.status, await answer.json()]).toEqual([200, others]);
    expect(await show()).toEqual(others);
    expect((await put(before, password)).status).toBe(200);
    expect(await show()).toEqual(before);
  });

  it('has its mistakes kept by an editor', async () => {
    const { status, err } = await editIn("sed -i 's/ttl:/tttl:/'", '--force');
    expect(status).toBe(2);
    const [, file = ''] = /^what you wrote is kept in (.*)$/m.exec(err) ?? [];
    const shown = (await bench.run('show-config')).out;
    expect(readFileSync(file, 'utf8')).toBe(shown.replace('\nttl:', '\ntttl:'));
  });
});
