import {
  type FailoverDocument,
  type LocalRequest,
  type Schedule,
  memberName,
  wallTime,
} from '@matriarch/core';
import type { SimHost } from '../host/sim-host.ts';
import type { FaultContext, FaultKind } from './fault.ts';

/** A request that a member's API hands to its loop; false when there is no loop to take it. */
export const ask = (host: SimHost, request: LocalRequest): boolean => {
  const loop = host.guard?.loop;
  if (loop?.process.isAlive !== true) return false;
  loop.process.deliver(() => loop.take({ kind: 'request', request }));
  return true;
};

/** Most times come before what was asked for is taken back, and some would come after it. */
const LATEST = 1.3;

const chooseTime = (
  { simulation: { kernel, see }, random, lastsMs }: FaultContext,
  host: SimHost,
): Schedule & { readonly inMs: number } => {
  const inMs = Math.round(random.between(0, lastsMs * LATEST));
  const schedule = {
    text: `asked for at ${kernel.now}`,
    at: wallTime(host.machine.wallClock.read() + inMs),
  };
  see({ kind: 'time-asked-for', host: host.name, schedule });
  return { ...schedule, inMs };
};

const ROLES = ['any', 'any', 'any', 'primary', 'replica'] as const;

/** Everything is forward or back by these, and right again when it is over. */
const STEPS_MS = [-3_600_000, -20_000, -1_000, 1_000, 20_000, 3_600_000];

/** What operators ask for at a time, and clocks that are set. */
export const scheduleFaults = {
  'restart-scheduled': {
    troubles: 'server',
    inject: (context) => {
      const { simulation, random, host } = context;
      const { inMs, ...schedule } = chooseTime(context, host);
      const role = random.pick(ROLES);
      const conditions = {
        role: role === 'any' ? undefined : role,
        pendingOnly: random.chance(0.2),
      };
      const limitMs = random.chance(0.2) ? random.integer(100, 5_000) : undefined;
      const id = String(simulation.kernel.now);
      const restart = { schedule, conditions, limitMs };
      if (!ask(host, { kind: 'schedule-restart', id, restart })) return undefined;
      return {
        story: `a restart of ${host.name} is asked for in ${inMs} ms`,
        undo: () => {
          ask(host, { kind: 'cancel-restart', id: `${id} back` });
        },
      };
    },
  },
  'switchover-scheduled': {
    troubles: 'nobody',
    inject: (context) => {
      const { simulation, random, other } = context;
      const { documents } = simulation.store;
      const leader = simulation.hosts.get(simulation.tenures.current?.host ?? '');
      if (leader === undefined) return undefined;
      const { inMs, ...scheduledAt } = chooseTime(context, leader);
      const member = random.chance(0.5) ? memberName(other.name) : undefined;
      const put = { leader: memberName(leader.name), member, scheduledAt };
      documents.transact([], [{ key: 'failover', put }]);
      const isFlushed = random.chance(0.3);
      return {
        story: `a switchover from ${leader.name} is asked for in ${inMs} ms`,
        undo: () => {
          const now = documents.get('failover')?.value as FailoverDocument | undefined;
          if (isFlushed && now?.scheduledAt?.text === scheduledAt.text)
            documents.transact([], [{ key: 'failover', put: {} }]);
        },
      };
    },
  },
  'wall-clock-set': {
    troubles: 'nobody',
    inject: ({ random, host, lastsMs }) => {
      const byMs = random.pick(STEPS_MS);
      const { wallClock } = host.machine;
      wallClock.set(byMs);
      const seconds = (lastsMs / 1_000).toFixed(1);
      return {
        story: `the wall clock of ${host.name} is ${byMs / 1_000} s ahead for ${seconds} s`,
        undo: () => wallClock.set(-byMs),
      };
    },
  },
} as const satisfies Readonly<Record<string, FaultKind>>;
