import { createServer } from 'node:net';
import type { ListenAddress } from '@matriarch/core';

const isTaken = ({ host, port }: ListenAddress): Promise<boolean> =>
  new Promise((resolve) => {
    const server = createServer();
    // Another error (a port below 1024, an unknown host) is for the program itself to tell.
    server.on('error', (error: NodeJS.ErrnoException) => resolve(error.code === 'EADDRINUSE'));
    const where = host === '*' ? { port } : { host, port };
    server.listen({ ...where, exclusive: true }, () => {
      server.close(() => resolve(false));
    });
  });

/** Those of the addresses that somebody else listens on, as `host:port`. */
export const findTakenAddresses = async (
  addresses: readonly ListenAddress[],
): Promise<readonly string[]> => {
  const taken: string[] = [];
  for (const address of addresses) {
    if (await isTaken(address)) taken.push(`${address.host}:${address.port}`);
  }
  return taken;
};
