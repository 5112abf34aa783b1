/** The command line: what it tells, how it ends, and that mistakes come all at once. */
import { describe, expect, it } from 'vitest';
import { runCommand } from './command.ts';

const run = (...words: readonly string[]) => {
  const printed: string[] = [];
  const complaints: string[] = [];
  const status = runCommand(words, {
    print: (line) => printed.push(line),
    complain: (line) => complaints.push(line),
    nowMs: () => 1_000,
  });
  return { status, printed, complaints };
};

describe('runCommand', () => {
  it('tells the story of one seed', () => {
    const { status, printed } = run('--seed', '1', '--profile', 'quiet');
    expect(status).toBe(0);
    expect(printed[0]).toMatch(/^seed 1: \d members/);
    expect(printed.some((line) => line.includes('bootstrap-cluster'))).toBe(true);
    expect(printed.at(-1)).toContain('nothing wrong');
  }, 30_000);

  it('tells of routine work only when asked', () => {
    const { printed: news } = run('--seed', '1', '--profile', 'quiet');
    const { printed: all } = run('--seed', '1', '--profile', 'quiet', '--all');
    expect(news.some((line) => line.includes('keep-alive'))).toBe(false);
    expect(all.some((line) => line.includes('keep-alive'))).toBe(true);
  }, 30_000);

  it('stops at the first violation, with its seed', () => {
    const words = ['--seeds', '1..50', '--profile', 'quiet', '--plant', 'slots-are-not-made'];
    const { status, printed } = run(...words);
    expect(status).toBe(1);
    expect(printed.at(-1)).toMatch(/^replay it with --seed \d+/);
    expect(printed.at(-2)).toContain('liveness-after-healing');
  }, 30_000);

  it('complains of all mistakes at once', () => {
    const { status, complaints } = run('--seed', 'x', '--profile', 'none', '--plant', 'rose');
    expect(status).toBe(2);
    expect(complaints).toHaveLength(4);
    expect(complaints.join()).toContain('--profile none is none of quiet, ');
    expect(complaints.join()).toContain('--plant rose is none of ');
  });

  it('does not know other words', () => {
    expect(run('--speed').status).toBe(2);
    expect(run('--seeds', '5..1').status).toBe(2);
    expect(run().status).toBe(2);
  });

  it('lists profiles and plants', () => {
    const { status, printed } = run('--list');
    expect(status).toBe(0);
    expect(printed.join()).toContain('profile mixed: everything');
    expect(printed.join()).toContain('plant forks-are-not-kept: ');
  });
});
