import type { Server, Socket } from 'node:net';
import type { ApiLimits } from './api-limits.ts';
import type { ApiLog } from './api-source.ts';

/** Whoever knocks in vain is not written down each time. */
const COMPLAINT_INTERVAL_MS = 60_000;

/**
 * Bounds the open connections, in all and of one address, so that a client that opens many and
 * says nothing does not keep health checks out.
 */
export const limitConnections = (server: Server, limits: ApiLimits, log: ApiLog): void => {
  const openByAddress = new Map<string, number>();
  let complainedAt = -Infinity;
  const complain = (address: string | undefined): void => {
    if (performance.now() - complainedAt < COMPLAINT_INTERVAL_MS) return;
    complainedAt = performance.now();
    const { connections, connectionsOfOneAddress } = limits;
    log.warn({ address, connections, connectionsOfOneAddress }, 'too many connections to the api');
  };
  const admit = (socket: Socket): void => {
    const address = socket.remoteAddress ?? '';
    const open = (openByAddress.get(address) ?? 0) + 1;
    openByAddress.set(address, open);
    socket.once('close', () => {
      const left = (openByAddress.get(address) ?? 1) - 1;
      if (left > 0) openByAddress.set(address, left);
      else openByAddress.delete(address);
    });
    if (open <= limits.connectionsOfOneAddress) return;
    complain(address);
    socket.destroy();
  };
  server.maxConnections = limits.connections;
  server.on('connection', admit);
  server.on('drop', (dropped) => complain(dropped?.remoteAddress));
};
