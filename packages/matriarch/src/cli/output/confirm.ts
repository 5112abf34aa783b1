import { createInterface } from 'node:readline/promises';

/** Where the person is; the process's own terminal unless told otherwise. */
export interface Terminal {
  readonly input: NodeJS.ReadableStream & { readonly isTTY?: boolean | undefined };
  readonly output: NodeJS.WritableStream;
  readonly errors: NodeJS.WritableStream;
}

const ownTerminal: Terminal = {
  input: process.stdin,
  output: process.stdout,
  errors: process.stderr,
};

/** Asks a person; without a terminal there is nobody to ask, and the answer is no. */
export const confirm = async (
  question: string,
  { input, output, errors }: Terminal = ownTerminal,
): Promise<boolean> => {
  if (input.isTTY !== true) {
    errors.write(`${question} Without a terminal, --force says yes.\n`);
    return false;
  }
  const terminal = createInterface({ input, output });
  // Ctrl-C and Ctrl-D close it without an answer.
  const closed = new Promise<string>((resolve) => {
    terminal.once('close', () => resolve(''));
  });
  const answer = await Promise.race([terminal.question(`${question} [y/N] `), closed]);
  terminal.close();
  return /^y(es)?$/i.test(answer.trim());
};
