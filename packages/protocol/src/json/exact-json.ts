/** JSON whose integers are exact: LSNs have 64 bits, of which a float keeps 53. */
export type ExactJson =
  | null
  | boolean
  | number
  | bigint
  | string
  | readonly ExactJson[]
  | ExactJsonObject;

/** Undefined entries are left out when it is written. */
export interface ExactJsonObject {
  readonly [key: string]: ExactJson | undefined;
}

/** Marks integers too long for a float on their way through JSON.parse. No key or word has it. */
const MARK = '\u0000integer:';

/** A whole string or a whole number: digits are looked at only where they are a number. */
const STRING_OR_NUMBER = /"(?:[^"\\]|\\.)*"|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/g;
const LONG_INTEGER = /^-?\d{16,}$/;

/** Reads JSON; integers a float cannot hold become bigints. Undefined when the text is no JSON. */
export const parseExactJson = (text: string): ExactJson | undefined => {
  const marked = text.replace(STRING_OR_NUMBER, (token) =>
    LONG_INTEGER.test(token) ? JSON.stringify(MARK + token) : token,
  );
  try {
    return JSON.parse(marked, (_key, value: unknown) =>
      typeof value === 'string' && value.startsWith(MARK)
        ? BigInt(value.slice(MARK.length))
        : value,
    ) as ExactJson;
  } catch {
    return undefined;
  }
};

export interface JsonLayout {
  /** A space after each comma and colon, as Patroni's REST API writes. */
  readonly spaced?: boolean | undefined;
}

const escapeText = (text: string): string =>
  JSON.stringify(text).replace(
    /[\u0080-\uffff]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );

/**
 * Writes JSON as Patroni does: bigints as plain integers, everything beyond ASCII escaped, and no
 * spaces unless asked for.
 */
export const encodeJson = (value: ExactJson, layout: JsonLayout = {}): string => {
  const [comma, colon] = layout.spaced === true ? [', ', ': '] : [',', ':'];
  const write = (part: ExactJson): string => {
    if (typeof part === 'string') return escapeText(part);
    if (typeof part === 'number') return Number.isFinite(part) ? String(part) : 'null';
    if (part === null || typeof part !== 'object') return String(part);
    if (Array.isArray(part)) return `[${part.map(write).join(comma)}]`;
    const entries = Object.entries(part as ExactJsonObject).flatMap(([key, inner]) =>
      inner === undefined ? [] : [`${escapeText(key)}${colon}${write(inner)}`],
    );
    return `{${entries.join(comma)}}`;
  };
  return write(value);
};
