import { type ParseArgsConfig, parseArgs } from 'node:util';
import { findNearest } from '@matriarch/protocol';

type Options = NonNullable<ParseArgsConfig['options']>;

/** An option that may be repeated brings a list. */
type ArgumentValue = string | boolean | readonly string[] | undefined;

export type ArgumentValues = Readonly<Record<string, ArgumentValue>>;

export type ParsedArguments =
  | {
      readonly kind: 'parsed';
      readonly values: ArgumentValues;
      readonly positionals: readonly string[];
    }
  | { readonly kind: 'wrong'; readonly message: string };

export interface ArgumentRules {
  readonly options: Options;
  /** How many words besides the options are allowed. */
  readonly positionals?: number;
}

/** Reads the arguments behind a verb; whatever does not fit is a message for the user. */
export const parseArguments = (
  args: readonly string[],
  { options, positionals: allowed = 0 }: ArgumentRules,
): ParsedArguments => {
  try {
    const { values, positionals } = parseArgs({
      args: [...args],
      options,
      allowPositionals: true,
    });
    const extra = positionals[allowed];
    if (extra !== undefined) return { kind: 'wrong', message: `"${extra}" is one word too many` };
    return {
      kind: 'parsed',
      values: values as ArgumentValues,
      positionals,
    };
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    return { kind: 'wrong', message: whatIsUnknown(message, options) ?? message };
  }
};

/** Node explains at length how a word could have been meant that begins with a dash. */
const whatIsUnknown = (message: string, options: Options): string | undefined => {
  const option = /^Unknown option '(-[^']*)'/.exec(message)?.[1];
  if (option === undefined) return undefined;
  const nearest = findNearest(option.replace(/^-+/, ''), Object.keys(options));
  const hint = nearest === undefined ? '' : `; did you mean "--${nearest}"?`;
  return `there is no option "${option}"${hint}`;
};

export const textOf = (value: ArgumentValue): string | undefined =>
  typeof value === 'string' ? value : undefined;

/** What was given for an option that may be repeated. */
export const textsOf = (value: ArgumentValue): readonly string[] =>
  Array.isArray(value) ? (value as readonly string[]) : [];
