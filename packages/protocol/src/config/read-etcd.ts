import { formatEndpoint, splitHostPort } from '../located/endpoint-parsers.ts';
import {
  parseAnyText,
  parseBoolean,
  parseChoice,
  parsePort,
  parseText,
} from '../located/parsers.ts';
import type { Parser } from '../located/parsers.ts';
import type { Section } from '../located/section.ts';
import type { AgentConfig } from './agent-config.ts';
import { otherStores } from './environment.ts';

export type EtcdConfig = AgentConfig['etcd'];

export const STORE_PORT = 2379;
const EXAMPLE = 'hosts: etcd1:2379,etcd2:2379,etcd3:2379';

/** Reads where the store is. Undefined: nothing usable was said, and that is in the findings. */
export const readEtcd = (root: Section): EtcdConfig | undefined => {
  const others = otherStores.filter((store) => root.has(store));
  const sections = (['etcd3', 'etcd'] as const).filter((name) => root.has(name));
  const [name] = sections;
  if (name === undefined) {
    complainOfMissing(root, others);
    return undefined;
  }
  for (const unused of [...sections.slice(1), ...others]) {
    root.warn(unused, { message: `is not used: the store is the one under ${name}` });
  }
  const section = root.section(name);
  if (name === 'etcd') {
    root.warn(name, {
      message: 'is spoken as API version 3, like etcd3; version 2 is not supported',
      fix: 'write etcd3 to say so',
    });
  }
  const config = readSection(section, name);
  section.finish();
  return config;
};

const complainOfMissing = (root: Section, others: readonly string[]): void => {
  const fix = `keep the cluster's documents in etcd: an etcd3 section with ${EXAMPLE}`;
  const [other] = others;
  if (other === undefined) root.mistake('etcd3', { message: 'is missing', fix });
  else root.mistake(other, { message: 'this store is not supported', fix });
};

const readSection = (section: Section, name: EtcdConfig['section']): EtcdConfig | undefined => {
  section.value('use_proxies', parseBoolean);
  const protocol = section.value('protocol', parseChoice(['http', 'https'])) ?? 'http';
  const port = section.value('port', parsePort) ?? STORE_PORT;
  const username = section.value('username', parseText);
  const password = section.secret('password', parseAnyText);
  const caFile = section.value('cacert', parseText);
  const location = readLocation(section, { protocol, port });
  const isPlain = location?.endpoints.every((url) => url.startsWith('http:')) ?? false;
  if (caFile !== undefined && isPlain) {
    section.warn('cacert', { message: 'has no effect with http', fix: 'add protocol: https' });
  }
  if (username !== undefined && password === undefined && !section.has('password')) {
    section.warn('username', { message: 'is given without a password' });
  }
  if (location === undefined) return undefined;
  return {
    section: name,
    endpoints: location.endpoints,
    username: username ?? location.username,
    password: password ?? location.password,
    caFile,
    certFile: section.value('cert', parseText),
    keyFile: section.value('key', parseText),
  };
};

interface Location {
  readonly endpoints: readonly string[];
  readonly username?: string | undefined;
  readonly password?: string | undefined;
}

interface Defaults {
  readonly protocol: string;
  readonly port: number;
}

/** A url says everything and wins, then the list of hosts, then the single host. */
const readLocation = (section: Section, defaults: Defaults): Location | undefined => {
  const urlKey = section.has('proxy') ? 'proxy' : 'url';
  const url = section.secret(urlKey, parseUrl);
  const hosts = readHosts(section, defaults);
  const host = section.value('host', parseStoreHost(defaults));
  const given = [urlKey, 'hosts', 'host'].filter((key) => section.has(key));
  for (const unused of given.slice(1)) {
    section.warn(unused, { message: `is not used, because ${given[0] ?? ''} is given` });
  }
  for (const key of ['srv', 'srv_suffix']) {
    if (!section.has(key)) continue;
    section.mistake(key, {
      message: 'finding etcd by DNS service records is not supported',
      fix: `name its members: ${EXAMPLE}`,
    });
  }
  if (given.length === 0 && !section.has('srv')) {
    section.mistake('hosts', { message: 'is missing', fix: `write for example ${EXAMPLE}` });
  }
  if (url !== undefined) return url;
  if (hosts !== undefined && hosts.length > 0) return { endpoints: hosts };
  return host === undefined ? undefined : { endpoints: [host] };
};

const URL_PARTS = /^(https?):\/\/(?:([^:@/\s]+)(?::([^@/\s]*))?@)?([^@/\s]+?)\/?$/;

const parseUrl: Parser<Location> = ({ value }) => {
  const match = URL_PARTS.exec(String(value).trim());
  const [, protocol = '', username, password, address = ''] = match ?? [];
  const endpoint = splitHostPort(address, STORE_PORT);
  if (match === null || endpoint === undefined) {
    return { ok: false, allowed: 'a URL', fix: 'write for example https://etcd1:2379' };
  }
  return {
    ok: true,
    value: {
      endpoints: [`${protocol}://${formatEndpoint(endpoint)}`],
      username: decode(username),
      password: decode(password),
    },
  };
};

/** Undoes %-escapes; text with broken ones is taken as it stands. */
const decode = (text: string | undefined): string | undefined => {
  try {
    return text === undefined ? undefined : decodeURIComponent(text);
  } catch {
    return text;
  }
};

/** `host:port` or a whole URL, as a URL. */
export const parseStoreHost =
  ({ protocol, port }: Defaults): Parser<string> =>
  ({ value }) => {
    const text = String(value).trim();
    const [, own, address] = /^(https?):\/\/([^@/]+)\/?$/.exec(text) ?? [
      undefined,
      undefined,
      text,
    ];
    const endpoint = splitHostPort(address ?? text, port);
    return endpoint === undefined
      ? { ok: false, allowed: 'host:port', fix: `write for example etcd1:${STORE_PORT}` }
      : { ok: true, value: `${own ?? protocol}://${formatEndpoint(endpoint)}` };
  };

/** A list, or text with commas; quotes and brackets around it are how variables carry lists. */
const readHosts = (section: Section, defaults: Defaults): readonly string[] | undefined => {
  const entry = section.entry('hosts');
  if (entry === undefined) return undefined;
  if (entry.kind !== 'scalar') return section.values('hosts', parseStoreHost(defaults));
  const words = withoutBrackets(String(entry.value).trim())
    .split(',')
    .map((word) => word.trim().replace(/^(['"])(.*)\1$/, '$2'))
    .filter((word) => word !== '');
  const { place } = entry;
  const items = words.map((value) => ({ kind: 'scalar' as const, place, value }));
  return section.items('hosts', { kind: 'list', place, items }, parseStoreHost(defaults));
};

/** The inside of `[a, b]`; an IPv6 address in its brackets stays as it is. */
const withoutBrackets = (text: string): string => {
  const inner = /^\[([^[\]]*)\]$/s.exec(text)?.[1];
  if (inner === undefined) return text;
  return /[,'"]/.test(inner) || splitHostPort(inner) !== undefined ? inner : text;
};
