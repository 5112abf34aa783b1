import type { IncomingMessage, ServerResponse } from 'node:http';
import { TLSSocket } from 'node:tls';
import type { Endpoint, TlsFiles } from '@matriarch/protocol';
import type { AccessRules } from './access.ts';
import { type ApiLimits, defaultLimits } from './api-limits.ts';
import type { ApiLog, ApiSource } from './api-source.ts';
import type { Call, Handler } from './call.ts';
import { limitConnections } from './connection-limits.ts';
import {
  type ApiStart,
  type HttpServer,
  addressOf,
  closeServer,
  createHttpServer,
  listen,
} from './http-server.ts';
import { hasBody, readBody } from './read-body.ts';
import { type Reply, refuse } from './reply.ts';
import { createRoutes } from './routes.ts';
import { readTls } from './tls-options.ts';

export interface ApiOptions {
  readonly listen: Endpoint;
  readonly tls: TlsFiles | undefined;
  readonly authentication: AccessRules['authentication'];
  readonly source: ApiSource;
  readonly log: ApiLog;
  readonly limits?: Partial<ApiLimits> | undefined;
}

export interface Api {
  start(): Promise<ApiStart>;
  /** Lets open requests end, within a limit. */
  stop(): Promise<void>;
  /** Where it listens; undefined while it does not. */
  address(): Endpoint | undefined;
  /** Reads the certificate files again; connections that are open keep what they have. */
  renewCertificates(): RenewAnswer;
}

export type RenewAnswer =
  | { readonly kind: 'done' }
  | { readonly kind: 'failed'; readonly cause: string };

/** The HTTP side of a member. */
export const createApi = (options: ApiOptions): Api => {
  const { source, log, tls, authentication } = options;
  const limits: ApiLimits = { ...defaultLimits, ...options.limits };
  const requiresCertificate = tls !== undefined && tls.verifyClient !== 'none';
  const access = { authentication, requiresCertificate };
  const routes = createRoutes({ source, log, access, waitingMax: limits.waiting });
  const desk = createDesk(routes, limits, log);
  let server: HttpServer | undefined;

  return {
    start: async () => {
      if (server !== undefined) throw new Error('the API was started twice');
      const made = createHttpServer(tls, limits);
      if (made.kind === 'failed') return { kind: 'cannot-listen', message: made.cause };
      made.server.on('request', desk.serve);
      limitConnections(made.server, limits, log);
      const started = await listen(made.server, options.listen);
      if (started.kind !== 'listening') return started;
      ({ server } = made);
      // Without somebody who hears it, a connection that cannot be accepted would end the loop.
      server.on('error', (error) => log.error({ err: error }, 'api server failed'));
      if (authentication === undefined)
        log.warn(
          { address: started.address, setting: 'restapi.authentication' },
          'everybody who reaches the api may change the cluster',
        );
      return started;
    },
    stop: async () => {
      const stopping = server;
      server = undefined;
      if (stopping === undefined) return;
      await closeServer(stopping, limits.stopMs, desk.abortAll);
    },
    address: () => (server === undefined ? undefined : addressOf(server)),
    renewCertificates: () => {
      if (tls === undefined || server === undefined || !('setSecureContext' in server))
        return { kind: 'done' };
      const read = readTls(tls);
      if (read.kind === 'failed') return read;
      server.setSecureContext(read.context);
      return { kind: 'done' };
    },
  };
};

interface Desk {
  readonly serve: (request: IncomingMessage, response: ServerResponse) => void;
  /** Ends the waiting of every open request. */
  readonly abortAll: () => void;
}

/** Takes requests, has them answered, and knows which are open. */
const createDesk = (routes: Handler, limits: ApiLimits, log: ApiLog): Desk => {
  const open = new Set<AbortController>();
  const serve: Desk['serve'] = (request, response) => {
    const controller = new AbortController();
    open.add(controller);
    response.once('close', () => {
      open.delete(controller);
      controller.abort();
    });
    // Handlers have limits of their own; what is silent now is silent because of us.
    request.socket.setTimeout(0);
    answer(routes, callOf(request, limits, controller.signal), log)
      .then((reply) => {
        request.socket.setTimeout(limits.silenceMs);
        send(request, response, reply);
      })
      .catch((error: unknown) => {
        log.error({ err: error }, 'answer could not be sent');
        response.destroy();
      });
  };
  return {
    serve,
    abortAll: () => {
      for (const controller of open) controller.abort();
    },
  };
};

const callOf = (request: IncomingMessage, limits: ApiLimits, signal: AbortSignal): Call => {
  // A proxy may send the whole address.
  const target = (request.url ?? '/').replace(/^https?:\/\/[^/?]*/i, '');
  const [path = '/', ...query] = target.split('?');
  const { socket, method = 'GET', headers } = request;
  return {
    method,
    path: path === '' ? '/' : path,
    query: new URLSearchParams(query.join('?')),
    client: socket.remoteAddress ?? '',
    authorization: headers.authorization,
    hasCertificate: socket instanceof TLSSocket && socket.authorized,
    signal,
    readBody: async ({ isOptional } = { isOptional: false }) =>
      isOptional && !hasBody(request)
        ? { kind: 'body', text: '' }
        : readBody(request, limits.bodyBytes),
  };
};

/**
 * A fault of ours in an answer must not end the loop that keeps PostgreSQL up: whoever could cause
 * it by a request could cause an outage. It is logged, and the client is told nothing of it.
 */
const answer = async (routes: Handler, call: Call, log: ApiLog): Promise<Reply> => {
  try {
    return await routes(call);
  } catch (error) {
    log.error(
      { err: error, method: call.method, path: call.path },
      'request could not be answered',
    );
    return refuse(
      'internal-error',
      'the request could not be answered; the log of the member says why',
    );
  }
};

const send = (request: IncomingMessage, response: ServerResponse, reply: Reply): void => {
  const { status, body, contentType, headers } = reply;
  response.statusCode = status;
  response.setHeader('Cache-Control', 'no-store');
  for (const [name, value] of Object.entries(headers)) response.setHeader(name, value);
  if (body !== undefined && contentType !== undefined) {
    response.setHeader('Content-Type', contentType);
    response.setHeader('X-Content-Type-Options', 'nosniff');
  }
  if (request.method !== 'HEAD')
    response.setHeader('Content-Length', Buffer.byteLength(body ?? ''));
  response.end(body);
};
