/** Who has which address, and what is asked of `ip`. That it does so is shown by the e2e test. */
import { describe, expect, it } from 'vitest';
import { formatCut, planEnd, planEnds, planHub } from './network-plan.ts';

const ends = planEnds(['pg1', 'pg2']);

describe('the network of a private cluster', () => {
  it('has an end of its own for the clients, each member and each etcd', () => {
    expect(ends.map(({ name, address }) => `${name} ${address}`)).toEqual([
      'clients 10.77.0.1',
      'member1 10.77.0.11',
      'store1 10.77.1.11',
      'member2 10.77.0.12',
      'store2 10.77.1.12',
    ]);
  });

  it('leads a wire from the hub to each end', () => {
    const [clients] = ends;
    const lines = planHub(clients === undefined ? [] : [clients], ({ name }) => `/net/${name}`);
    expect(lines).toEqual([
      'link set lo up',
      'link add clients type veth peer name eth0 netns /net/clients',
      'address add 10.77.255.254/32 dev clients',
      'link set clients up',
      'route add 10.77.0.1/32 dev clients',
    ]);
  });

  it('sends everything from an end through the hub', () => {
    const [, member] = ends;
    expect(member && planEnd(member)).toEqual([
      'link set lo up',
      'address add 10.77.0.11/32 dev eth0',
      'link set eth0 up',
      'route add 10.77.255.254/32 dev eth0',
      'route add 10.77.0.0/16 via 10.77.255.254 dev eth0',
    ]);
  });

  it('cuts one direction between two ends', () => {
    const member = { kind: 'member', host: 'pg2' } as const;
    const store = { kind: 'store', host: 'pg1' } as const;
    expect(formatCut(ends, [member, store])).toBe('iif member2 to 10.77.1.11/32 blackhole');
    expect(formatCut(ends, [store, member])).toBe('iif store1 to 10.77.0.12/32 blackhole');
    expect(formatCut(ends, ['clients', store])).toBe('iif clients to 10.77.1.11/32 blackhole');
  });

  it('knows no end that is not there', () => {
    const nobody = { kind: 'member', host: 'pg9' } as const;
    expect(() => formatCut(ends, ['clients', nobody])).toThrow('pg9');
  });
});
