import {
  type Server as PlainServer,
  type ServerOptions,
  createServer as createPlainServer,
} from 'node:http';
import { type Server as TlsServer, createServer as createTlsServer } from 'node:https';
import type { Endpoint, TlsFiles } from '@matriarch/protocol';
import type { ApiLimits } from './api-limits.ts';
import { readTls } from './tls-options.ts';

export type HttpServer = PlainServer | TlsServer;

export type ApiStart =
  | { readonly kind: 'listening'; readonly address: Endpoint }
  /** Another process has the address. */
  | { readonly kind: 'port-taken'; readonly message: string }
  | { readonly kind: 'cannot-listen'; readonly message: string };

type ServerAnswer =
  | { readonly kind: 'done'; readonly server: HttpServer }
  | { readonly kind: 'failed'; readonly cause: string };

/** A web server that does not let a client hold on to anything for ever. */
export const createHttpServer = (tls: TlsFiles | undefined, limits: ApiLimits): ServerAnswer => {
  const common: ServerOptions = {
    maxHeaderSize: limits.headerBytes,
    headersTimeout: limits.headersMs,
    requestTimeout: limits.requestMs,
    keepAliveTimeout: limits.idleMs,
    connectionsCheckingInterval: limits.checkMs,
    // Load balancers ask in HTTP/1.1 without a Host.
    requireHostHeader: false,
  };
  const withSilence = (server: HttpServer): ServerAnswer => {
    server.setTimeout(limits.silenceMs);
    return { kind: 'done', server };
  };
  if (tls === undefined) return withSilence(createPlainServer(common));
  const read = readTls(tls);
  if (read.kind === 'failed') return read;
  return withSilence(
    createTlsServer({
      ...common,
      ...read.context,
      handshakeTimeout: limits.handshakeMs,
      requestCert: tls.verifyClient !== 'none',
      rejectUnauthorized: tls.verifyClient === 'required',
    }),
  );
};

/** Every address of the host, also those of IPv6. */
const ANY_HOST: ReadonlySet<string> = new Set(['', '*']);

const formatAddress = ({ host, port }: Endpoint): string =>
  host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;

export const listen = (server: HttpServer, endpoint: Endpoint): Promise<ApiStart> =>
  new Promise((resolve) => {
    const { host, port } = endpoint;
    const fail = (error: NodeJS.ErrnoException): void => resolve(whyNot(error, endpoint));
    server.once('error', fail);
    server.listen({ port, host: ANY_HOST.has(host) ? undefined : host }, () => {
      server.off('error', fail);
      resolve({ kind: 'listening', address: addressOf(server) ?? endpoint });
    });
  });

const whyNot = (error: NodeJS.ErrnoException, endpoint: Endpoint): ApiStart => {
  const address = formatAddress(endpoint);
  if (error.code === 'EADDRINUSE')
    return {
      kind: 'port-taken',
      message:
        `cannot listen on ${address} (restapi.listen): another process listens there; stop it ` +
        `(ss -ltnp 'sport = :${endpoint.port}' names it) or set another port in restapi.listen`,
    };
  return {
    kind: 'cannot-listen',
    message:
      `cannot listen on ${address} (restapi.listen): ${error.message}; ` +
      'set an address of this host and a port this user may have',
  };
};

export const addressOf = (server: HttpServer): Endpoint | undefined => {
  const address = server.address();
  if (address === null || typeof address === 'string') return undefined;
  return { host: address.address, port: address.port };
};

export const closeServer = async (
  server: HttpServer,
  limitMs: number,
  abortAll: () => void,
): Promise<void> => {
  const closed = new Promise<void>((resolve) => {
    server.close(() => resolve());
  });
  server.closeIdleConnections();
  abortAll();
  const timer = setTimeout(() => server.closeAllConnections(), limitMs);
  await closed;
  clearTimeout(timer);
};
