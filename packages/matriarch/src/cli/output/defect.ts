/** A fault of ours, not of the user's: the only place where a stack trace is shown. */
export const reportDefect = (error: unknown): void => {
  const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
  process.stderr.write(
    `matriarch: this is a defect of matriarch, please report it with these lines:\n${text}\n`,
  );
};
