/** A question to a person, with streams in the place of the terminal. */
import { PassThrough } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { confirm } from './confirm.ts';

const openTerminal = (isTTY: boolean) => {
  const input = Object.assign(new PassThrough(), { isTTY });
  const output = new PassThrough();
  const errors = new PassThrough();
  return { input, output, errors };
};

const answer = async (typed: string): Promise<boolean> => {
  const terminal = openTerminal(true);
  const answered = confirm('Sure?', terminal);
  terminal.input.end(typed);
  return answered;
};

describe('confirm', () => {
  it.each(['y\n', 'Y\n', 'yes\n', ' Yes \n'])('takes %j for a yes', async (typed) => {
    expect(await answer(typed)).toBe(true);
  });

  it.each(['n\n', '\n', 'yep\n', 'no, yes\n'])('takes %j for a no', async (typed) => {
    expect(await answer(typed)).toBe(false);
  });

  it('takes an end without an answer for a no', async () => {
    expect(await answer('')).toBe(false);
  });

  it('shows the question', async () => {
    const terminal = openTerminal(true);
    const answered = confirm('Sure?', terminal);
    terminal.input.end('y\n');
    await answered;
    expect(String(terminal.output.read())).toContain('Sure? [y/N] ');
  });

  it('asks nobody where there is no terminal, and says how to say yes', async () => {
    const terminal = openTerminal(false);
    expect(await confirm('Sure?', terminal)).toBe(false);
    expect(String(terminal.errors.read())).toContain('Sure? Without a terminal, --force says yes.');
  });
});
