import { createServer } from 'node:net';

/** How many ports above the wanted one are tried. */
const PORT_TRIES = 200;

/** Hands out ports that nobody listens on and that were not handed out before. */
export class PortFinder {
  readonly #taken = new Set<number>();

  /** Keeps a port from being handed out. */
  reserve(port: number): void {
    this.#taken.add(port);
  }

  /** Hands out this very port; false when it is not free. */
  async take(port: number): Promise<boolean> {
    if (this.#taken.has(port) || !(await isFree(port))) return false;
    this.#taken.add(port);
    return true;
  }

  /** The wanted port, or the next free one above it. */
  async find(wanted: number): Promise<number> {
    for (let port = wanted; port < wanted + PORT_TRIES && port < 65_536; port += 1) {
      if (this.#taken.has(port)) continue;
      this.#taken.add(port);
      if (await isFree(port)) return port;
    }
    throw new Error(`no free port between ${wanted} and ${wanted + PORT_TRIES - 1}`);
  }
}

/** Whether a listener on all addresses and on loopback could be opened right now. */
export const isFree = async (port: number): Promise<boolean> =>
  (await canListen(port, '127.0.0.1')) && (await canListen(port, '0.0.0.0'));

const canListen = (port: number, host: string): Promise<boolean> =>
  new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen({ port, host, exclusive: true }, () => server.close(() => resolve(true)));
  });
