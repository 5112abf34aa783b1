/**
 * Shows that the guard's log neither loses lines in ordinary times nor ever makes the guard wait,
 * by writing to a real pipe that is read, and to one that is not.
 */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, constants, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createGuardLog } from './guard-log.ts';

let directory: string;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'matriarch-log-'));
});

afterEach(() => {
  rmSync(directory, { recursive: true, force: true });
});

describe('the log', () => {
  it('writes one JSON object per line, in order', async () => {
    const path = join(directory, 'log');
    const file = openSync(path, 'w');
    const log = createGuardLog({ member: 'alpha' }, file);
    log.write('info', 'loop started', { pid: 7, incarnation: undefined });
    log.write('warn', 'server ended', { code: null });
    expect(await log.flush(5_000)).toBe(true);
    closeSync(file);
    const lines = readFileSync(path, 'utf8').trimEnd().split('\n');
    const [first, second] = lines.map((line) => JSON.parse(line) as Record<string, unknown>);
    expect(first).toMatchObject({ level: 'info', member: 'alpha', pid: 7, msg: 'loop started' });
    expect(Object.keys(first ?? {})).toEqual(['level', 'time', 'member', 'pid', 'msg']);
    expect(second).toMatchObject({ level: 'warn', code: null, msg: 'server ended' });
  });

  it('does not wait for a reader that does not read, and says later what was dropped', async () => {
    const path = join(directory, 'pipe');
    spawnSync('mkfifo', [path]);
    const end = openSync(path, constants.O_RDWR);
    const log = createGuardLog({}, end);
    const begun = performance.now();
    for (let line = 0; line < 1_000; line += 1) log.write('info', 'x'.repeat(1_000));
    expect(performance.now() - begun).toBeLessThan(1_000);
    expect(await log.flush(50)).toBe(false);
    const reader: ChildProcess = spawn('cat', [path], { stdio: ['ignore', 'pipe', 'ignore'] });
    let text = '';
    reader.stdout?.setEncoding('utf8').on('data', (chunk: string) => {
      text += chunk;
    });
    expect(await log.flush(10_000)).toBe(true);
    log.write('info', 'last');
    expect(await log.flush(10_000)).toBe(true);
    closeSync(end);
    await once(reader, 'close');
    const last = JSON.parse(text.trimEnd().split('\n').at(-1) ?? '') as { droppedLines: number };
    expect(last.droppedLines).toBeGreaterThan(0);
  });
});
