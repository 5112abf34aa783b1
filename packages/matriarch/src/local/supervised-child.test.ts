/** Programs that are started again when they end: real ones, which live for a moment only. */
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { waitUntil } from '../testing/postgres.ts';
import { startTicksOf } from './process-tree.ts';
import { type ChildSpec, RESTART_MS, SupervisedChild } from './supervised-child.ts';
import { openTemporaryDirectory } from './testing/temporary-directory.ts';

/** Says its pid and its argument, and sleeps. `exec`: signals reach the sleeper itself. */
const SLEEPER = 'echo "$$ $0"; exec sleep 60';
const KILL_LIMIT_MS = 5_000;

interface Bench {
  readonly child: SupervisedChild;
  readonly log: () => string;
  readonly starts: number[];
  readonly ends: (readonly [number | null, string | null, number])[];
}

const open = (script: string, changes: Partial<ChildSpec> = {}): Bench => {
  const logFile = join(openTemporaryDirectory(), 'child.log');
  const starts: number[] = [];
  const ends: (readonly [number | null, string | null, number])[] = [];
  const child = new SupervisedChild({
    name: 'child',
    command: 'sh',
    arguments: ['-c', script, 'word'],
    environment: process.env,
    logFile,
    isHeld: () => false,
    onStart: (pid) => starts.push(pid),
    onExit: (status, signal) => ends.push([status, signal, performance.now()]),
    ...changes,
  });
  onTestFinished(async () => child.stop(0));
  return {
    child,
    log: () => (existsSync(logFile) ? readFileSync(logFile, 'utf8') : ''),
    starts,
    ends,
  };
};

const untilRunning = async ({ child, log }: Bench): Promise<number> => {
  child.start();
  await waitUntil('the child to speak', () => log().includes(`${child.pid} `));
  return child.pid ?? 0;
};

describe('a child', () => {
  it('runs with its arguments and environment, and writes to its log', async () => {
    const bench = open('echo "$$ $0 $COLOUR"; exec sleep 60', {
      environment: { ...process.env, COLOUR: 'blue' },
    });
    const pid = await untilRunning(bench);
    expect(bench.log()).toBe(`${pid} word blue\n`);
    expect(bench.starts).toEqual([pid]);
  });

  it('is started once, however often it is asked for', async () => {
    const bench = open(SLEEPER);
    const pid = await untilRunning(bench);
    bench.child.start();
    expect(bench.child.pid).toBe(pid);
    expect(bench.starts).toEqual([pid]);
  });

  it('is started again a second after its end, and writes to the end of the log', async () => {
    const bench = open(SLEEPER);
    const first = await untilRunning(bench);
    process.kill(first, 'SIGKILL');
    await waitUntil('its end', () => bench.ends.length === 1);
    expect(bench.child.pid).toBeUndefined();
    const [end] = bench.ends;
    expect(end?.slice(0, 2)).toEqual([null, 'SIGKILL']);
    await waitUntil('its restart', () => bench.starts.length === 2);
    expect(performance.now() - (end?.[2] ?? 0)).toBeGreaterThanOrEqual(RESTART_MS - 5);
    await waitUntil('a second line', () => bench.log().split('\n').length === 3);
    expect(bench.log()).toBe(`${first} word\n${bench.child.pid} word\n`);
  });

  it('tells its exit status', async () => {
    const bench = open('exit 3');
    bench.child.start();
    await waitUntil('its end', () => bench.ends.length === 1);
    expect(bench.ends[0]?.slice(0, 2)).toEqual([3, null]);
  });

  it('whose program is missing is tried again', async () => {
    const bench = open('', { command: join(openTemporaryDirectory(), 'missing') });
    bench.child.start();
    await waitUntil('two ends', () => bench.ends.length === 2);
    expect(bench.ends.map((end) => end.slice(0, 2))).toEqual([
      [null, null],
      [null, null],
    ]);
    expect(bench.starts).toEqual([]);
  });

  it('runs without a log that cannot be written', async () => {
    const bench = open(SLEEPER, { logFile: join(openTemporaryDirectory(), 'missing/child.log') });
    bench.child.start();
    expect(startTicksOf(bench.child.pid ?? 0)).toBeDefined();
  });
});

describe('a child that is held', () => {
  it('is not started until it is let go', async () => {
    const held = join(openTemporaryDirectory(), 'held');
    writeFileSync(held, '');
    let looks = 0;
    const bench = open(SLEEPER, {
      isHeld: () => {
        looks += 1;
        return existsSync(held);
      },
    });
    bench.child.start();
    await waitUntil('a second look', () => looks === 2);
    expect(bench.starts).toEqual([]);
    rmSync(held);
    await waitUntil('its start', () => bench.starts.length === 1);
  });

  it('is not started after it was stopped', async () => {
    let looks = 0;
    const bench = open(SLEEPER, {
      isHeld: () => {
        looks += 1;
        return true;
      },
    });
    bench.child.start();
    await bench.child.stop(KILL_LIMIT_MS);
    bench.child.start();
    expect(looks).toBe(1);
  });
});

describe('stopping', () => {
  it('asks it to end, and does not start it again', async () => {
    const bench = open(SLEEPER);
    const pid = await untilRunning(bench);
    await bench.child.stop(KILL_LIMIT_MS);
    expect(startTicksOf(pid)).toBeUndefined();
    expect(bench.ends[0]?.slice(0, 2)).toEqual([null, 'SIGTERM']);
    bench.child.start();
    expect(bench.child.pid).toBeUndefined();
    expect(bench.starts).toHaveLength(1);
  });

  it('kills what does not end within the limit', async () => {
    const bench = open('trap "" TERM; echo "$$ $0"; while :; do sleep 0.1; done');
    await untilRunning(bench);
    const begun = performance.now();
    await bench.child.stop(300);
    expect(performance.now() - begun).toBeGreaterThanOrEqual(295);
    expect(bench.ends[0]?.slice(0, 2)).toEqual([null, 'SIGKILL']);
  });

  it('waits no longer than it takes', async () => {
    const bench = open(SLEEPER);
    await untilRunning(bench);
    const begun = performance.now();
    await bench.child.stop(60_000);
    expect(performance.now() - begun).toBeLessThan(30_000);
  });

  it('takes back a restart that is due', async () => {
    const bench = open('exit 0');
    bench.child.start();
    await waitUntil('its end', () => bench.ends.length === 1);
    await bench.child.stop(KILL_LIMIT_MS);
    expect(bench.starts).toHaveLength(1);
    bench.child.start();
    expect(bench.starts).toHaveLength(1);
  });
});
