/** Where the command line speaks: results on standard output, everything else on standard error. */

// A closed terminal, or the reader of a pipe that has gone, must not end a cluster half stopped.
for (const stream of [process.stdout, process.stderr]) stream.on('error', () => undefined);

export const say = (line: string): void => {
  process.stdout.write(`${line}\n`);
};

export const complain = (line: string): void => {
  process.stderr.write(`${line}\n`);
};

/** Wrong usage: what was wrong, and how it is used. Answers the exit status. */
export const refuseUsage = (message: string, usage: string): number => {
  complain(`matriarch: ${message}\nusage: matriarch ${usage}`);
  return 2;
};
