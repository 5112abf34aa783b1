/** Where something was written: a place in a file, or an environment variable. */
export interface Place {
  readonly file?: string | undefined;
  /** From 1. */
  readonly line?: number | undefined;
  /** From 1. */
  readonly column?: number | undefined;
  readonly variable?: string | undefined;
}

/**
 * A user's mistake, or something a user should know of (a warning), with the place where it is to
 * be corrected. Never contains a secret: `given` is absent for values that may be one.
 */
export interface Mistake extends Place {
  /** Dotted path of the setting, for example `postgresql.listen`; empty for the file as a whole. */
  readonly path: string;
  /** What was written, shortened. */
  readonly given?: string | undefined;
  /** What is allowed, as it completes "is not …": `host:port`, `a whole number from 20`. */
  readonly allowed?: string | undefined;
  /** What is wrong, in words. */
  readonly message: string;
  /** What to write instead. */
  readonly fix?: string | undefined;
  /** For a key nobody knows: the known one that was most likely meant. */
  readonly nearest?: string | undefined;
}

/** Said, but not in the way of anything. */
export type Warning = Mistake;

const formatPlace = ({ file, line, column, variable }: Place): string => {
  if (variable !== undefined) return variable;
  return [file, line, line === undefined ? undefined : column]
    .filter((part) => part !== undefined)
    .join(':');
};

/** `patroni.yml:12:3: postgresql.listen: "abc" is not host:port; write for example 0.0.0.0:5432` */
export const formatMistake = (mistake: Mistake): string => {
  const text = [mistake.message, mistake.fix].filter((part) => part !== undefined).join('; ');
  return [formatPlace(mistake), mistake.path, text].filter((part) => part !== '').join(': ');
};

/** One line for each, in the order in which a reader of the files meets them. */
export const formatMistakes = (mistakes: readonly Mistake[]): string =>
  sortMistakes(mistakes).map(formatMistake).join('\n');

/** By file, line and column; variables come last. The order is otherwise kept. */
export const sortMistakes = <T extends Mistake>(mistakes: readonly T[]): readonly T[] =>
  [...mistakes].sort(
    (a, b) =>
      Number(a.variable !== undefined) - Number(b.variable !== undefined) ||
      (a.file ?? '').localeCompare(b.file ?? '') ||
      (a.line ?? 0) - (b.line ?? 0) ||
      (a.column ?? 0) - (b.column ?? 0),
  );
