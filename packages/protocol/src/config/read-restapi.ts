import { isWildcardHost, parseConnectAddress, parseListen } from '../located/endpoint-parsers.ts';
import { parseAnyText, parseChoice, parseText } from '../located/parsers.ts';
import type { Section } from '../located/section.ts';
import type { AgentConfig, Endpoint, TlsFiles } from './agent-config.ts';

const LISTEN = '0.0.0.0:8008';
const nowhere: Endpoint = { host: '', port: 0 };

export const readRestapi = (restapi: Section): AgentConfig['restapi'] => {
  const listen = restapi.required('listen', parseListen(LISTEN), LISTEN) ?? nowhere;
  const config: AgentConfig['restapi'] = {
    listen,
    connectAddress: readConnectAddress(restapi, 'host1:8008', listen),
    authentication: readAuthentication(restapi, listen),
    tls: readTls(restapi),
  };
  restapi.finish();
  return config;
};

/** The address others use; the one listened on when that names one interface. */
export const readConnectAddress = (
  section: Section,
  example: string,
  listen: Endpoint,
): Endpoint => {
  const given = section.value('connect_address', parseConnectAddress(example));
  if (given !== undefined) return given;
  if (!section.has('connect_address') && listen !== nowhere && isWildcardHost(listen.host)) {
    section.mistake('connect_address', {
      message: 'is missing, and listen names no address others can connect to',
      fix: `write for example connect_address: ${example}`,
    });
  }
  return listen;
};

const isLoopback = (host: string): boolean =>
  host === 'localhost' || host === '::1' || host.startsWith('127.');

const readAuthentication = (
  restapi: Section,
  listen: Endpoint,
): AgentConfig['restapi']['authentication'] => {
  const section = restapi.section('authentication');
  const username = section.value('username', parseText);
  const password = section.secret('password', parseAnyText);
  section.finish();
  if (username !== undefined && password !== undefined) return { username, password };
  const lacking = username === undefined ? 'username' : 'password';
  if (restapi.has('authentication') && !section.has(lacking)) {
    const message = 'is missing';
    section.mistake(lacking, { message, fix: 'authentication needs username and password' });
  } else if (!restapi.has('authentication') && listen !== nowhere && !isLoopback(listen.host)) {
    restapi.warn('authentication', {
      message: 'is missing: whoever reaches the API can switch the primary over',
      fix: 'add authentication with username and password',
    });
  }
  return undefined;
};

const readTls = (restapi: Section): TlsFiles | undefined => {
  const certFile = restapi.value('certfile', parseText);
  const keyFile = restapi.value('keyfile', parseText);
  const keyPassword = restapi.secret('keyfile_password', parseText);
  const caFile = restapi.value('cafile', parseText);
  const verifyClient =
    restapi.value('verify_client', parseChoice(['none', 'optional', 'required'])) ?? 'none';
  if (verifyClient !== 'none' && caFile === undefined) {
    restapi.mistake('verify_client', {
      message: `${verifyClient} needs a certificate authority`,
      fix: 'add cafile',
    });
  }
  if (certFile !== undefined) return { certFile, keyFile, keyPassword, caFile, verifyClient };
  for (const key of ['keyfile', 'cafile', 'verify_client']) {
    if (restapi.has(key) && !(key === 'verify_client' && verifyClient === 'none')) {
      restapi.warn(key, { message: 'has no effect without certfile' });
    }
  }
  return undefined;
};
