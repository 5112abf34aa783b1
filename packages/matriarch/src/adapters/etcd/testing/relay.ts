import { once } from 'node:events';
import { type Socket, connect, createServer } from 'node:net';

/** Stands between a client and a member of the store and does to answers what networks do. */
export interface Relay {
  readonly endpoint: string;
  /** How many connections were made so far, and how many of them are open. */
  connections(): number;
  openConnections(): number;
  /** How many packets of answers went through. */
  answers(): number;
  /** From now on requests get through and answers do not, on old connections and new ones. */
  swallowAnswers(): void;
  /** Connections made from now on work again; the old ones are ended. */
  heal(): void;
  close(): Promise<void>;
}

export const startRelay = async (target: string): Promise<Relay> => {
  const { hostname, port } = new URL(target);
  const sockets = new Set<Socket>();
  let swallows = false;
  let connections = 0;
  let answers = 0;
  const server = createServer((client) => {
    connections += 1;
    const upstream = connect(Number(port), hostname);
    for (const socket of [client, upstream]) {
      sockets.add(socket);
      socket.on('error', () => {});
      socket.on('close', () => {
        sockets.delete(socket);
        client.destroy();
        upstream.destroy();
      });
    }
    client.on('data', (bytes: Buffer) => upstream.write(bytes));
    upstream.on('data', (bytes: Buffer) => {
      if (swallows) return;
      answers += 1;
      client.write(bytes);
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the relay has no port');
  const endConnections = (): void => {
    for (const socket of sockets) socket.destroy();
  };
  return {
    endpoint: `http://127.0.0.1:${address.port}`,
    connections: () => connections,
    openConnections: () => sockets.size / 2,
    answers: () => answers,
    swallowAnswers: () => {
      swallows = true;
    },
    heal: () => {
      swallows = false;
      endConnections();
    },
    close: async () => {
      endConnections();
      await once(server.close(), 'close');
    },
  };
};
