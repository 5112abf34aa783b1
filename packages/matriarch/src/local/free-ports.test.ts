/** Ports that somebody listens on are passed over: shown with real listeners on loopback. */
import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { describe, expect, it, onTestFinished } from 'vitest';
import { PortFinder, isFree } from './free-ports.ts';

/** Somebody listens there until the test ends. */
const occupy = async (port: number, host = '127.0.0.1'): Promise<number> => {
  const server = createServer();
  server.listen({ port, host, exclusive: true });
  await once(server, 'listening');
  onTestFinished(async () => {
    server.close();
    await once(server, 'close');
  });
  return (server.address() as AddressInfo).port;
};

/** The first of some ports in a row that nobody listens on. */
const findRow = async (count: number): Promise<number> => {
  for (let first = 21_000; first < 60_000; first += count) {
    const isWhole = await Promise.all(
      Array.from({ length: count }, async (_, index) => isFree(first + index)),
    );
    if (isWhole.every(Boolean)) return first;
  }
  throw new Error('no ports are free');
};

describe('isFree', () => {
  it('sees who listens on loopback and who listens everywhere', async () => {
    expect(await isFree(await occupy(0))).toBe(false);
    expect(await isFree(await occupy(0, '0.0.0.0'))).toBe(false);
  });

  it('leaves the port free that it has tried', async () => {
    const port = await findRow(1);
    expect([await isFree(port), await isFree(port)]).toEqual([true, true]);
  });
});

describe('a finder', () => {
  it('gives the wanted port when it is free', async () => {
    const first = await findRow(1);
    expect(await new PortFinder().find(first)).toBe(first);
  });

  it('gives the next one when somebody has it', async () => {
    const first = await findRow(3);
    await occupy(first);
    expect(await new PortFinder().find(first)).toBe(first + 1);
  });

  it('gives no port twice', async () => {
    const first = await findRow(3);
    const finder = new PortFinder();
    const found = [await finder.find(first), await finder.find(first), await finder.find(first)];
    expect(found).toEqual([first, first + 1, first + 2]);
  });

  it('passes over what is reserved', async () => {
    const first = await findRow(2);
    const finder = new PortFinder();
    finder.reserve(first);
    expect(await finder.find(first)).toBe(first + 1);
  });

  it('takes a certain port once, and only while it is free', async () => {
    const first = await findRow(2);
    await occupy(first + 1);
    const finder = new PortFinder();
    expect(await finder.take(first)).toBe(true);
    expect(await finder.take(first)).toBe(false);
    expect(await finder.take(first + 1)).toBe(false);
  });

  it('does not look beyond the last port there is', async () => {
    const finder = new PortFinder();
    finder.reserve(65_535);
    await expect(finder.find(65_535)).rejects.toThrow('no free port between 65535');
  });
});
