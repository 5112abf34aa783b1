import { request } from 'node:http';

export interface RestAnswer {
  readonly status: number;
  readonly body: string;
}

export interface RestCall {
  readonly port: number;
  readonly path: string;
  readonly method?: 'GET' | 'POST' | 'PATCH' | 'DELETE' | 'OPTIONS' | undefined;
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>> | undefined;
  readonly limitMs?: number | undefined;
}

const LIMIT_MS = 2_000;
const JSON_TYPE = { 'content-type': 'application/json' };

/** One request on a connection of its own; undefined when there was no answer in time. */
export const callRest = (call: RestCall): Promise<RestAnswer | undefined> =>
  new Promise((resolve) => {
    const { port, path, method = 'GET', body, headers, limitMs = LIMIT_MS } = call;
    const sent = request(
      {
        host: '127.0.0.1',
        port,
        path,
        method,
        agent: false,
        signal: AbortSignal.timeout(limitMs),
        headers: { ...headers, ...(body === undefined ? {} : JSON_TYPE) },
      },
      (response) => {
        let text = '';
        response.setEncoding('utf8');
        response.on('data', (chunk: string) => {
          text += chunk;
        });
        response.on('error', () => resolve(undefined));
        response.on('end', () => resolve({ status: response.statusCode ?? 0, body: text }));
      },
    );
    sent.on('error', () => resolve(undefined));
    sent.end(body === undefined ? undefined : JSON.stringify(body));
  });

/** The parts of `GET /patroni` that tests look at. */
export interface StatusDocument {
  readonly state: string;
  readonly role: string;
  readonly timeline?: number;
  readonly replication_state?: string;
  readonly cluster_unlocked?: boolean;
  readonly pause?: boolean;
  readonly pending_restart?: boolean;
  readonly scheduled_restart?: { readonly schedule: string };
  readonly database_system_identifier?: string;
}

/** The parts of `GET /cluster` that tests look at. */
export interface ClusterDocument {
  readonly pause?: boolean;
  readonly scheduled_switchover?: {
    readonly at: string;
    readonly from?: string;
    readonly to?: string;
  };
  readonly members: readonly {
    readonly name: string;
    readonly role: string;
    readonly state: string;
    readonly timeline?: number;
    readonly lag?: number | 'unknown';
    readonly tags?: object;
    readonly scheduled_restart?: { readonly schedule: string };
    readonly matriarch?: { readonly job?: { readonly kind: string } };
  }[];
}
