/** Shows what comes of running real programs: their ends, their output, their limits. */
import { existsSync, readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { type CommandCall, OUTPUT_KEPT_BYTES } from '../../agent/ports/run-command.ts';
import { readProcess } from './processes.ts';
import { resolveUser } from './run-as.ts';
import { createRunCommand } from './run-command.ts';

const isRoot = process.geteuid?.() === 0;
const run = createRunCommand(undefined);
const directories: string[] = [];

const shell = (script: string, more: Partial<CommandCall> = {}): CommandCall => ({
  command: 'sh',
  args: ['-c', script],
  env: { PATH: '/usr/bin:/bin' },
  limitMs: 20_000,
  ...more,
});

const makeDirectory = async (): Promise<string> => {
  const directory = await mkdtemp(join(tmpdir(), 'matriarch-run-'));
  directories.push(directory);
  return directory;
};

afterEach(async () => {
  for (const directory of directories.splice(0)) await rm(directory, { recursive: true });
});

describe('a program', () => {
  it('that ends gives its status and both outputs', async () => {
    expect(await run(shell('echo out; echo err >&2; exit 3'))).toEqual({
      kind: 'exited',
      code: 3,
      stdout: 'out\n',
      stderr: 'err\n',
    });
  });

  it('has no environment but the one it was given', async () => {
    const result = await run(shell('env | sort', { env: { PATH: '/usr/bin:/bin', A: 'b' } }));
    expect(result).toMatchObject({ stdout: 'A=b\nPATH=/usr/bin:/bin\nPWD=/\n' });
  });

  it('that talks too much is heard to the end, and only the end is kept', async () => {
    const result = await run(shell('yes | head -c 5000000; echo end'));
    if (result.kind !== 'exited') throw new Error(result.kind);
    expect(result.stdout).toHaveLength(OUTPUT_KEPT_BYTES);
    expect(result.stdout.endsWith('end\n')).toBe(true);
  });

  it('has all that it prints handed on line by line, however much', async () => {
    let lines = 0;
    let last = '';
    const onStdoutLine = (line: string): void => {
      lines += 1;
      last = line;
    };
    await run(shell('seq 1 100000; printf end', { onStdoutLine }));
    expect([lines, last]).toEqual([100_001, 'end']);
  });

  it('has its progress handed on line by line, however it ends its lines', async () => {
    const lines: string[] = [];
    const onStderrLine = (line: string): void => {
      lines.push(line);
    };
    await run(shell('printf "10%%\\r20%%\\r100%%\\nlast" >&2', { onStderrLine }));
    expect(lines).toEqual(['10%', '20%', '100%', 'last']);
  });

  it('that does not exist, or may not be executed, is not found', async () => {
    for (const command of ['no-such-program', '/no/such/program', '/etc/passwd'])
      expect(await run(shell('', { command }))).toEqual({ kind: 'not-found', command });
  });

  it('that is killed says by what', async () => {
    expect(await run(shell('kill -SEGV $$'))).toMatchObject({ kind: 'killed', signal: 'SIGSEGV' });
  });

  it('that is called off is killed at once', async () => {
    const controller = new AbortController();
    const { signal } = controller;
    const call = shell('echo on >&2; sleep 60', {
      signal,
      onStderrLine: () => controller.abort(),
    });
    expect(await run(call)).toMatchObject({ kind: 'killed', signal: 'SIGKILL' });
  });

  it('that takes too long is ended with its children, and may clean up first', async () => {
    const directory = await makeDirectory();
    const script = [
      `cd ${directory}`,
      'trap "echo cleaned >cleaned; exit 1" TERM',
      'sleep 60 & echo $! >child',
      'echo $$ >self',
      'wait',
    ].join('\n');
    expect(await run(shell(script, { limitMs: 300 }))).toMatchObject({ kind: 'timed-out' });
    expect(existsSync(join(directory, 'cleaned'))).toBe(true);
    for (const name of ['child', 'self']) {
      const pid = Number(readFileSync(join(directory, name), 'utf8'));
      await expect.poll(() => readProcess(pid)?.state ?? 'gone').toMatch(/gone|Z/);
    }
  });

  it('that ignores the end of its time is killed', async () => {
    const result = await run(shell('trap "" TERM; while :; do sleep 0.1; done', { limitMs: 200 }));
    expect(result).toMatchObject({ kind: 'timed-out' });
  });

  it('that leaves a child with its output does not hold us', async () => {
    const begun = performance.now();
    const result = await run(shell('sleep 3 & echo done'));
    expect(result).toMatchObject({ kind: 'exited', code: 0, stdout: 'done\n' });
    expect(performance.now() - begun).toBeLessThan(2_500);
  });

  it.runIf(isRoot)('runs as the user that is wanted', async () => {
    const lookup = resolveUser('nobody');
    if (lookup.kind !== 'found') throw new Error('no user nobody');
    const result = await createRunCommand(lookup.user)(shell('id -un'));
    expect(result).toMatchObject({ stdout: 'nobody\n' });
  });
});
