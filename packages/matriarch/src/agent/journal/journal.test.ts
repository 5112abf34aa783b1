/** The journal on disk: what is written, what is left out, and what happens when the disk is full. */
import { execFileSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Decision, type Input, type StepEvent, type StepResult, lsn } from '@matriarch/core';
import { describe, expect, it, onTestFinished } from 'vitest';
import { waitUntil } from '../../testing/postgres.ts';
import { NOW, buildState } from '../api/testing/build-state.ts';
import { type Journal, openJournal } from './journal.ts';

const openDirectory = (): string => {
  const directory = mkdtempSync(join(tmpdir(), 'matriarch-journal-'));
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
  return directory;
};

const open = (file: string, limitBytes?: number): Journal => {
  const journal = openJournal(file, limitBytes);
  onTestFinished(() => journal.close());
  return journal;
};

const tick: Input = { kind: 'tick' };

const stepOf = (happened: {
  readonly events?: readonly StepEvent[];
  readonly decisions?: readonly Decision[];
}): StepResult => ({
  state: buildState(),
  dispatches: [],
  events: [],
  decisions: [],
  wakeAt: undefined,
  ...happened,
});

const eventOf = (name: string): StepEvent => ({ name, level: 'info', details: { member: 'pg2' } });
const happened = (name: string): StepResult => stepOf({ events: [eventOf(name)] });

const linesOf = (file: string): Record<string, unknown>[] =>
  existsSync(file)
    ? readFileSync(file, 'utf8')
        .split('\n')
        .filter((line) => line !== '')
        .map((line) => JSON.parse(line) as Record<string, unknown>)
    : [];

const untilLines = async (file: string, count: number): Promise<Record<string, unknown>[]> => {
  await waitUntil(`${count} lines`, () => linesOf(file).length >= count);
  return linesOf(file);
};

describe('a line', () => {
  it('of an event has its name, level and details, and when it was', async () => {
    const file = join(openDirectory(), 'journal.jsonl');
    const before = Date.now();
    open(file).write(happened('server.exited'), tick);
    const [line] = await untilLines(file, 1);
    expect(line).toMatchObject({ event: 'server.exited', level: 'info', member: 'pg2' });
    expect(Date.parse(String(line?.['at']))).toBeGreaterThanOrEqual(before);
    expect(Date.parse(String(line?.['at']))).toBeLessThanOrEqual(Date.now());
  });

  it('of a decision has its rule, evidence and action, and what it was made on', async () => {
    const file = join(openDirectory(), 'journal.jsonl');
    const action = { kind: 'fence', by: 'guard' } as const;
    const decisions = [{ rule: 'fence-it', because: 'the deadline', action }];
    open(file).write(stepOf({ decisions }), { kind: 'store-changed' });
    const [line] = await untilLines(file, 1);
    expect(line).toEqual({
      at: line?.['at'],
      clock: NOW,
      revision: 40,
      rule: 'fence-it',
      because: 'the deadline',
      on: 'store-changed',
      action: 'fence',
    });
  });

  it('has positions as decimal text', async () => {
    const file = join(openDirectory(), 'journal.jsonl');
    const details = { position: lsn(2n ** 60n) } as unknown as StepEvent['details'];
    open(file).write(stepOf({ events: [{ name: 'fork.keeping', level: 'info', details }] }), tick);
    const [line] = await untilLines(file, 1);
    expect(line?.['position']).toBe('1152921504606846976');
  });

  it('is readable by nobody else', async () => {
    const file = join(openDirectory(), 'journal.jsonl');
    open(file).write(happened('server.exited'), tick);
    await untilLines(file, 1);
    expect(statSync(file).mode & 0o777).toBe(0o600);
  });

  it('comes behind those of an earlier loop', async () => {
    const file = join(openDirectory(), 'journal.jsonl');
    open(file).write(happened('a.first'), tick);
    await untilLines(file, 1);
    open(file).write(happened('a.second'), tick);
    const lines = await untilLines(file, 2);
    expect(lines.map(({ event }) => event)).toEqual(['a.first', 'a.second']);
  });
});

describe('what is left out', () => {
  const decide = (rule: string, because: string, action?: Decision['action']): StepResult =>
    stepOf({ decisions: [{ rule, because, action }] });

  it('is holding, and a wait that is only repeated', async () => {
    const file = join(openDirectory(), 'journal.jsonl');
    const journal = open(file);
    journal.write(decide('hold', 'nothing is to be done'), tick);
    journal.write(decide('wait', 'for pg2'), tick);
    journal.write(decide('wait', 'for pg2'), tick);
    journal.write(decide('hold', 'nothing is to be done'), tick);
    journal.write(decide('wait', 'for pg2'), tick);
    journal.write(decide('wait', 'for pg3'), tick);
    journal.write(decide('wait', 'for pg2'), tick);
    journal.write(happened('an.end'), tick);
    await waitUntil('the last line', () => linesOf(file).some(({ event }) => event === 'an.end'));
    expect(linesOf(file).map(({ because, event }) => because ?? event)).toEqual([
      'for pg2',
      'for pg3',
      'for pg2',
      'an.end',
    ]);
  });

  it('is no decision that does something, however often', async () => {
    const file = join(openDirectory(), 'journal.jsonl');
    const journal = open(file);
    const action = { kind: 'inspect-disk' } as const;
    journal.write(decide('look', 'again', action), tick);
    journal.write(decide('look', 'again', action), tick);
    expect(await untilLines(file, 2)).toHaveLength(2);
  });
});

describe('a journal that is full', () => {
  /** Some hundred bytes: a few lines. */
  const LIMIT_BYTES = 300;

  it('goes on in a new file, and keeps one older one', async () => {
    const file = join(openDirectory(), 'journal.jsonl');
    const journal = open(file, LIMIT_BYTES);
    const names = Array.from({ length: 20 }, (_, index) => `a.line-${index}`);
    for (const [index, name] of names.entries()) {
      journal.write(happened(name), tick);
      await waitUntil('the line', () => linesOf(file).at(-1)?.['event'] === names[index]);
    }
    const kept = [...linesOf(`${file}.1`), ...linesOf(file)].map(({ event }) => event);
    expect(kept).toEqual(names.slice(-kept.length));
    expect(kept.length).toBeGreaterThan(3);
    expect(kept.length).toBeLessThan(20);
    // A line more than the limit at most.
    expect(statSync(`${file}.1`).size).toBeLessThan(2 * LIMIT_BYTES);
    expect(statSync(`${file}.1`).size).toBeGreaterThanOrEqual(LIMIT_BYTES);
    expect(existsSync(`${file}.2`)).toBe(false);
  });

  it('loses nothing when many lines come at once', async () => {
    const file = join(openDirectory(), 'journal.jsonl');
    // Room for all of them in two files.
    const journal = open(file, 3_000);
    const names = Array.from({ length: 50 }, (_, index) => `a.line-${index}`);
    for (const name of names) journal.write(happened(name), tick);
    const all = (): unknown[] => [...linesOf(`${file}.1`), ...linesOf(file)];
    await waitUntil('all lines', () => all().length >= names.length);
    expect(all().map((line) => (line as { event: string }).event)).toEqual(names);
  });

  it('counts what an earlier loop has written', async () => {
    const file = join(openDirectory(), 'journal.jsonl');
    const first = open(file, 10_000);
    first.write(happened(`a.${'x'.repeat(LIMIT_BYTES)}`), tick);
    await untilLines(file, 1);
    open(file, LIMIT_BYTES).write(happened('a.second'), tick);
    await untilLines(`${file}.1`, 1);
    await waitUntil('the new file', () => linesOf(file)[0]?.['event'] === 'a.second');
  });
});

describe('a disk that takes nothing', () => {
  it('does not end the loop', async () => {
    const directory = openDirectory();
    const file = join(directory, 'journal.jsonl');
    // Whatever is written there, the kernel says that no space is left.
    symlinkSync('/dev/full', file);
    const journal = open(file);
    for (let count = 0; count < 10; count += 1) {
      journal.write(happened('a.line'), tick);
      await new Promise((resolve) => {
        setImmediate(resolve);
      });
    }
    rmSync(file);
    await waitUntil('a line after there is space again', () => {
      journal.write(happened('a.later'), tick);
      return existsSync(file) && readFileSync(file, 'utf8').includes('a.later');
    });
  });

  it('may be a directory that is missing, and is used as soon as it is there', async () => {
    const directory = join(openDirectory(), 'missing');
    const file = join(directory, 'journal.jsonl');
    const journal = open(file, 1);
    journal.write(happened('a.line'), tick);
    journal.write(happened('a.line'), tick);
    mkdirSync(directory);
    await waitUntil('a line', () => {
      journal.write(happened('a.later'), tick);
      return linesOf(file).length > 0 || linesOf(`${file}.1`).length > 0;
    });
  });

  it('may hang: lines beyond what is kept back are lost, and the loop goes on', () => {
    const file = join(openDirectory(), 'journal.jsonl');
    // Nobody reads from it: opening it for writing takes for ever.
    execFileSync('mkfifo', [file]);
    const journal = openJournal(file);
    const big = happened(`a.${'x'.repeat(1_000_000)}`);
    const before = process.memoryUsage().heapUsed;
    for (let count = 0; count < 60; count += 1) journal.write(big, tick);
    expect(process.memoryUsage().heapUsed - before).toBeLessThan(40_000_000);
    // Let it go: a writer that waits for a reader keeps the process.
    execFileSync('sh', ['-c', `timeout 5 cat ${file} > /dev/null &`]);
    journal.close();
  });

  it('is no reason not to begin', () => {
    expect(() => openJournal('/dev/null/below/journal.jsonl').close()).not.toThrow();
  });
});
