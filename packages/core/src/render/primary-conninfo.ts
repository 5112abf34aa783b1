/**
 * libpq's connection strings: `key=value` pairs. Grammar: PostgreSQL documentation, "Connection
 * Strings". A password never belongs into one of ours: they are visible in views and process lists.
 */

const quoteConninfo = (value: string): string =>
  value === '' || /[\s'\\]/.test(value) ? `'${value.replace(/[\\']/g, '\\$&')}'` : value;

/** Pairs in the order given. Undefined values are left out. */
export const renderConninfo = (
  pairs: Readonly<Record<string, string | number | undefined>>,
): string =>
  Object.entries(pairs)
    .filter(([, value]) => value !== undefined)
    .map(([key, value]) => `${key}=${quoteConninfo(String(value))}`)
    .join(' ');

const PAIR = /\s*([^\s=]+)\s*=\s*(?:'((?:[^'\\]|\\.)*)'|((?:[^\s'\\]|\\.)*))/y;

/** Reads `key=value` pairs; undefined when the text is no such list. */
export const parseConninfo = (text: string): Readonly<Record<string, string>> | undefined => {
  const pairs: Record<string, string> = {};
  let position = 0;
  while (text.slice(position).trim() !== '') {
    PAIR.lastIndex = position;
    const match = PAIR.exec(text);
    if (match === null) return undefined;
    const [whole, key = '', quoted, bare = ''] = match;
    pairs[key] = (quoted ?? bare).replace(/\\(.)/g, '$1');
    position += whole.length;
  }
  return pairs;
};

const URI = /^postgres(?:ql)?:\/\/(?:[^@/?]*@)?([^/?]*)/;
const DEFAULT_PORT = '5432';

/** `host:port` of where a connection string leads; undefined when it names no host. */
export const conninfoTarget = (text: string): string | undefined => {
  const authority = URI.exec(text)?.[1];
  if (authority !== undefined) {
    if (authority === '') return undefined;
    return /:\d+$/.test(authority) ? authority : `${authority}:${DEFAULT_PORT}`;
  }
  const pairs = parseConninfo(text);
  const host = pairs?.['host'] ?? pairs?.['hostaddr'];
  if (host === undefined || host === '') return undefined;
  const shown = host.includes(':') ? `[${host}]` : host;
  return `${shown}:${pairs?.['port'] ?? DEFAULT_PORT}`;
};

const ADDRESS = /^(?:\[([^\]]+)\]|([^:]+)):(\d{1,5})$/;

/** Reads `host:port` or `[address]:port`; undefined when it is neither. */
export const parseAddress = (
  text: string,
): { readonly host: string; readonly port: number } | undefined => {
  const match = ADDRESS.exec(text);
  const host = match?.[1] ?? match?.[2];
  const port = Number(match?.[3]);
  return host === undefined || port < 1 || port > 65_535 ? undefined : { host, port };
};

/**
 * What a standby is told of its upstream. `applicationName` is what the primary sees, and what
 * `synchronous_standby_names` refers to.
 */
export const renderPrimaryConninfo = (link: {
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly database: string;
  readonly passFile: string;
  readonly applicationName: string;
  /** libpq's TLS words: sslmode, sslrootcert, channel_binding, … */
  readonly options: Readonly<Record<string, string>>;
}): string =>
  renderConninfo({
    dbname: link.database,
    user: link.user,
    passfile: link.passFile,
    host: link.host,
    port: link.port,
    ...link.options,
    application_name: link.applicationName,
  });
