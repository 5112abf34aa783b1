import { parseListenAddresses } from '../located/endpoint-parsers.ts';
import { parseAnyText, parseBoolean, parseChoice, parseText } from '../located/parsers.ts';
import type { Parser } from '../located/parsers.ts';
import type { Section } from '../located/section.ts';
import type { AgentConfig, Credentials } from './agent-config.ts';
import { readHba, readIdent } from './read-access-lines.ts';
import { basebackupRules, readOptions } from './read-options.ts';
import { readConnectAddress } from './read-restapi.ts';
import { readLocalParameters } from './server-parameters.ts';

const LISTEN = '0.0.0.0:5432';
const DATA_DIRECTORY = '/var/lib/postgresql/data';

export const readPostgresql = (postgresql: Section): AgentConfig['postgresql'] => {
  const listen = postgresql.required('listen', parseListenAddresses, LISTEN);
  const usable = listen ?? { addresses: [], port: 0 };
  const [address = ''] = usable.addresses;
  const config: AgentConfig['postgresql'] = {
    listen: usable,
    connectAddress:
      listen === undefined
        ? { host: '', port: 0 }
        : readConnectAddress(postgresql, 'host1:5432', { host: address, port: usable.port }),
    dataDirectory: withoutSlash(postgresql.required('data_dir', parseText, DATA_DIRECTORY) ?? ''),
    binDirectory: postgresql.value('bin_dir', parseAnyText) || undefined,
    passFile: postgresql.value('pgpass', parseText),
    database: postgresql.value('database', parseText) ?? 'postgres',
    ...readRoles(postgresql),
    parameters: readLocalParameters(postgresql),
    pgHba: readHba(postgresql, 'pg_hba'),
    pgIdent: readIdent(postgresql, 'pg_ident'),
    useUnixSocket: postgresql.value('use_unix_socket', parseBoolean) ?? false,
    usePgRewind: postgresql.value('use_pg_rewind', parseBoolean),
    basebackupOptions: readOptions(postgresql, 'basebackup', basebackupRules),
  };
  if (listen === undefined) postgresql.has('connect_address');
  readReplicaMethods(postgresql);
  postgresql.finish();
  return config;
};

const withoutSlash = (path: string): string => path.replace(/(.)\/+$/, '$1');

/** Methods of the user's own are known by their name and by the section of that name. */
const readReplicaMethods = (postgresql: Section): void => {
  const methods = postgresql.values('create_replica_methods', parseText) ?? [];
  for (const method of methods) {
    if (method === 'basebackup') continue;
    postgresql.has(method);
    const place = postgresql.placeOf('create_replica_methods');
    postgresql.findings.unbuilt.set('custom replica methods', place);
  }
};

/** libpq's words for a connection, and what each may be. */
const connectionOptions: Readonly<Record<string, Parser<string>>> = {
  sslmode: parseChoice(['disable', 'allow', 'prefer', 'require', 'verify-ca', 'verify-full']),
  sslcert: parseText,
  sslkey: parseText,
  sslrootcert: parseText,
  sslcrl: parseText,
  sslcrldir: parseText,
  gssencmode: parseChoice(['disable', 'prefer', 'require']),
  channel_binding: parseChoice(['disable', 'prefer', 'require']),
  sslnegotiation: parseChoice(['postgres', 'direct']),
};

const readRoles = (
  postgresql: Section,
): Pick<AgentConfig['postgresql'], 'superuser' | 'replication' | 'rewind'> => {
  const authentication = postgresql.section('authentication');
  const superuser = readRole(authentication.section('superuser'), { otherwise: 'postgres' });
  if (!authentication.has('replication')) {
    authentication.mistake('replication', {
      message: 'is missing',
      fix: 'name the role that standbys stream with: replication, with username and password',
    });
  }
  const replication = readRole(authentication.section('replication'), {
    isGiven: authentication.has('replication'),
  });
  const rewindSection = authentication.section('rewind');
  const rewind = readRole(rewindSection, { otherwise: superuser.username });
  authentication.finish();
  return {
    superuser,
    replication,
    rewind: authentication.has('rewind') ? rewind : superuser,
  };
};

const readRole = (
  role: Section,
  { otherwise, isGiven = true }: { otherwise?: string; isGiven?: boolean },
): Credentials => {
  const username =
    otherwise === undefined && isGiven
      ? role.required('username', parseText, 'replicator')
      : role.value('username', parseText);
  const options: Record<string, string> = {};
  for (const [name, parser] of Object.entries(connectionOptions)) {
    const value = role.value(name, parser);
    if (value !== undefined) options[name] = value;
  }
  const sslPassword = role.secret('sslpassword', parseText);
  if (sslPassword !== undefined) options['sslpassword'] = sslPassword;
  const password = role.secret('password', parseAnyText) || undefined;
  role.finish();
  return { username: username ?? otherwise ?? '', password, options };
};
