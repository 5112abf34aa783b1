/** Messages take time, links are cut one way at a time, and what is lost says so. */
import { describe, expect, it } from 'vitest';
import { Kernel } from '../kernel/kernel.ts';
import { Random } from '../random.ts';
import { SimNetwork } from './sim-network.ts';

const makeNetwork = () => {
  const kernel = new Kernel();
  const network = new SimNetwork(kernel, new Random(1, 'network'), { latencyMs: 1, jitterMs: 0.1 });
  const got: string[] = [];
  const send = (from: string, to: string): number =>
    network.send(
      { from, to },
      () => got.push(`${from}>${to}`),
      () => got.push(`${from}>${to} lost`),
    );
  return { kernel, network, got, send };
};

describe('SimNetwork', () => {
  it('delivers after the latency and says when', () => {
    const { kernel, got, send } = makeNetwork();
    const arrivesAt = send('anna', 'bert');
    expect(arrivesAt).toBeGreaterThan(1);
    kernel.runUntil(0.9);
    expect(got).toEqual([]);
    kernel.runUntil(arrivesAt);
    expect(got).toEqual(['anna>bert']);
  });

  it('cuts one direction only, as often as it was cut', () => {
    const { kernel, network, got, send } = makeNetwork();
    network.cut('anna', 'bert');
    network.cut('anna', 'bert');
    expect(send('anna', 'bert')).toBe(Number.POSITIVE_INFINITY);
    send('bert', 'anna');
    network.mend('anna', 'bert');
    expect(network.isOpen('anna', 'bert')).toBe(false);
    network.mend('anna', 'bert');
    expect(network.isConnected('anna', 'bert')).toBe(true);
    kernel.runUntil(100);
    expect(got).toEqual(['anna>bert lost', 'bert>anna']);
  });

  it('loses what is on its way when the link is cut', () => {
    const { kernel, network, got, send } = makeNetwork();
    send('anna', 'bert');
    network.cut('anna', 'bert');
    kernel.runUntil(100);
    expect(got).toEqual(['anna>bert lost']);
  });

  it('takes longer on a slow link, and drops its share', () => {
    const { network, send } = makeNetwork();
    network.delay('anna', 'store', 500);
    expect(send('anna', 'store')).toBeGreaterThan(500);
    network.delay('anna', 'store', 0);
    expect(send('anna', 'store')).toBeLessThan(100);
    network.lossRate = 1;
    expect(send('anna', 'store')).toBe(Number.POSITIVE_INFINITY);
  });
});
