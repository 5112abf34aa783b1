import type { LocatedScalar } from './located.ts';

/** A value, or what would have been allowed in its place. */
export type Parsed<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly allowed: string; readonly fix?: string | undefined };

/** Reads one scalar; pure. `allowed` completes the sentence "… is not …". */
export type Parser<T> = (scalar: Pick<LocatedScalar, 'value' | 'source'>) => Parsed<T>;

const good = <T>(value: T): Parsed<T> => ({ ok: true, value });
const bad = (allowed: string, fix?: string): Parsed<never> => ({ ok: false, allowed, fix });

/**
 * Text. A number is taken as the digits that were typed; where YAML would have changed them, and
 * for on, off, yes and no, the user is asked for quotes instead of being second-guessed.
 */
export const parseText: Parser<string> = ({ value, source }) => {
  if (typeof value === 'string')
    return value === '' ? bad('text of at least a character') : good(value);
  if (typeof value === 'number' && String(value) === (source ?? String(value))) {
    return good(String(value));
  }
  return bad('text as it stands', 'put it in quotes');
};

const booleanWords: Readonly<Record<string, boolean>> = {
  true: true,
  on: true,
  yes: true,
  '1': true,
  false: false,
  off: false,
  no: false,
  '0': false,
};

/** Text that may be empty. */
export const parseAnyText: Parser<string> = (scalar) =>
  scalar.value === '' ? good('') : parseText(scalar);

export const parseBoolean: Parser<boolean> = ({ value }) => {
  const read = booleanWords[String(value).toLowerCase()];
  return read === undefined ? bad('true or false') : good(read);
};

export interface Range {
  readonly minimum?: number | undefined;
  readonly maximum?: number | undefined;
}

const describeRange = ({ minimum, maximum }: Range): string =>
  (minimum === undefined ? '' : ` from ${minimum}`) +
  (maximum === undefined ? '' : ` to ${maximum}`);

const isWithin = (number: number, { minimum, maximum }: Range): boolean =>
  number >= (minimum ?? -Infinity) && number <= (maximum ?? Infinity);

export const parseInteger =
  (range: Range = {}): Parser<number> =>
  ({ value }) => {
    const number =
      typeof value === 'string' && /^\s*[+-]?\d+\s*$/.test(value) ? Number(value) : value;
    return typeof number === 'number' && Number.isSafeInteger(number) && isWithin(number, range)
      ? good(number)
      : bad(`a whole number${describeRange(range)}`);
  };

export const parsePort: Parser<number> = parseInteger({ minimum: 1, maximum: 65_535 });

const QUANTITY = /^\s*([+-]?\d+(?:\.\d+)?)\s*([A-Za-z]*)\s*$/;

/** PostgreSQL's own units. They are case-sensitive there; here `KB` and `kb` are understood too. */
const sizeUnits: Readonly<Record<string, number>> = {
  b: 1,
  kb: 1024,
  mb: 1024 ** 2,
  gb: 1024 ** 3,
  tb: 1024 ** 4,
};

const timeUnits: Readonly<Record<string, number>> = {
  us: 0.001,
  ms: 1,
  s: 1_000,
  min: 60_000,
  h: 3_600_000,
  d: 86_400_000,
};

const readQuantity = (
  value: LocatedScalar['value'],
  units: Readonly<Record<string, number>>,
  bareUnit: string,
): number | undefined => {
  const match = typeof value === 'boolean' ? null : QUANTITY.exec(String(value));
  if (match === null) return undefined;
  const [, digits = '', unit = ''] = match;
  const factor = units[unit === '' ? bareUnit : unit.toLowerCase()];
  return factor === undefined ? undefined : Math.round(Number(digits) * factor);
};

/** A size in bytes; a bare number counts bytes. `16kB`, `10MB`. */
export const parseSizeBytes =
  (range: Range = {}): Parser<bigint> =>
  ({ value }) => {
    const bytes = readQuantity(value, sizeUnits, 'b');
    if (bytes !== undefined && Number.isSafeInteger(bytes) && isWithin(bytes, range)) {
      return good(BigInt(bytes));
    }
    return bad(`a size${describeRange(range)}`, 'write bytes, or a number with kB, MB, GB or TB');
  };

/** A duration in milliseconds; a bare number counts seconds. `30`, `30min`, `100ms`. */
export const parseDurationMs =
  (rangeMs: Range = {}): Parser<number> =>
  ({ value }) => {
    const milliseconds = readQuantity(value, timeUnits, 's');
    if (
      milliseconds !== undefined &&
      Number.isSafeInteger(milliseconds) &&
      isWithin(milliseconds, rangeMs)
    ) {
      return good(milliseconds);
    }
    const least = rangeMs.minimum === undefined ? '' : ` of at least ${rangeMs.minimum / 1000} s`;
    return bad(`a time${least}`, 'write seconds, or a number with ms, s, min, h or d');
  };

/** Whole seconds, in milliseconds: etcd counts leases in seconds. */
export const parseWholeSecondsMs: Parser<number> = (scalar) => {
  const parsed = parseDurationMs()(scalar);
  return parsed.ok && parsed.value % 1_000 === 0
    ? parsed
    : bad('a whole number of seconds', 'write seconds, or a number with s, min or h');
};

export const parseChoice =
  <const T extends string>(choices: readonly T[]): Parser<T> =>
  ({ value }) => {
    const word = String(value).toLowerCase();
    const found = choices.find((choice) => choice.toLowerCase() === word);
    return found === undefined ? bad(`one of ${choices.join(', ')}`) : good(found);
  };
