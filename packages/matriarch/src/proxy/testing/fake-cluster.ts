/**
 * Members for tests of the proxy: a REST API and a TCP server each, in this process. The server
 * greets every connection with the member's name and echoes; the API answers HAProxy's checks as an
 * agent would. To HAProxy they are as real as any.
 */
import { once } from 'node:events';
import { type Server as HttpServer, createServer as createHttpServer } from 'node:http';
import {
  type AddressInfo,
  type Server,
  type Socket,
  connect,
  createServer as createTcpServer,
} from 'node:net';
import {
  type MemberDocument,
  type MemberName,
  type Revision,
  type StoreSnapshot,
  defaultTags,
  memberName,
} from '@matriarch/core';
import type { RouteSource } from '../ports/route-source.ts';

/** What the API of a member answers. `promoting`: it holds the lease but is still in recovery. */
export type FakeRole = 'primary' | 'promoting' | 'replica' | 'down';

const listen = async (server: Server | HttpServer, port = 0): Promise<number> => {
  server.listen(port, '127.0.0.1');
  await once(server, 'listening');
  return (server.address() as AddressInfo).port;
};

export interface FakeMember {
  readonly name: MemberName;
  readonly postgresqlPort: number;
  readonly restPort: number;
  /** Requests the API has had, as `GET /primary`. */
  readonly requests: string[];
  role: FakeRole;
  /** Closes the server's port and ends its connections: what comes now is refused. */
  crash(): void;
  close(): void;
}

const bodies: Readonly<Record<FakeRole, string>> = {
  primary: 'primary',
  promoting: 'replica',
  replica: 'replica',
  down: 'replica',
};

const isFine = (role: FakeRole, url: string): boolean => {
  if (url === '/primary') return role === 'primary' || role === 'promoting';
  return url === '/replica' && role === 'replica';
};

export const createFakeMember = async (
  name: string,
  /** A real PostgreSQL to stand beside; undefined: one that greets and echoes. */
  postgresqlPort?: number,
): Promise<FakeMember> => {
  const sockets = new Set<Socket>();
  const server = createTcpServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined);
    socket.on('close', () => sockets.delete(socket));
    socket.write(`${name}\n`);
    socket.pipe(socket);
  });
  const port = postgresqlPort ?? (await listen(server));
  const requests: string[] = [];
  const api = createHttpServer((request, response) => {
    requests.push(`${request.method} ${request.url}`);
    response.statusCode = isFine(member.role, request.url ?? '') ? 200 : 503;
    response.end(JSON.stringify({ state: 'running', role: bodies[member.role] }));
  });
  const crash = (): void => {
    server.close();
    for (const socket of sockets) socket.destroy();
  };
  const member: FakeMember = {
    name: memberName(name),
    postgresqlPort: port,
    restPort: await listen(api),
    requests,
    role: 'down',
    crash,
    close: () => {
      crash();
      api.close();
      api.closeAllConnections();
    },
  };
  return member;
};

/** What the store says of a member. */
export interface Said {
  readonly role: string;
  readonly state?: string;
}

/** A store for the proxy that says what the test says. */
export class FakeStore implements RouteSource {
  #snapshot: StoreSnapshot | undefined;
  readonly #listeners = new Set<() => void>();

  current(): StoreSnapshot | undefined {
    return this.#snapshot;
  }

  onChange(changed: () => void): { close(): void } {
    this.#listeners.add(changed);
    return { close: () => this.#listeners.delete(changed) };
  }

  say(
    lease: { readonly holder: MemberName; readonly term: number } | undefined,
    members: Readonly<Record<string, Said>>,
  ): void {
    const versioned = <T>(value: T, at: number) => ({
      value,
      createRevision: at as Revision,
      modRevision: at as Revision,
    });
    const documentOf = ({ role, state = 'running' }: Said): MemberDocument => ({
      connUrl: 'postgres://127.0.0.1/postgres',
      apiUrl: 'http://127.0.0.1/patroni',
      role,
      state,
      tags: defaultTags,
      ours: true,
    });
    this.#snapshot = {
      revision: 1 as Revision,
      members: Object.fromEntries(
        Object.entries(members).map(([name, said]) => [name, versioned(documentOf(said), 1)]),
      ),
      ...(lease === undefined ? {} : { leader: versioned(lease.holder, lease.term) }),
    };
    for (const listener of this.#listeners) listener();
  }

  /** The store cannot be read. */
  fallSilent(): void {
    this.#snapshot = undefined;
    for (const listener of this.#listeners) listener();
  }
}

/** One connection through a door: who answered, and whether it is still there. */
export class Visitor {
  readonly #socket: Socket;
  #heard = '';
  #isEnded = false;
  #wake: (() => void)[] = [];

  constructor(port: number) {
    this.#socket = connect({ host: '127.0.0.1', port });
    this.#socket.setEncoding('utf8');
    this.#socket.on('error', () => undefined);
    this.#socket.on('data', (chunk: string) => {
      this.#heard += chunk;
      this.#tell();
    });
    this.#socket.on('close', () => {
      this.#isEnded = true;
      this.#tell();
    });
  }

  get isEnded(): boolean {
    return this.#isEnded;
  }

  get isGreeted(): boolean {
    return this.#heard.includes('\n');
  }

  /** The name of the member that answers; undefined when the connection is ended without one. */
  async greeted(): Promise<string | undefined> {
    await this.#until(() => this.isGreeted || this.#isEnded);
    return this.isGreeted ? this.#heard.slice(0, this.#heard.indexOf('\n')) : undefined;
  }

  /** Whether the session still carries what is sent. */
  async echoes(): Promise<boolean> {
    const before = this.#heard.length;
    this.#socket.write('hello');
    await this.#until(() => this.#heard.length >= before + 5 || this.#isEnded);
    return !this.#isEnded;
  }

  async ended(): Promise<void> {
    await this.#until(() => this.#isEnded);
  }

  leave(): void {
    this.#socket.destroy();
  }

  #tell(): void {
    const wake = this.#wake;
    this.#wake = [];
    for (const one of wake) one();
  }

  async #until(isSo: () => boolean): Promise<void> {
    while (!isSo()) {
      await new Promise<void>((resolve) => {
        this.#wake.push(resolve);
      });
    }
  }
}

/** Who answers behind a port; undefined when nobody does. */
export const whoAnswers = async (port: number): Promise<string | undefined> => {
  const visitor = new Visitor(port);
  const name = await visitor.greeted();
  visitor.leave();
  return name;
};
