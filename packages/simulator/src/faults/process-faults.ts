import type { Action } from '@matriarch/core';
import type { SimProcess } from '../kernel/sim-process.ts';
import type { FaultContext, FaultKind, Injected } from './fault.ts';

const seconds = (milliseconds: number): string => `${(milliseconds / 1_000).toFixed(1)} s`;

/** Stops a process (SIGSTOP) and lets it go on later. */
const stopFor = (
  process: SimProcess | undefined,
  { host, lastsMs }: FaultContext,
): Injected | undefined => {
  if (process === undefined || !process.isAlive) return undefined;
  process.stop();
  return {
    story: `${process.name} of ${host.name} stopped for ${seconds(lastsMs)}`,
    undo: () => process.continue(),
  };
};

/** The moments that matter: what was decided is old when it is done. */
const STALLS = {
  anything: () => true,
  'a transaction': (action: Action) => action.kind === 'transact' && action.purpose !== 'confirm',
  'taking the lease': (action: Action) =>
    action.kind === 'transact' && action.purpose === 'acquire',
  'a release': (action: Action) => action.kind === 'transact' && action.purpose === 'release',
  'a promotion': (action: Action) => action.kind === 'promote',
  'a start': (action: Action) => action.kind === 'start-server',
} as const;

/** Long enough for others to do what the stopped one was about to do. */
const STALL_EXTRA_MS = 6_000;

const STALL_WEIGHTS: Readonly<Record<keyof typeof STALLS, number>> = {
  anything: 2,
  'a transaction': 2,
  'taking the lease': 3,
  'a release': 2,
  'a promotion': 2,
  'a start': 2,
};

/** Faults of the processes of one host, and of the host itself. */
export const processFaults = {
  'loop-killed': {
    troubles: 'host',
    inject: ({ host }) => {
      host.guard?.loop?.kill();
      return { story: `loop of ${host.name} killed` };
    },
  },
  'loop-stopped': {
    troubles: 'host',
    inject: (context) => stopFor(context.host.guard?.loop?.process, context),
  },
  'loop-stopped-before-acting': {
    // Trouble begins when it strikes.
    troubles: 'nobody',
    inject: ({ simulation, random, lastsMs }) => {
      const what = random.weighted(STALL_WEIGHTS);
      const milliseconds = lastsMs + random.between(0, STALL_EXTRA_MS);
      const stall = { milliseconds, before: STALLS[what], isSpent: false };
      for (const host of simulation.hosts.values()) host.armStall(stall);
      return {
        story: `the next loop will stop before ${what}`,
        undo: () => {
          stall.isSpent = true;
        },
      };
    },
  },
  'guard-killed': {
    troubles: 'host',
    inject: ({ host }) => {
      host.killGuard();
      return { story: `guard of ${host.name} killed` };
    },
  },
  'guard-stopped': {
    troubles: 'host',
    inject: (context) => stopFor(context.host.guard?.process, context),
  },
  'pipe-slow': {
    troubles: 'host',
    inject: ({ host, random, lastsMs }) => {
      const { guard } = host;
      if (guard === undefined) return undefined;
      const channel = random.chance(0.5) ? guard.toLoop : guard.fromLoop;
      channel.extraMs = random.between(50, 3_000);
      const story = `messages between guard and loop of ${host.name} take longer`;
      return {
        story: `${story} by ${Math.round(channel.extraMs)} ms for ${seconds(lastsMs)}`,
        undo: () => {
          channel.extraMs = 0;
        },
      };
    },
  },
  'postmaster-killed': {
    troubles: 'server',
    inject: ({ host }) => {
      if (host.postgres.isSilent) return undefined;
      host.postgres.killPostmaster();
      return { story: `postmaster of ${host.name} killed` };
    },
  },
  'postmaster-stopped': {
    troubles: 'server',
    inject: ({ host, lastsMs }) => {
      const { running } = host.postgres;
      if (running === undefined || running.postmaster !== 'alive') return undefined;
      running.freezePostmaster();
      return {
        story: `postmaster of ${host.name} stopped for ${seconds(lastsMs)}`,
        undo: () => running.thawPostmaster(),
      };
    },
  },
  'server-panics': {
    troubles: 'server',
    inject: ({ host, random }) => {
      if (host.postgres.isSilent) return undefined;
      const words = random.pick(['panic', 'disk-full'] as const);
      host.postgres.panic(words);
      return { story: `server of ${host.name} ends: ${words}` };
    },
  },
  'process-hangs': {
    troubles: 'server',
    inject: ({ host, simulation, lastsMs }) => {
      host.postgres.stuckUntil = simulation.kernel.now + lastsMs;
      host.postgres.killPostmaster();
      return {
        story: `one process of ${host.name} cannot be killed for ${seconds(lastsMs)}`,
        undo: () => undefined,
      };
    },
  },
  'host-crashes': {
    troubles: 'host',
    inject: ({ host, lastsMs }) => {
      if (!host.machine.isUp) return undefined;
      host.crash();
      return {
        story: `host ${host.name} crashes, back after ${seconds(lastsMs)}`,
        undo: () => host.boot(),
      };
    },
  },
  'host-frozen': {
    troubles: 'host',
    inject: ({ host, lastsMs }) => {
      if (!host.machine.isUp) return undefined;
      const { boots } = host.machine;
      host.machine.freeze();
      return {
        story: `all processes of ${host.name} stopped for ${seconds(lastsMs)}`,
        undo: () => {
          if (host.machine.boots === boots) host.machine.thaw();
        },
      };
    },
  },
  'machine-paused': {
    troubles: 'host',
    inject: ({ host, lastsMs }) => {
      if (!host.machine.isUp) return undefined;
      const { boots } = host.machine;
      host.machine.pause();
      return {
        story: `virtual machine of ${host.name} paused for ${seconds(lastsMs)}`,
        undo: () => {
          if (host.machine.boots === boots) host.machine.resume();
        },
      };
    },
  },
  'agent-terminated': {
    troubles: 'host',
    inject: ({ host, lastsMs }) => {
      host.terminate();
      return {
        story: `SIGTERM to the agent of ${host.name}, started again after ${seconds(lastsMs)}`,
        undo: () => host.startAgent(),
      };
    },
  },
} as const satisfies Readonly<Record<string, FaultKind>>;
