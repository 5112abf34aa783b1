import type { SimHost } from '../host/sim-host.ts';
import type { TroubleArea } from '../host/trouble-log.ts';
import type { Random } from '../random.ts';
import type { Simulation } from '../world/simulation.ts';

/** What a fault works on. */
export interface FaultContext {
  readonly simulation: Simulation;
  readonly random: Random;
  /** The host it hits. */
  readonly host: SimHost;
  /** Another host, where it takes two. */
  readonly other: SimHost;
  readonly lastsMs: number;
}

/** What a fault has done: how it is told, and how it is taken back. */
export interface Injected {
  readonly story: string;
  /** Undefined: it is over at once. */
  readonly undo?: (() => void) | undefined;
}

export interface FaultKind {
  /** Whom it troubles: checkers demand less of those. */
  readonly troubles: 'host' | 'both' | 'all' | 'server' | 'nobody';
  /** Undefined: it cannot be done right now. */
  readonly inject: (context: FaultContext) => Injected | undefined;
}

export const areaOf = (kind: FaultKind): TroubleArea =>
  kind.troubles === 'server' ? 'server' : 'host';

export const troubledHosts = (kind: FaultKind, context: FaultContext): readonly SimHost[] => {
  switch (kind.troubles) {
    case 'nobody':
      return [];
    case 'all':
      return [...context.simulation.hosts.values()];
    case 'both':
      return [context.host, context.other];
    case 'host':
    case 'server':
      return [context.host];
  }
};
