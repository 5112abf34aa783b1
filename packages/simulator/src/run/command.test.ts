/** The command line: what it tells, how it ends, and that mistakes come all at once. */
import { describe, expect, it } from 'vitest';
import { playBlock } from '../many/block.ts';
import type { StartWorker } from '../many/crew.ts';
import { runCommand } from './command.ts';

/** Plays at once, on the test's own thread; what it answers comes when `next` is called. */
const makeCrew = () => {
  const answers: (() => void)[] = [];
  const startWorker: StartWorker = (choice, ears) => ({
    play: (block) => void answers.push(() => ears.played(playBlock(block, choice))),
    stop: () => undefined,
  });
  return { startWorker, answers };
};

interface Ending {
  readonly isTerminal?: boolean;
  /** Ctrl-C is pressed after so many blocks. */
  readonly interruptAfter?: number;
  /** The last worker that was given something is always the first to have done it. */
  readonly lastFirst?: boolean;
}

const runAs = (ending: Ending, ...words: readonly string[]) => {
  const printed: string[] = [];
  const rewritten: string[] = [];
  const complaints: string[] = [];
  const { startWorker, answers } = makeCrew();
  let status: number | undefined;
  let interrupt = (): void => undefined;
  let nowMs = 0;
  runCommand(words, {
    print: (line) => printed.push(line),
    complain: (line) => complaints.push(line),
    rewrite: ending.isTerminal === true ? (line) => rewritten.push(line) : undefined,
    nowMs: () => (nowMs += 1_000),
    startWorker,
    onInterrupt: (stop) => {
      interrupt = stop;
      return () => undefined;
    },
    end: (code) => {
      status = code;
    },
  });
  for (let played = 0; status === undefined && answers.length > 0; played += 1) {
    if (played === ending.interruptAfter) interrupt();
    else (ending.lastFirst === true ? answers.pop() : answers.shift())?.();
  }
  return { status, printed, rewritten, complaints };
};

const run = (...words: readonly string[]) => runAs({}, ...words);

const LIMIT_MS = 60_000;
const PLANTED = ['--seeds', '1..50', '--profile', 'quiet', '--plant', 'slots-are-not-made'];

/** Without the time it took. */
const found = (printed: readonly string[]): readonly string[] =>
  printed
    .filter((line) => !line.includes('per second'))
    .map((line) => line.replace(/ in \d+ s:/, ':'));

describe('one seed', () => {
  it(
    'is told as a story',
    () => {
      const { status, printed } = run('--seed', '1', '--profile', 'quiet');
      expect(status).toBe(0);
      expect(printed[0]).toMatch(/^seed 1: \d members/);
      expect(printed.some((line) => line.includes('bootstrap-cluster'))).toBe(true);
      expect(printed.at(-1)).toContain('nothing wrong');
    },
    LIMIT_MS,
  );

  it(
    'is told with routine work only when asked',
    () => {
      const { printed: news } = run('--seed', '1', '--profile', 'quiet');
      const { printed: all } = run('--seed', '1', '--profile', 'quiet', '--all');
      expect(news.some((line) => line.includes('keep-alive'))).toBe(false);
      expect(all.some((line) => line.includes('keep-alive'))).toBe(true);
    },
    LIMIT_MS,
  );
});

describe('many seeds', () => {
  it(
    'end at the first violation, with its seed',
    () => {
      const { status, printed } = run(...PLANTED);
      expect(status).toBe(1);
      expect(printed.join('\n')).toContain('liveness-after-healing');
      expect(printed.join('\n')).toMatch(
        /replay it with --seed \d+ --profile quiet --plant slots-are-not-made/,
      );
    },
    LIMIT_MS,
  );

  it(
    'come to the same with any number of workers, whoever is done first',
    () => {
      const words = ['--seeds', '1..9', '--profile', 'quiet'];
      const alone = found(run(...words).printed);
      expect(alone.join('\n')).toContain('9 seeds');
      expect(found(run(...words, '--workers', '3').printed)).toEqual(alone);
      const reversed = runAs({ lastFirst: true }, ...words, '--workers', '3');
      expect(found(reversed.printed)).toEqual(alone);
      const failing = found(run(...PLANTED).printed);
      const other = runAs({ lastFirst: true }, ...PLANTED, '--workers', '4');
      expect(found(other.printed)).toEqual(failing);
    },
    LIMIT_MS,
  );

  it(
    'tell how far they are, on a terminal in one line with a bar',
    () => {
      const words = ['--seeds', '1..16', '--profile', 'quiet'];
      const plain = run(...words);
      expect(plain.rewritten).toEqual([]);
      expect(plain.printed.some((line) => line.startsWith('8 of 16 seeds (50.0 %)'))).toBe(true);
      const terminal = runAs({ isTerminal: true }, ...words);
      expect(terminal.rewritten[0]).toMatch(
        /^\[#{6}\.{18}\] 4 of 16 seeds .* per second, \d+ s left/,
      );
      expect(terminal.printed.some((line) => line.includes('per second'))).toBe(false);
    },
    LIMIT_MS,
  );

  it(
    'tell on Ctrl-C what was done so far',
    () => {
      const { status, printed } = runAs({ interruptAfter: 2 }, ...PLANTED.slice(0, 4));
      expect(status).toBe(130);
      expect(printed.at(-1)).toMatch(/^8 seeds in /);
    },
    LIMIT_MS,
  );
});

describe('the words', () => {
  it('are complained of all at once', () => {
    const words = ['--seed', 'x', '--profile', 'none', '--plant', 'rose', '--workers', '0'];
    const { status, complaints } = run(...words);
    expect(status).toBe(2);
    expect(complaints).toHaveLength(5);
    expect(complaints.join()).toContain('--profile none is none of quiet, ');
    expect(complaints.join()).toContain('--plant rose is none of ');
    expect(complaints.join()).toContain('--workers 0 is no number');
  });

  it('are only these', () => {
    expect(run('--speed').status).toBe(2);
    expect(run('--seeds', '5..1').status).toBe(2);
    expect(run().status).toBe(2);
  });

  it('list profiles and plants', () => {
    const { status, printed } = run('--list');
    expect(status).toBe(0);
    expect(printed.join()).toContain('profile mixed: everything');
    expect(printed.join()).toContain('plant forks-are-not-kept: ');
  });
});
