import { CLIENTS } from '../clients/routed-writer.ts';
import type { Endpoint } from '../network/sim-network.ts';
import { STORE } from '../store/sim-store.ts';
import type { FaultContext, FaultKind, Injected } from './fault.ts';

type Cut = readonly [from: Endpoint, to: Endpoint];

const cutLinks = (
  { simulation: { network } }: FaultContext,
  cuts: readonly Cut[],
  story: string,
): Injected => {
  for (const [from, to] of cuts) network.cut(from, to);
  return {
    story,
    undo: () => {
      for (const [from, to] of cuts) network.mend(from, to);
    },
  };
};

const bothWays = (one: Endpoint, other: Endpoint): readonly Cut[] => [
  [one, other],
  [other, one],
];

const lasting = ({ lastsMs }: FaultContext): string => `for ${(lastsMs / 1_000).toFixed(1)} s`;

/** Faults of the links between hosts, to the store, and to the clients. */
export const networkFaults = {
  'store-cut-off': {
    troubles: 'host',
    inject: (context) => {
      const { name } = context.host;
      const story = `${name} does not reach the store ${lasting(context)}`;
      return cutLinks(context, bothWays(name, STORE), story);
    },
  },
  'store-cut-off-one-way': {
    troubles: 'host',
    inject: (context) => {
      const { name } = context.host;
      const isOut = context.random.chance(0.5);
      const cut: Cut = isOut ? [name, STORE] : [STORE, name];
      return cutLinks(context, [cut], `nothing goes from ${cut.join(' to ')} ${lasting(context)}`);
    },
  },
  'hosts-parted': {
    troubles: 'both',
    inject: (context) => {
      const { host, other } = context;
      const story = `${host.name} and ${other.name} do not reach each other ${lasting(context)}`;
      return cutLinks(context, bothWays(host.name, other.name), story);
    },
  },
  'hosts-parted-one-way': {
    troubles: 'both',
    inject: (context) => {
      const cut: Cut = [context.host.name, context.other.name];
      return cutLinks(context, [cut], `nothing goes from ${cut.join(' to ')} ${lasting(context)}`);
    },
  },
  'host-isolated': {
    troubles: 'host',
    inject: (context) => {
      const { host, simulation } = context;
      const ends = [...simulation.hosts.keys(), STORE, CLIENTS].filter((end) => end !== host.name);
      const cuts = ends.flatMap((end) => bothWays(host.name, end));
      return cutLinks(context, cuts, `${host.name} reaches nobody ${lasting(context)}`);
    },
  },
  'link-slow': {
    troubles: 'both',
    inject: (context) => {
      const { host, random, simulation } = context;
      const to = random.pick([STORE, context.other.name]);
      const extraMs = random.between(20, 1_500);
      for (const [from, end] of bothWays(host.name, to))
        simulation.network.delay(from, end, extraMs);
      return {
        story: `${host.name} and ${to} take ${Math.round(extraMs)} ms longer ${lasting(context)}`,
        undo: () => {
          for (const [from, end] of bothWays(host.name, to)) simulation.network.delay(from, end, 0);
        },
      };
    },
  },
  'network-lossy': {
    troubles: 'all',
    inject: (context) => {
      const { network } = context.simulation;
      network.lossRate = context.random.between(0.02, 0.3);
      return {
        story: `${Math.round(network.lossRate * 100)} % of messages are lost ${lasting(context)}`,
        undo: () => {
          network.lossRate = 0;
        },
      };
    },
  },
} as const satisfies Readonly<Record<string, FaultKind>>;
