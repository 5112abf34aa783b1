/**
 * How names and values stand in HAProxy's configuration and on its runtime socket.
 * Grammar: HAProxy configuration manual, "2.2. Quoting and escaping" and "4.1. Proxy names".
 */

/** The backend writes go to. Its servers are up one at a time. */
export const PRIMARY_BACKEND = 'primary';
/** The backend reads go to. */
export const REPLICAS_BACKEND = 'replicas';
/** The server of the backend `primary` that is no member: see haproxy-waiting.ts. */
export const WAITING_ROOM = 'waiting-room';

/**
 * What a host name stands for that could not be resolved when HAProxy started: an address that
 * belongs to nobody (RFC 5737). A server without any address could not be given one later.
 */
export const UNRESOLVED_ADDRESS = '192.0.2.1';

const PLAIN_CHARACTER = /[A-Za-z0-9_.-]/;

/** `:e9:`; a colon stands in no name as itself, so two names never become one. */
const encodeCharacter = (character: string): string =>
  `:${(character.codePointAt(0) ?? 0).toString(16)}:`;

/**
 * The name of a member as HAProxy can bear it. Harmless also on the runtime socket, where a blank
 * or a semicolon would end the name and begin another command.
 */
export const haproxyServerName = (member: string): string => {
  const name = Array.from(member, (character) =>
    PLAIN_CHARACTER.test(character) ? character : encodeCharacter(character),
  ).join('');
  return name === WAITING_ROOM ? `${encodeCharacter(name.slice(0, 1))}${name.slice(1)}` : name;
};

/** The member a server name stands for: the reverse of `haproxyServerName`. */
export const memberOfServerName = (name: string): string =>
  name.replace(/:([0-9a-f]+):/g, (_whole, code: string) =>
    String.fromCodePoint(Number.parseInt(code, 16)),
  );

const CONTROL_CHARACTER = /\p{Cc}/u;

/**
 * Throws on what no quoting can express: a control character would end the line, and the rest of
 * the value would be read as configuration of its own.
 */
export const mustBeOneLine = (what: string, value: string): string => {
  if (value === '' || CONTROL_CHARACTER.test(value)) {
    throw new Error(`${what} cannot be written on one line: ${JSON.stringify(value)}`);
  }
  return value;
};

const NEEDS_NO_QUOTES = /^[A-Za-z0-9_.:/@%+,=[\]*-]+$/;

/** A value as one word, whatever it holds. Between single quotes HAProxy expands nothing. */
export const quoteHaproxy = (what: string, value: string): string => {
  const word = mustBeOneLine(what, value);
  return NEEDS_NO_QUOTES.test(word) ? word : `'${word.replace(/'/g, `'\\''`)}'`;
};

export interface ListenAddress {
  /** An address, a host name, or `*` for every interface. */
  readonly host: string;
  readonly port: number;
}

const isIpv6 = (host: string): boolean => host.includes(':');

/** `10.0.0.1:5432`, `[::1]:5432`, `*:5432` */
export const renderHaproxyAddress = ({ host, port }: ListenAddress): string =>
  quoteHaproxy('an address', isIpv6(host) ? `[${host}]:${port}` : `${host}:${port}`);
