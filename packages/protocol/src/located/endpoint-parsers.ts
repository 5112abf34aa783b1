import type { Endpoint } from '../config/agent-config.ts';
import type { Parsed, Parser } from './parsers.ts';

const HOST_AND_PORT = /^(?:\[([^\]\s]+)\]|([^\s:/@]+)):(\d{1,5})$/;
const HOST_ALONE = /^(?:\[([^\]\s]+)\]|([^\s:/@]+))$/;
const PORT_MAX = 65_535;

/** Splits `host:port`, `[v6]:port`; undefined when it is neither. */
export const splitHostPort = (text: string, defaultPort?: number): Endpoint | undefined => {
  const match = HOST_AND_PORT.exec(text.trim());
  if (match !== null) {
    const port = Number(match[3]);
    if (port < 1 || port > PORT_MAX) return undefined;
    return { host: match[1] ?? match[2] ?? '', port };
  }
  const alone = defaultPort === undefined ? null : HOST_ALONE.exec(text.trim());
  if (alone === null || defaultPort === undefined) return undefined;
  return { host: alone[1] ?? alone[2] ?? '', port: defaultPort };
};

/** `host:port`, with brackets around IPv6 addresses. */
export const formatEndpoint = ({ host, port }: Endpoint): string =>
  `${host.includes(':') ? `[${host}]` : host}:${port}`;

const wildcards: ReadonlySet<string> = new Set(['*', '0.0.0.0', '::', '']);

/** True for addresses that mean every interface: fit to listen on, unfit to connect to. */
export const isWildcardHost = (host: string): boolean => wildcards.has(host);

const refuse = (example: string): Parsed<never> => ({
  ok: false,
  allowed: 'host:port',
  fix: `write for example ${example}`,
});

/** An address to listen on. `*` is every interface. */
export const parseListen =
  (example: string): Parser<Endpoint> =>
  ({ value }) => {
    const text = String(value).trim();
    const endpoint = splitHostPort(text.startsWith(':') ? `*${text}` : text);
    if (endpoint === undefined) return refuse(example);
    return {
      ok: true,
      value: { ...endpoint, host: endpoint.host === '*' ? '0.0.0.0' : endpoint.host },
    };
  };

/** `host[,host…]:port`, as PostgreSQL listens on several addresses under one port. */
export const parseListenAddresses: Parser<{
  readonly addresses: readonly string[];
  readonly port: number;
}> = ({ value }) => {
  const text = String(value).trim();
  const cut = text.lastIndexOf(':');
  const hosts = text.slice(0, cut).split(',');
  const endpoints = hosts.map((host) => splitHostPort(`${host.trim()}:${text.slice(cut + 1)}`));
  const [first] = endpoints;
  if (cut < 1 || first === undefined || endpoints.includes(undefined)) {
    return refuse('0.0.0.0:5432');
  }
  const addresses = endpoints.flatMap((endpoint) =>
    endpoint === undefined ? [] : [endpoint.host],
  );
  return { ok: true, value: { addresses, port: first.port } };
};

/** An address others connect to, so a wildcard will not do. */
export const parseConnectAddress =
  (example: string): Parser<Endpoint> =>
  ({ value }) => {
    const endpoint = splitHostPort(String(value));
    if (endpoint === undefined) return refuse(example);
    if (!isWildcardHost(endpoint.host)) return { ok: true, value: endpoint };
    return {
      ok: false,
      allowed: 'an address that other members can connect to',
      fix: `write the name or address of this host, for example ${example}`,
    };
  };
