import { type ActionKind, type GuardAnswer, type Results } from '@matriarch/core';
import type { GuardRequest } from '../loop-process.ts';
import { type Performer, type Performing, type Result, failed } from './performer.ts';
import { readByCheckpointer } from '../../postgres/sync-rep.ts';
import { slotOf } from '../../postgres/slot-of.ts';

/** How long the guard may take for what it answers at once. */
const GUARD_LIMIT_MS = 1_000;
const FENCE_LIMIT_MS = 3_000;
const START_LIMIT_MS = 5_000;
/** What a stop may take beyond its own limit: the guard then uses harder means. */
const STOP_EXTRA_MS = 5_000;

const DATA_DIRECTORY = '/data';

/** How a simulated postmaster is launched: nothing reads it but the guard. */
const LAUNCH = {
  command: 'postgres',
  arguments: [],
  environment: {},
  dataDirectory: DATA_DIRECTORY,
  logFile: '/log',
  user: undefined,
};

interface Question {
  readonly request: GuardRequest;
  readonly limitMs: number;
}

/** Asks the guard; whatever it does not answer in time is unknown, what it refuses has failed. */
const askGuard = <K extends ActionKind>(
  { loop }: Performing,
  { request, limitMs }: Question,
  options: {
    readonly take: (message: GuardAnswer) => Results[K] | undefined;
    readonly answer: (result: Result<K>) => void;
  },
): void => {
  loop.ask(request, limitMs, (message) => {
    if (message === undefined)
      return options.answer({ kind: 'unknown', cause: 'the guard did not answer in time' });
    if (message.kind === 'refused') return options.answer(failed(message.cause));
    const taken = options.take(message);
    if (taken === undefined)
      throw new Error(`the guard answered ${request.kind} with ${message.kind}`);
    options.answer({ kind: 'done', ...taken });
  });
};

const takeDone = (message: GuardAnswer): Record<never, never> | undefined =>
  message.kind === 'done' ? {} : undefined;

export const extendDeadline: Performer<'extend-deadline'> = (performing, action, answer) => {
  const { deadline, leaseId } = action;
  askGuard<'extend-deadline'>(
    performing,
    { request: { kind: 'extend', deadline, leaseId }, limitMs: GUARD_LIMIT_MS },
    {
      take: (message) => (message.kind === 'deadline' ? { deadline: message.deadline } : undefined),
      answer,
    },
  );
};

export const suspendDeadline: Performer<'suspend-deadline'> = (performing, action, answer) => {
  const { on, leaseId } = action;
  askGuard<'suspend-deadline'>(
    performing,
    { request: { kind: 'suspend', on, leaseId }, limitMs: GUARD_LIMIT_MS },
    { take: (message) => (message.kind === 'suspended' ? { on: message.on } : undefined), answer },
  );
};

export const fence: Performer<'fence'> = (performing, { by }, answer) => {
  const { host, loop } = performing;
  if (by === 'loop')
    return host.postgres.fence(loop.process, (silent) => answer({ kind: 'done', silent }));
  askGuard<'fence'>(
    performing,
    { request: { kind: 'fence', dataDirectory: DATA_DIRECTORY }, limitMs: FENCE_LIMIT_MS },
    {
      take: (message) => (message.kind === 'fenced' ? { silent: message.silent } : undefined),
      answer,
    },
  );
};

export const startServer: Performer<'start-server'> = (performing, action, answer) => {
  askGuard<'start-server'>(
    performing,
    { request: { kind: 'start', as: action.as, launch: LAUNCH }, limitMs: START_LIMIT_MS },
    {
      take: (message) => (message.kind === 'started' ? { pid: message.pid } : undefined),
      answer,
    },
  );
};

export const stopServer: Performer<'stop-server'> = (performing, { mode, limitMs }, answer) => {
  askGuard<'stop-server'>(
    performing,
    { request: { kind: 'stop', mode, limitMs }, limitMs: limitMs + STOP_EXTRA_MS },
    {
      take: (message) => (message.kind === 'stopped' ? { mode: message.mode } : undefined),
      answer,
    },
  );
};

export const reloadServer: Performer<'reload-server'> = (performing, _action, answer) => {
  askGuard<'reload-server'>(
    performing,
    { request: { kind: 'reload' }, limitMs: GUARD_LIMIT_MS },
    { take: takeDone, answer },
  );
};

export const promote: Performer<'promote'> = (performing, _action, answer) => {
  askGuard<'promote'>(
    performing,
    { request: { kind: 'promote' }, limitMs: GUARD_LIMIT_MS },
    { take: takeDone, answer },
  );
};

export const exit: Performer<'exit'> = (performing, { status, reason }, answer) => {
  const { loop, host, world } = performing;
  world.journal.note(host.name, 'loop leaves', () => `status ${status}: ${reason}`);
  loop.ask({ kind: 'leave', status }, GUARD_LIMIT_MS, () => {
    answer({ kind: 'done' });
    loop.exit(status);
  });
};

export const checkpoint: Performer<'checkpoint'> = ({ host, loop, world }, action, answer) => {
  const instance = host.postgres.running;
  if (instance === undefined || !instance.acceptsConnections)
    return loop.process.after(5, () => answer(failed('the server does not answer')));
  const takesMs = Math.min(action.limitMs, 10 + world.random.tail(100, 3_000));
  // Before it begins, the checkpointer reads what it was signalled to read.
  readByCheckpointer(host.postgres, instance);
  loop.process.after(takesMs, () => {
    if (!instance.acceptsConnections) return answer(failed('the connection was lost'));
    host.postgres.checkpoint(instance);
    answer({ kind: 'done' });
  });
};

export const changeSlots: Performer<'change-slots'> = ({ host, loop, world }, action, answer) => {
  loop.process.after(world.random.between(1, 6), () => {
    const instance = host.postgres.running;
    if (instance === undefined || !instance.acceptsConnections)
      return answer(failed('the server does not answer'));
    const { slots, wal } = instance.data;
    for (const name of action.drop) if (!isSlotActive(instance.senders, name)) slots.delete(name);
    for (const name of action.create)
      if (!slots.has(name)) slots.set(name, { restartLsn: wal.end });
    for (const [name, position] of Object.entries(action.advance)) {
      const slot = slots.get(name);
      if (slot !== undefined && !isSlotActive(instance.senders, name))
        slot.restartLsn = Math.max(slot.restartLsn, Math.min(Number(position), wal.end));
    }
    answer({ kind: 'done' });
  });
};

const SETTINGS_MS = 4;

export const manageWaiting: Performer<'manage-waiting'> = ({ host, loop }, action, answer) => {
  loop.process.after(SETTINGS_MS, () => {
    const instance = host.postgres.running;
    if (instance === undefined || !instance.acceptsConnections || instance.inRecovery)
      return answer(failed('the server takes no changes'));
    const { markedRoles } = instance.data;
    for (const { kind, name } of action.set) if (kind === 'role') markedRoles.add(name);
    for (const { kind, name } of action.reset) if (kind === 'role') markedRoles.delete(name);
    answer({ kind: 'done' });
  });
};

export const isSlotActive = (
  senders: readonly { readonly applicationName: string }[],
  slot: string,
): boolean => senders.some(({ applicationName }) => slotOf(applicationName) === slot);
